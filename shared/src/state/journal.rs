//! Undoes a block: the old value of each key that it wrote.

use super::Writes;

/// The old values of the keys that a block wrote; `None` if the key had no value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Journal(pub Writes);

/// The stored bytes are not a journal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a journal")]
pub struct MalformedJournal;

impl Journal {
    /// The stored form, one entry after another:
    ///
    /// ```text
    /// key length (4 bytes, big-endian) | key | 0                                  there was no value
    /// key length (4 bytes, big-endian) | key | 1 | value length (4 bytes) | value
    /// ```
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let put = |bytes: &mut Vec<u8>, part: &[u8]| {
            // Keys and values are cut from blocks of at most 2^25 bytes.
            bytes.extend((part.len() as u32).to_be_bytes());
            bytes.extend(part);
        };
        for (key, value) in &self.0 {
            put(&mut bytes, key);
            bytes.push(u8::from(value.is_some()));
            if let Some(value) = value {
                put(&mut bytes, value);
            }
        }
        bytes
    }

    /// Reads the stored form back.
    ///
    /// # Errors
    /// If the bytes end early or a mark is neither 0 nor 1.
    pub fn from_bytes(mut bytes: &[u8]) -> Result<Self, MalformedJournal> {
        fn take<'a>(bytes: &mut &'a [u8], length: usize) -> Result<&'a [u8], MalformedJournal> {
            let (part, rest) = bytes.split_at_checked(length).ok_or(MalformedJournal)?;
            *bytes = rest;
            Ok(part)
        }
        fn take_part<'a>(bytes: &mut &'a [u8]) -> Result<&'a [u8], MalformedJournal> {
            let length = take(bytes, 4)?.try_into().map_err(|_| MalformedJournal)?;
            take(bytes, u32::from_be_bytes(length) as usize)
        }
        let mut old = Writes::new();
        while !bytes.is_empty() {
            let key = take_part(&mut bytes)?.into();
            let value = match take(&mut bytes, 1)? {
                [0] => None,
                [1] => Some(take_part(&mut bytes)?.into()),
                _ => return Err(MalformedJournal),
            };
            old.insert(key, value);
        }
        Ok(Self(old))
    }
}
