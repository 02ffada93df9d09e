//! Random numbers from the operating system: the only place of this program that draws them.

use crate::Error;
use shared::keys::KeyPair;

/// So many random bytes.
pub(crate) fn bytes<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(Error::Random)?;
    Ok(bytes)
}

/// A number from 0 up to and without `bound`; 0 if that is 0.
pub(crate) fn below(bound: u64) -> Result<u64, Error> {
    let draw = u128::from(u64::from_be_bytes(bytes()?));
    // The upper half of the product is below the bound.
    Ok(((draw * u128::from(bound)) >> 64) as u64)
}

/// A key pair that nobody else has.
pub(crate) fn key_pair() -> Result<KeyPair, Error> {
    loop {
        // One draw in 2^32 is no key.
        if let Some(pair) = KeyPair::from_entropy(bytes()?) {
            return Ok(pair);
        }
    }
}
