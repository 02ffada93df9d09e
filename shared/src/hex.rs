//! Lower-case hexadecimal, the only spelling in hashed texts (docs/protocol.md §1).
//!
//! Kept apart from the types that use it so that "lower case only" has one home.

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Writes `bytes` as hex into `out`, which must be exactly twice as long.
pub(crate) fn encode_into(bytes: &[u8], out: &mut [u8]) {
    debug_assert_eq!(out.len(), bytes.len() * 2);
    for (pair, byte) in out.chunks_exact_mut(2).zip(bytes) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
}

/// The hex of `bytes`.
pub(crate) fn encode(bytes: &[u8]) -> String {
    let mut digits = vec![0; bytes.len() * 2];
    encode_into(bytes, &mut digits);
    // Digits are ASCII.
    String::from_utf8(digits).unwrap_or_default()
}

/// Reads lower-case digits, two a byte; anything else is `None`.
pub(crate) fn decode_any(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let mut all = 0;
    let bytes = pairs.iter().map(|pair| {
        let [high, low] = pair.map(|digit| VALUES[usize::from(digit)]);
        all |= high | low;
        high << 4 | low & 15
    });
    let bytes = bytes.collect();
    (rest.is_empty() && all < 16).then_some(bytes)
}

/// The value of each character as a digit; [`NO_DIGIT`] for the others.
const VALUES: [u8; 256] = {
    let mut values = [NO_DIGIT; 256];
    let mut value = 0;
    while value < 16 {
        values[DIGITS[value] as usize] = value as u8;
        value += 1;
    }
    values
};
const NO_DIGIT: u8 = 0xff;

/// Reads exactly `2 * N` lower-case digits; anything else is `None`.
pub(crate) fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    let text = text.as_bytes();
    if text.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    // One check at the end: nearly all input is well-formed hashes.
    let mut all = 0;
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        let (high, low) = (VALUES[usize::from(pair[0])], VALUES[usize::from(pair[1])]);
        all |= high | low;
        *byte = high << 4 | low & 15;
    }
    (all < 16).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lower_case_of_the_right_length_is_hex() {
        assert_eq!(decode::<2>("00ff"), Some([0, 255]));
        for wrong in ["00FF", "0xff", "00f", "00fff", " 0ff", "+0ff", "0_ff", ""] {
            assert_eq!(decode::<2>(wrong), None, "{wrong:?}");
        }
    }
}
