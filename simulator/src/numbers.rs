//! Numbers, money and hashes as people read them.

use shared::ledger::Amount;

/// Enough of a hash to recognise it: its leading zeros and four more digits, at least eight in all.
pub(crate) fn short(hash: &str) -> &str {
    let zeros = hash.bytes().take_while(|digit| *digit == b'0').count();
    hash.get(..(zeros + 4).max(8)).unwrap_or(hash)
}

/// `1 block`, `2 blocks`.
pub(crate) fn plural(count: u64, thing: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{count} {thing}{s}")
}

/// Hashes per second, with two to five digits and a unit.
pub(crate) fn rate(per_second: u64) -> String {
    match per_second {
        0..10_000 => format!("{per_second} H/s"),
        10_000..10_000_000 => format!("{} kH/s", per_second / 1000),
        _ => format!("{} MH/s", per_second / 1_000_000),
    }
}

/// A time between blocks; negative if their miners' clocks differ.
pub(crate) fn span(ms: i64) -> String {
    if ms.abs() < 1000 { format!("{ms} ms") } else { format!("{:.1} s", ms as f64 / 1000.0) }
}

/// `1,234,567`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Grains as LAB: `1,234.50 LAB`.
pub(crate) fn lab(grains: u128) -> String {
    let in_one = u128::from(Amount::GRAINS_PER_LAB);
    let (whole, fraction) = (grains / in_one, grains % in_one);
    let whole = u64::try_from(whole).map_or_else(|_| whole.to_string(), grouped);
    if fraction == 0 {
        return format!("{whole} LAB");
    }
    let digits = format!("{fraction:08}");
    // At least two digits after the point, as in a price.
    let digits = digits.trim_end_matches('0');
    format!("{whole}.{digits:0<2} LAB")
}

/// Grains as LAB with two decimals, rounded down: `50.00 LAB`.
pub(crate) fn lab_in_short(grains: u128) -> String {
    let hundredth = u128::from(Amount::GRAINS_PER_LAB) / 100;
    let whole = grains / u128::from(Amount::GRAINS_PER_LAB);
    let whole = u64::try_from(whole).map_or_else(|_| whole.to_string(), grouped);
    format!("{whole}.{:02} LAB", grains / hundredth % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_to_read() {
        assert_eq!((grouped(7), grouped(1234), grouped(1_234_567)), ("7".into(), "1,234".into(), "1,234,567".into()));
        assert_eq!(
            (rate(999), rate(200_000), rate(24_000_000)),
            ("999 H/s".into(), "200 kH/s".into(), "24 MH/s".into())
        );
        for (grains, text) in [
            (0, "0 LAB"),
            (125_000_000, "1.25 LAB"),
            (350_000_000, "3.50 LAB"),
            (5_000_000_431, "50.00000431 LAB"),
            (190_000_000_000, "1,900 LAB"),
        ] {
            assert_eq!(lab(grains), text);
        }
        assert_eq!((lab_in_short(5_000_000_431), lab_in_short(199_999_999)), ("50.00 LAB".into(), "1.99 LAB".into()));
        assert_eq!(short("00000ab1234567890"), "00000ab12");
        assert_eq!(short("0ab1234567890"), "0ab12345");
    }
}
