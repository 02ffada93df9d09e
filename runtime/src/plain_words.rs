//! What texts mean as numbers and truth values, and what is wrong with a value, in words for people: the texts of
//! Rust's parsers name types such as `u16`, and do not say what was expected.

use serde_json::Value;

/// The number of a text, which may have a unit as in `50k`, and underscores as in `50_000`.
pub fn number(text: &str) -> Option<u64> {
    let text = text.trim();
    let (digits, unit) = match text.char_indices().last()? {
        (end, 'k' | 'K') => (&text[..end], 1_000),
        (end, 'M') => (&text[..end], 1_000_000),
        (end, 'G') => (&text[..end], 1_000_000_000),
        _ => (text, 1),
    };
    let (whole, fraction) = digits.trim_end().split_once('.').unwrap_or((digits.trim_end(), ""));
    let is_number = whole.starts_with(|c: char| c.is_ascii_digit());
    if !is_number || digits.trim_end().ends_with('.') {
        return None;
    }
    let parse = |text: &str| text.replace('_', "").parse::<u64>().ok();
    let whole = parse(whole)?.checked_mul(unit)?;
    if fraction.is_empty() {
        return Some(whole);
    }
    // With its unit, a fraction must make a whole number: 1.5k is 1500, but 1.5 is refused.
    let places = 10_u64.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let part = parse(fraction)?.checked_mul(unit)?;
    (part % places == 0).then_some(whole.checked_add(part / places)?)
}

/// The truth value of a text.
pub fn truth(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Some(true),
        "false" | "no" | "off" | "0" => Some(false),
        _ => None,
    }
}

/// What is wrong with `value`, given the parser's `reason`. A secret is not repeated.
pub fn explain(reason: &str, value: Option<&Value>, is_secret: bool) -> String {
    let is_mismatch =
        ["invalid type: ", "invalid value: ", "unknown variant "].iter().any(|start| reason.starts_with(start));
    let Some((found, expected)) = reason.rsplit_once(", expected ").filter(|_| is_mismatch) else {
        return parser(reason);
    };
    // Where the parser stopped is of no use beside the name of the field.
    let expected = expected.split(" at line ").next().unwrap_or_default();
    let is_digits = |text: &str| text.len() > 18 && text.bytes().all(|c| c.is_ascii_digit());
    let expected = match expected {
        "u64" | "usize" | "i64" if value.and_then(Value::as_str).is_some_and(is_digits) => "a smaller number",
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" => "a whole number from 0 to 4294967295",
        "u64" | "u128" | "usize" | "i64" => "a whole number of 0 or more",
        "a string" | "string" => "text in quotes",
        "a boolean" => "true or false",
        "a sequence" => "a list in brackets",
        other => other,
    };
    let expected = expected.replace('`', "");
    let got = match value {
        Some(value) => value.to_string(),
        None => {
            let found = found.trim_start_matches("invalid type: ").trim_start_matches("invalid value: ");
            let kinds = ["integer ", "string ", "boolean ", "floating point ", "unknown variant ", "character "];
            let found = kinds.iter().fold(found, |found, kind| found.strip_prefix(kind).unwrap_or(found));
            found.replace('`', "")
        }
    };
    if is_secret { format!("expected {expected}") } else { format!("expected {expected}, got {got}") }
}

/// The text of one of Rust's parsers in plain words; any other text stays as it is.
pub fn parser(text: &str) -> String {
    if let Some(words) = number_error(text) {
        return words.to_owned();
    }
    if ["invalid type: ", "invalid value: ", "unknown variant "].iter().any(|start| text.starts_with(start))
        && text.contains(", expected ")
    {
        return explain(text, None, false);
    }
    let (what, place) = match text.split_once(" at line ") {
        Some((what, place)) => (what, format!(" (line {})", place.replace(" column", ", column"))),
        None => (text, String::new()),
    };
    if what.starts_with("EOF while parsing") {
        return "the JSON is incomplete: it ends too early".to_owned();
    }
    if what == "trailing characters" {
        return format!("there is more text after the end of the JSON{place}");
    }
    let is_syntax = [
        "expected `",
        "expected value",
        "expected ident",
        "key must be a string",
        "control character",
        "invalid escape",
        "invalid number",
        "invalid unicode",
        "lone leading surrogate",
        "unexpected end of hex escape",
        "trailing comma",
    ]
    .iter()
    .any(|start| what.starts_with(start));
    if is_syntax { format!("it is not JSON{place}") } else { text.to_owned() }
}

