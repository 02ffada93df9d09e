//! Points in time as the protocol writes them: RFC 3339 in UTC, exactly 24 ASCII bytes (docs/protocol.md §1).
//!
//! Only a value: the current time is always an argument.

use crate::json::{deserialize_from_text, serialize_as_ascii};
use chrono::{DateTime, Datelike, NaiveDate, Timelike};
use std::fmt;
use std::str::FromStr;

const MS_PER_DAY: u64 = 24 * 60 * 60 * 1000;

/// Milliseconds since 1970-01-01T00:00:00.000Z.
///
/// # Invariants
/// Lies in the years 1970 to 9999, so its text is always 24 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, utoipa::ToSchema)]
#[schema(
    value_type = String,
    pattern = "^(19[7-9]|[2-9][0-9]{2})[0-9]-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])\
               T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9][.][0-9]{3}Z$",
    example = "2026-11-21T03:29:00.123Z"
)]
pub struct Timestamp(u64);

/// The text is not a timestamp in the protocol's spelling.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a time like 2026-11-21T03:29:00.123Z (UTC, 24 characters, years 1970 to 9999, seconds 00 to 59)")]
pub struct NotATimestamp;

impl Timestamp {
    /// 1970-01-01T00:00:00.000Z.
    pub const EPOCH: Self = Self(0);
    /// 9999-12-31T23:59:59.999Z.
    pub const MAX: Self = Self(253_402_300_799_999);

    /// The time `ms` milliseconds after 1970, if it is within the bounds.
    pub const fn new(ms: u64) -> Option<Self> {
        if ms <= Self::MAX.0 { Some(Self(ms)) } else { None }
    }

    /// The time `ms` milliseconds after 1970; later times than the year 9999 become [`Timestamp::MAX`].
    pub const fn from_ms(ms: u64) -> Self {
        if ms > Self::MAX.0 { Self::MAX } else { Self(ms) }
    }

    /// Milliseconds since 1970.
    pub const fn as_ms(self) -> u64 {
        self.0
    }

    /// The time `ms` milliseconds later, at most [`Timestamp::MAX`].
    pub const fn plus_ms(self, ms: u64) -> Self {
        Self::from_ms(self.0.saturating_add(ms))
    }

    /// Milliseconds from `earlier` to this time; negative if `earlier` is the later one.
    pub const fn ms_since(self, earlier: Self) -> i64 {
        // Both are below 2^48, so neither the conversions nor the difference can overflow.
        self.0 as i64 - earlier.0 as i64
    }

    /// The 24 ASCII characters.
    pub(crate) fn text(self) -> [u8; 24] {
        // The invariant keeps the date within chrono's range; the fallback is never reached.
        let time = DateTime::from_timestamp_millis(self.0 as i64).unwrap_or_default().naive_utc();
        let mut text = *b"0000-00-00T00:00:00.000Z";
        put_digits(&mut text[0..4], time.year().unsigned_abs());
        put_digits(&mut text[5..7], time.month());
        put_digits(&mut text[8..10], time.day());
        put_digits(&mut text[11..13], time.hour());
        put_digits(&mut text[14..16], time.minute());
        put_digits(&mut text[17..19], time.second());
        put_digits(&mut text[20..23], time.nanosecond() / 1_000_000);
        text
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(std::str::from_utf8(&self.text()).map_err(|_| fmt::Error)?)
    }
}

impl FromStr for Timestamp {
    type Err = NotATimestamp;

    fn from_str(text: &str) -> Result<Self, NotATimestamp> {
        parse(text.as_bytes()).ok_or(NotATimestamp)
    }
}

serialize_as_ascii!(Timestamp, text);
deserialize_from_text!(Timestamp, "a time like 2026-11-21T03:29:00.123Z");

fn parse(text: &[u8]) -> Option<Timestamp> {
    let [year @ .., b'-', m0, m1, b'-', d0, d1, b'T', h0, h1, b':', n0, n1, b':', s0, s1, b'.', f0, f1, f2, b'Z'] =
        text
    else {
        return None;
    };
    if year.len() != 4 {
        return None;
    }
    let date = NaiveDate::from_ymd_opt(digits(year)? as i32, digits(&[*m0, *m1])?, digits(&[*d0, *d1])?)?;
    let (hour, minute, second) = (digits(&[*h0, *h1])?, digits(&[*n0, *n1])?, digits(&[*s0, *s1])?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let days = u64::try_from(date.signed_duration_since(NaiveDate::default()).num_days()).ok()?;
    let seconds = u64::from(hour * 3600 + minute * 60 + second);
    Some(Timestamp(days * MS_PER_DAY + seconds * 1000 + u64::from(digits(&[*f0, *f1, *f2])?)))
}

fn digits(text: &[u8]) -> Option<u32> {
    text.iter().try_fold(0, |number, digit| digit.is_ascii_digit().then(|| number * 10 + u32::from(digit - b'0')))
}

fn put_digits(place: &mut [u8], mut number: u32) {
    for digit in place.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_spelling_is_read_and_written_back() {
        for (text, ms) in [
            ("1970-01-01T00:00:00.000Z", 0),
            ("2000-02-29T12:34:56.789Z", 951_827_696_789),
            ("2026-11-21T03:29:00.123Z", 1_795_231_740_123),
            ("9999-12-31T23:59:59.999Z", Timestamp::MAX.as_ms()),
        ] {
            assert_eq!(text.parse::<Timestamp>().map(Timestamp::as_ms), Ok(ms), "{text}");
            assert_eq!(Timestamp::from_ms(ms).to_string(), text);
        }
    }

    #[test]
    fn other_spellings_and_impossible_times_are_refused() {
        for wrong in [
            "2026-11-21T03:29:00.123z",
            "2026-11-21 03:29:00.123Z",
            "2026-11-21T03:29:00Z",
            "2026-11-21T03:29:00.1234Z",
            "2026-11-21T03:29:00.123+00:00",
            "2026-11-21T03:29:60.123Z",
            "2026-11-21T24:00:00.000Z",
            "2026-02-29T00:00:00.000Z",
            "1969-12-31T23:59:59.999Z",
            "+026-11-21T03:29:00.123Z",
            "12026-11-21T03:29:00.12Z",
            "２026-11-21T03:29:00.1Z",
            "",
        ] {
            assert_eq!(wrong.parse::<Timestamp>(), Err(NotATimestamp), "{wrong:?}");
        }
    }
}
