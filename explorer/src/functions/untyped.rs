//! What stands for `typed` in a build without the feature `programs`.

use super::Returned;
use shared::program::AccountId;

/// # Errors
/// Always.
pub(crate) fn encode(_: &str, _: &str, _: &dyn Fn(&str) -> Result<AccountId, String>) -> Result<Vec<u8>, String> {
    Err("This explorer was built without the feature programs: give the call's data as hex.".to_owned())
}

pub(crate) fn results(_: &str, _: &[u8]) -> Option<Vec<Returned>> {
    None
}

pub(crate) fn hash(_: &str) -> Option<[u8; 32]> {
    None
}

pub(crate) fn text(_: &[u8]) -> Option<String> {
    None
}
