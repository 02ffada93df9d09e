//! Parses the command line. Errors about numbers are in words of their own, because those of Rust's number parsers,
//! which clap passes on, do not say what was expected.

use crate::plain_words;
use clap::Parser;
use clap::error::{ContextKind, ErrorKind};
use std::error::Error as _;

/// Parses the arguments of this process; on an error, or for `--help` and `--version`, prints and ends.
pub fn parse<A: Parser>() -> A {
    try_parse().unwrap_or_else(|error| error.exit())
}

/// Parses the arguments of this process.
///
/// # Errors
/// The first wrong argument, or the texts of `--help` and `--version`.
pub fn try_parse<A: Parser>() -> Result<A, clap::Error> {
    try_parse_from(std::env::args_os())
}

/// [`try_parse`] with the arguments of the caller, the program's name first.
///
/// # Errors
/// As [`try_parse`].
pub fn try_parse_from<A: Parser>(
    args: impl IntoIterator<Item = impl Into<std::ffi::OsString> + Clone>,
) -> Result<A, clap::Error> {
    A::try_parse_from(args).map_err(in_plain_words)
}

fn in_plain_words(error: clap::Error) -> clap::Error {
    if error.kind() != ErrorKind::ValueValidation {
        return error;
    }
    let context = |kind| error.get(kind).map(ToString::to_string);
    let (Some(arg), Some(value)) = (context(ContextKind::InvalidArg), context(ContextKind::InvalidValue)) else {
        return error;
    };
    let Some(reason) = error.source().and_then(|source| plain_reason(&source.to_string())) else { return error };
    let message = format!("invalid value '{value}' for '{arg}': {reason}\n\nFor more information, try '--help'.\n");
    clap::Error::raw(ErrorKind::ValueValidation, message)
}

/// What a text of Rust's parsers means; `None` for any other text.
fn plain_reason(reason: &str) -> Option<String> {
    if let Some((_, range)) = reason.split_once(" is not in ") {
        let (from, to) = range.split_once("..")?;
        let to = to.trim_start_matches('=');
        // Without an upper bound, clap names the largest number of the type.
        let has_bound = !["", "18446744073709551615", "4294967295"].contains(&to);
        return Some(if has_bound {
            format!("expected a whole number from {from} to {to}")
        } else {
            format!("expected a whole number of at least {from}")
        });
    }
    let plain = plain_words::parser(reason);
    (plain != reason).then_some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Parser)]
    struct Args {
        #[arg(long)]
        port: Option<u16>,
        #[arg(long, value_parser = clap::value_parser!(u64).range(1..=1000))]
        blocks: Option<u64>,
        #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
        wait: Option<u64>,
        #[arg(long, value_parser = |text: &str| if text == "a" { Ok(()) } else { Err("expected a") })]
        own: Option<()>,
    }

    #[test]
    fn wrong_numbers_are_refused_in_plain_words() {
        for (args, expected) in [
            (["x", "--port", "many"], "'many' for '--port <PORT>': expected a whole number"),
            (["x", "--port", ""], "expected a whole number, got nothing"),
            (["x", "--port", "70000"], "expected a whole number from 0 to 65535"),
            (["x", "--blocks", "1001"], "expected a whole number from 1 to 1000"),
            (["x", "--blocks", "99999999999999999999999"], "the number is too large"),
            (["x", "--wait", "0"], "expected a whole number of at least 1"),
            (["x", "--own", "b"], "expected a"),
        ] {
            let error = try_parse_from::<Args>(args).unwrap_err();
            let text = error.to_string();
            assert!(text.starts_with("error: invalid value") && text.contains(expected), "{args:?}: {text}");
            assert!(!text.contains("..") && !text.contains("string") && error.exit_code() == 2, "{args:?}: {text}");
        }
        let args: Args = try_parse_from(["x", "--port", "1"]).unwrap();
        assert!((args.port, args.blocks, args.wait, args.own) == (Some(1), None, None, None));
        assert!(try_parse_from::<Args>(["x", "--help"]).unwrap_err().to_string().contains("--port"));
    }
}
