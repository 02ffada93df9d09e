//! Arguments and results by the types of a signature.

use super::Returned;
use abi::Signature;
use shared::program::AccountId;

pub(crate) use abi::{hash, text};

/// Longest text of arguments in bytes.
const MAX_ARGUMENTS: usize = 2000;

/// The bytes that call a function with these arguments, one a line, or separated by commas on one line. `account` reads
/// an address that is not `0x` and hex.
///
/// # Errors
/// What is wrong, for people.
pub(crate) fn encode(
    signature: &str,
    arguments: &str,
    account: &dyn Fn(&str) -> Result<AccountId, String>,
) -> Result<Vec<u8>, String> {
    if arguments.len() > MAX_ARGUMENTS {
        return Err(format!("The arguments have more than {MAX_ARGUMENTS} bytes."));
    }
    let encoded = parse(signature).and_then(|signature| {
        let arguments = split(arguments, signature.arity());
        signature.encode(&arguments, account).map_err(|error| error.to_string())
    });
    encoded.map_err(|reason| format!("{reason}."))
}

/// What a call returned, if the signature names the types and the output has this form.
pub(crate) fn results(signature: &str, output: &[u8]) -> Option<Vec<Returned>> {
    let signature = parse(signature).ok().filter(Signature::has_results)?;
    let values = signature.decode(output)?;
    let kinds = signature.results().map(str::to_owned);
    Some(kinds.zip(values).map(|(kind, value)| Returned { kind, value }).collect())
}

fn parse(signature: &str) -> Result<Signature, String> {
    signature.trim().parse().map_err(|error: abi::BadArgument| error.to_string())
}

fn split(arguments: &str, count: usize) -> Vec<String> {
    let lines: Vec<_> = arguments.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let parts = match lines[..] {
        [line] if count > 1 => abi::split(line),
        _ => lines,
    };
    parts.into_iter().map(|part| unquoted(part).to_owned()).collect()
}

/// A text in quotation marks may be empty, or have commas.
fn unquoted(part: &str) -> &str {
    let inside = part.strip_prefix('"').and_then(|part| part.strip_suffix('"'));
    inside.filter(|inside| !inside.contains('"')).unwrap_or(part)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use shared::program::HexBytes;

    const BOB: AccountId = AccountId([0xb0; 20]);

    fn encoded(signature: &str, arguments: &str) -> Result<String, String> {
        let account = |text: &str| if text == "bob" { Ok(BOB) } else { Err("not a known name".to_owned()) };
        encode(signature, arguments, &account).map(|bytes| HexBytes(bytes).to_string())
    }

    #[test]
    fn arguments_stand_on_lines_of_their_own_or_between_commas() {
        let transfer = encoded("transfer(address,uint256)", "bob\n500").unwrap();
        assert_eq!(encoded(" transfer( address, uint ) ", "bob, 500"), Ok(transfer.clone()));
        assert_eq!(encoded("transfer(address,uint256)", &format!("{BOB}\n\n 500 \n")), Ok(transfer));
        assert_eq!(encoded("totalSupply()", ""), Ok("0x18160ddd".to_owned()));
        let lists = encoded("pay(address[],uint256[2],string)", "[bob, bob]\n[1, 2]\nfor lunch, and tea").unwrap();
        assert_eq!(encoded("pay(address[],uint256[2],string)", "[bob,bob],[1,2],\"for lunch, and tea\""), Ok(lists));
        assert_eq!(
            encoded("f(string)", "\"\""),
            encoded("f(string,string)", "\"\",\"\"").map(|_| {
                // The selector, the offset and the length 0.
                format!("{}{:064x}{:064x}", &encoded("f(string)", "a").unwrap()[..10], 32, 0)
            })
        );
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (signature, arguments, words) in [
            ("transfer", "", "no signature"),
            ("f(uint8)", "256", "a number of type uint8"),
            ("f(uint8)", "", "takes 1 arguments, not 0"),
            ("f(address)", "ben", "not a known name"),
            ("f(uint8[2])", "[1]", "expected 2 values"),
            ("f(string)", &"a".repeat(MAX_ARGUMENTS + 1), "more than 2000 bytes"),
        ] {
            let error = encoded(signature, arguments).unwrap_err();
            assert!(error.contains(words), "{signature} {arguments}: {error}");
        }
    }

    #[test]
    fn results_have_their_types() {
        let word = shared::program::Word::from(7).0;
        let one = |kind: &str, value| Some(vec![Returned { kind: kind.to_owned(), value }]);
        assert_eq!(results("balanceOf(address)(uint256)", &word), one("uint256", json!("7")));
        assert_eq!(results("f()(bool)", &shared::program::Word::from(1).0), one("bool", json!(true)));
        assert_eq!(results("balanceOf(address)", &word), None, "no types are named");
        assert_eq!(results("f()(string)", &word), None, "another form");
    }
}
