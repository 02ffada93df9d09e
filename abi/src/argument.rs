//! Arguments as people write them, read by their types.

use alloy_dyn_abi::{DynSolType, DynSolValue};
use shared::program::AccountId;

/// How deep lists may be nested in an argument.
const MAX_DEPTH: usize = 8;

/// Reads an address that is not `0x` and an account: the account, or what is wrong with the text.
pub type ReadAccount<'a> = dyn Fn(&str) -> Result<AccountId, String> + 'a;

/// Reads an argument.
pub(crate) fn value(
    kind: &DynSolType,
    text: &str,
    read: &ReadAccount<'_>,
    depth: usize,
) -> Result<DynSolValue, String> {
    let inner = |kind: &DynSolType, text: &str| value(kind, text, read, depth + 1);
    if depth > MAX_DEPTH {
        return Err("lists are nested too deeply".to_owned());
    }
    match kind {
        DynSolType::Address => account(text, read).map(|account| DynSolValue::Address(account.0.into())),
        DynSolType::Array(of) => {
            let values = list(text, '[', ']')?.into_iter().map(|text| inner(of, text)).collect::<Result<_, _>>()?;
            Ok(DynSolValue::Array(values))
        }
        DynSolType::FixedArray(of, length) => {
            let parts = list(text, '[', ']')?;
            if parts.len() != *length {
                return Err(format!("expected {length} values in the list, got {}", parts.len()));
            }
            let values = parts.into_iter().map(|text| inner(of, text)).collect::<Result<_, _>>()?;
            Ok(DynSolValue::FixedArray(values))
        }
        DynSolType::Tuple(kinds) => {
            let parts = list(text, '(', ')')?;
            if parts.len() != kinds.len() {
                return Err(format!("expected {} values in parentheses, got {}", kinds.len(), parts.len()));
            }
            let values = kinds.iter().zip(parts).map(|(kind, text)| inner(kind, text)).collect::<Result<_, _>>()?;
            Ok(DynSolValue::Tuple(values))
        }
        DynSolType::String if depth > 0 => {
            let unquoted = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
            Ok(DynSolValue::String(unquoted.unwrap_or(text).to_owned()))
        }
        DynSolType::String => Ok(DynSolValue::String(text.to_owned())),
        kind => kind.coerce_str(text).map_err(|_| format!("expected {}", words(kind))),
    }
}

fn words(kind: &DynSolType) -> String {
    let name = kind.sol_type_name();
    match kind {
        DynSolType::Uint(_) => format!("a number of type {name}, such as 500"),
        DynSolType::Int(_) => format!("a number of type {name}, such as -5"),
        DynSolType::Bool => "true or false".to_owned(),
        DynSolType::Bytes => "bytes, as 0x and hex".to_owned(),
        DynSolType::FixedBytes(length) => format!("{length} bytes, as 0x and hex"),
        _ => format!("a value of type {name}"),
    }
}

/// An account: `0x` and 40 digits, or what the caller can read.
fn account(text: &str, read: &ReadAccount<'_>) -> Result<AccountId, String> {
    if text.starts_with("0x") {
        return text.to_ascii_lowercase().parse().map_err(|error| format!("{error}"));
    }
    read(text)
}

/// The parts of `[a,b]` or `(a,b)`.
fn list(text: &str, open: char, close: char) -> Result<Vec<&str>, String> {
    let text = text.trim();
    let inside = text.strip_prefix(open).and_then(|text| text.strip_suffix(close));
    let inside = inside.ok_or_else(|| format!("expected values between {open} and {close}"))?;
    Ok(if inside.trim().is_empty() { Vec::new() } else { split(inside) })
}

/// The parts of `a,b`; commas inside of brackets, parentheses and quotation marks separate nothing.
pub fn split(inside: &str) -> Vec<&str> {
    let (mut parts, mut start, mut depth, mut is_quoted) = (Vec::new(), 0, 0_i32, false);
    for (place, c) in inside.char_indices() {
        match c {
            '"' => is_quoted = !is_quoted,
            '[' | '(' if !is_quoted => depth += 1,
            ']' | ')' if !is_quoted => depth -= 1,
            ',' if !is_quoted && depth == 0 => {
                parts.push(inside[start..place].trim());
                start = place + 1;
            }
            _ => {}
        }
    }
    parts.push(inside[start..].trim());
    parts
}