/// What a text of Rust's number parsers means.
fn number_error(text: &str) -> Option<&'static str> {
    Some(match text {
        "invalid digit found in string" => "expected a whole number",
        "cannot parse integer from empty string" => "expected a whole number, got nothing",
        "number too large to fit in target type" => "the number is too large",
        "number too small to fit in target type" => "the number is too small",
        "invalid float literal" => "expected a number",
        "cannot parse float from empty string" => "expected a number, got nothing",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_may_have_units_and_underscores() {
        for (text, expected) in [
            ("0", Some(0)),
            ("50k", Some(50_000)),
            ("50K", Some(50_000)),
            (" 2 M ", Some(2_000_000)),
            ("1.5k", Some(1500)),
            ("3G", Some(3_000_000_000)),
            ("50_000", Some(50_000)),
            ("18446744073709551615", Some(u64::MAX)),
            ("18446744073709551616", None),
            ("18446744073709551615k", None),
            ("1.5", None),
            ("1.k", None),
            ("-1", None),
            ("k", None),
            ("_1", None),
            ("", None),
            ("5 kB", None),
            ("many", None),
        ] {
            assert_eq!(number(text), expected, "{text:?}");
        }
    }

    #[test]
    fn truth_values_are_taken_as_people_write_them() {
        for text in ["true", "True", "yes", "YES", "on", "1", " true "] {
            assert_eq!(truth(text), Some(true), "{text:?}");
        }
        for text in ["false", "False", "no", "off", "0"] {
            assert_eq!(truth(text), Some(false), "{text:?}");
        }
        assert_eq!((truth("2"), truth("maybe"), truth("")), (None, None, None));
    }

    #[test]
    fn a_parsers_words_become_plain_ones() {
        for (reason, value, expected) in [
            (
                "invalid type: string \"many\", expected u16",
                json!("many"),
                "expected a whole number from 0 to 65535, got \"many\"",
            ),
            (
                "invalid value: integer `70000`, expected u16",
                json!(70000),
                "expected a whole number from 0 to 65535, got 70000",
            ),
            (
                "invalid type: string \"99999999999999999999\", expected u64",
                json!("99999999999999999999"),
                "expected a smaller number, got \"99999999999999999999\"",
            ),
            (
                "unknown variant `x`, expected `data` or `transaction`",
                json!("x"),
                "expected data or transaction, got \"x\"",
            ),
            ("retarget_window is 1: at least 2", json!(1), "retarget_window is 1: at least 2"),
        ] {
            assert_eq!(explain(reason, Some(&value), false), expected);
        }
        let hidden = explain("invalid type: integer `42`, expected a string", Some(&json!(42)), true);
        assert_eq!(hidden, "expected text in quotes");
    }

    #[test]
    fn texts_of_json_become_plain_ones() {
        let text = |json: &str| parser(&serde_json::from_str::<u16>(json).unwrap_err().to_string());
        assert_eq!(text(""), "the JSON is incomplete: it ends too early");
        assert_eq!(text("x"), "it is not JSON (line 1, column 1)");
        assert_eq!(text("1 2"), "there is more text after the end of the JSON (line 1, column 3)");
        assert_eq!(text("-1"), "expected a whole number from 0 to 65535, got -1");
        assert_eq!(text("\"a\""), "expected a whole number from 0 to 65535, got \"a\"");
        for words in ["missing field `id`", "the checksum does not match"] {
            assert_eq!(parser(words), words);
        }
    }
}
