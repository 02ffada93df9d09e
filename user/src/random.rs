//! Random numbers from the operating system: the only place of this program that draws them.

use crate::Error;
use shared::keys::KeyPair;

/// `N` random bytes.
pub(crate) fn bytes<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(Error::Random)?;
    Ok(bytes)
}

/// A number below `bound`; 0 if `bound` is 0.
pub(crate) fn below(bound: u64) -> Result<u64, Error> {
    let draw = u128::from(u64::from_be_bytes(bytes()?));
    // The upper 64 bits of the product are below the bound.
    Ok(((draw * u128::from(bound)) >> 64) as u64)
}

/// A new random key pair.
pub(crate) fn key_pair() -> Result<KeyPair, Error> {
    loop {
        // About one draw in 2^32 is not a valid key.
        if let Some(pair) = KeyPair::from_entropy(bytes()?) {
            return Ok(pair);
        }
    }
}
