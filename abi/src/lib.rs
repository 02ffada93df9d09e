//! Functions of programs as people write them: a signature and typed arguments (Ethereum's contract ABI).
//!
//! ```text
//! transfer(address,uint256)           what a call needs
//! balanceOf(address)(uint256)         with the types of what it returns
//! constructor(string,uint256)         for `user deploy`
//! ```
//!
//! An address is written as `0x` and an account, or as the caller of this crate reads it.

mod argument;
mod output;

pub use argument::{ReadAccount, split};
pub use output::{text, value_text};

use alloy_dyn_abi::{DynSolValue, FunctionExt, JsonAbiExt, Specifier};
use alloy_json_abi::{Event, Function};
use argument::value;
use output::{MAX_DECODED, most_decoded, to_json};
use runtime::sanitize;
use serde_json::Value;
use std::str::FromStr;

/// Longest signature in bytes.
const MAX_SIGNATURE: usize = 1000;

/// The name, argument types and, if they were given, result types of a function.
#[derive(Debug, Clone)]
pub struct Signature {
    function: Function,
    is_constructor: bool,
}

/// Why a signature or an argument is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadArgument(String);

impl FromStr for Signature {
    type Err = BadArgument;

    fn from_str(text: &str) -> Result<Self, BadArgument> {
        let refuse = |reason: &str| {
            let example = "expected a signature such as \"transfer(address,uint256)\", or with what it returns \
                           \"balanceOf(address)(uint256)\"";
            BadArgument(format!("{}: {reason}; {example}", sanitize::quoted(text)))
        };
        if text.len() > MAX_SIGNATURE {
            return Err(refuse("too long"));
        }
        let rest = text.strip_prefix("constructor").filter(|rest| rest.trim_start().starts_with('('));
        // The parser knows functions only, and `constructor` is no name of one.
        let spelled = rest.map_or(text.to_owned(), |rest| format!("c{rest}"));
        let function = Function::parse(&spelled).map_err(|_| refuse("this is no signature"))?;
        for param in function.inputs.iter().chain(&function.outputs) {
            param.resolve().map_err(|_| refuse(&format!("{} is no type", sanitize::line(&param.ty))))?;
        }
        Ok(Self { function, is_constructor: rest.is_some() })
    }
}

impl Signature {
    /// Whether the types of what the function returns are known.
    pub fn has_results(&self) -> bool {
        !self.function.outputs.is_empty()
    }

    /// The types of what the function returns, as far as they are known.
    pub fn results(&self) -> impl Iterator<Item = &str> {
        self.function.outputs.iter().map(|param| param.ty.as_str())
    }

    /// How many arguments it takes.
    pub fn arity(&self) -> usize {
        self.function.inputs.len()
    }

    /// What a program is called with.
    ///
    /// # Errors
    /// If there are too few or too many arguments, or one has not the type that the signature names.
    pub fn encode(&self, args: &[String], account: &ReadAccount<'_>) -> Result<Vec<u8>, BadArgument> {
        if self.is_constructor {
            return Err(BadArgument("a constructor runs once, when a program is deployed; name a function".to_owned()));
        }
        let values = self.values(args, account)?;
        self.function.abi_encode_input(&values).map_err(|error| BadArgument(error.to_string()))
    }

    /// What follows the init code of a program whose constructor takes these arguments.
    ///
    /// # Errors
    /// As [`Signature::encode`], and if it is the signature of a function.
    pub fn encode_constructor(&self, args: &[String], account: &ReadAccount<'_>) -> Result<Vec<u8>, BadArgument> {
        if !self.is_constructor {
            let name = &self.function.name;
            return Err(BadArgument(format!(
                "deployments call no function; write constructor(…) instead of {name}(…)"
            )));
        }
        let values = self.values(args, account)?;
        self.function.abi_encode_input_raw(&values).map_err(|error| BadArgument(error.to_string()))
    }

    /// The arguments by their types.
    fn values(&self, args: &[String], account: &ReadAccount<'_>) -> Result<Vec<DynSolValue>, BadArgument> {
        let Self { function, .. } = self;
        let (name, wanted) = (self.name(), function.inputs.len());
        if args.len() != wanted {
            return Err(BadArgument(format!("{name} takes {wanted} arguments, not {}", args.len())));
        }
        let mut values = Vec::with_capacity(wanted);
        for (number, (param, text)) in (1..).zip(function.inputs.iter().zip(args)) {
            let kind = param.resolve().map_err(|error| BadArgument(error.to_string()))?;
            let value = value(&kind, text, account, 0);
            values.push(value.map_err(|reason| {
                BadArgument(format!("argument {number} of {name}, {}: {reason}", sanitize::quoted(text)))
            })?);
        }
        Ok(values)
    }

    /// What a call returned, by the types of the signature; `None` if the output has another form, or could spell more
    /// than about a million values.
    pub fn decode(&self, output: &[u8]) -> Option<Vec<Value>> {
        let words = (output.len() / 32) as u64;
        let mut most = 0_u64;
        for param in &self.function.outputs {
            most = most.saturating_add(most_decoded(&param.resolve().ok()?, words));
        }
        if most > MAX_DECODED {
            return None;
        }
        let values = self.function.abi_decode_output(output).ok()?;
        Some(values.iter().map(to_json).collect())
    }

    fn name(&self) -> &str {
        if self.is_constructor { "constructor" } else { &self.function.name }
    }
}

/// Keccak-256 of a signature: for an event the first topic of its logs; for a function, the first 4 bytes name it in
/// calls. `None` if this is no signature.
pub fn hash(signature: &str) -> Option<[u8; 32]> {
    Event::parse(signature).ok().map(|event| event.selector().0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use shared::keys::KeyPair;
    use shared::ledger::Address;
    use shared::program::{AccountId, HexBytes};

    const ALICE: &str = "9d50e3d8b7b255be3f3ced454b8dcb6e2276e61b";

    /// As `user` reads them: an address, or the seed of a key.
    fn account(text: &str) -> Result<AccountId, String> {
        if text.starts_with("lab1") {
            return text.parse().map(|address: Address| address.account()).map_err(|error| error.to_string());
        }
        Ok(KeyPair::from_seed(text).address().account())
    }

    fn encoded(signature: &str, args: &[&str]) -> Result<String, String> {
        let args: Vec<_> = args.iter().map(|arg| (*arg).to_owned()).collect();
        let signature: Signature = signature.parse().map_err(|error: BadArgument| error.to_string())?;
        let bytes = if signature.is_constructor {
            signature.encode_constructor(&args, &account)
        } else {
            signature.encode(&args, &account)
        };
        let bytes = bytes.map_err(|error| error.to_string())?;
        Ok(HexBytes(bytes).to_string())
    }

    fn word(digits: &str) -> String {
        format!("{digits:0>64}")
    }

    #[test]
    fn an_address_may_be_a_seed_an_address_or_an_account() {
        let expected = format!("0xa9059cbb{}{}", word(ALICE), word("1f4"));
        let address = "lab1qw3a092402y9t2zw3vrxdlgl3j6c3gvfm4zu09kmfz6rencp3cz6sj7943p";
        for text in ["alice", address, &format!("0x{ALICE}"), &format!("0x{}", ALICE.to_uppercase())] {
            assert_eq!(encoded("transfer(address,uint256)", &[text, "500"]).as_ref(), Ok(&expected), "{text}");
        }
        assert_eq!(encoded("transfer(address to, uint256 amount)", &["alice", "0x1f4"]), Ok(expected));
    }

    #[test]
    fn lists_tuples_texts_and_constructors_are_encoded() {
        let args = ["[alice, bob]", "(\"a, b\", true)", "[0xabcd]"];
        let bytes = encoded("f(address[],(string,bool),bytes2[1])", &args).unwrap();
        assert!(bytes.contains(ALICE) && bytes.contains("612c2062") && bytes.contains("abcd00"), "{bytes}");
        let constructor = encoded("constructor(uint8,int8)", &["7", "-1"]).unwrap();
        assert_eq!(constructor, format!("0x{}{}", word("7"), "f".repeat(64)));
        assert_eq!(encoded("f(uint256[])", &["[]"]).unwrap().len(), 2 + 8 + 128);
    }

    #[test]
    fn wrong_signatures_and_arguments_are_refused_in_words() {
        for (signature, args, words) in [
            ("transfer", &[][..], "no signature"),
            ("f(adress)", &["alice"], "adress is no type"),
            ("f(", &[], "no signature"),
            ("f(uint256)", &[], "takes 1 arguments, not 0"),
            ("f(uint256)", &["1", "2"], "takes 1 arguments, not 2"),
            ("f(uint8)", &["256"], "a number of type uint8"),
            ("f(uint256)", &["-1"], "a number of type uint256"),
            ("f(uint256)", &["five"], "argument 1 of f, \"five\""),
            ("f(address)", &["0x12"], "40"),
            ("f(address)", &["lab1x"], "63 characters"),
            ("f(bool)", &["perhaps"], "true or false"),
            ("f(bytes)", &["0xabc"], "bytes"),
            ("f(uint256[2])", &["[1]"], "expected 2 values"),
            ("f((uint256,bool))", &["[1,true]"], "between ( and )"),
        ] {
            let error = encoded(signature, args).expect_err(signature);
            assert!(error.contains(words), "{signature} {args:?}: {error}");
        }
        assert!(encoded(&format!("f({})", "uint256,".repeat(200)), &[]).unwrap_err().contains("too long"));
        let deep = format!("f(uint256{})", "[]".repeat(20));
        assert!(encoded(&deep, &[&format!("{}{}", "[".repeat(20), "]".repeat(20))]).is_err());
    }

    #[test]
    fn results_are_decoded_by_their_types() {
        let signature: Signature = "balanceOf(address)(uint256)".parse().unwrap();
        assert!(signature.has_results());
        assert_eq!(signature.decode(&shared::program::Word::from(500).0), Some(vec![json!("500")]));
        assert_eq!(signature.decode(&[0; 31]), None);
        assert!(!"f()".parse::<Signature>().unwrap().has_results());
        let several: Signature = "f()(address,bool,bytes2,string)".parse().unwrap();
        let bytes = encoded("constructor(address,bool,bytes2,string)", &["alice", "true", "0xabcd", "\u{1b}[31m"]);
        let bytes: HexBytes = bytes.unwrap().parse().unwrap();
        let values = several.decode(&bytes.0).unwrap();
        assert_eq!(values[..3], [json!(format!("0x{ALICE}")), json!(true), json!("0xabcd")]);
        assert!(!value_text(&values[3]).contains('\u{1b}'));
    }

    #[test]
    fn an_output_that_would_fill_the_memory_is_not_decoded() {
        // Lists in lists that all have the same words: 200 words would be 8 million values.
        let bomb: Signature = "f()(uint256[][][])".parse().unwrap();
        assert_eq!(bomb.decode(&[0; 200 * 32]), None);
        for huge in ["f()(uint256[999999999])", "f()(string[100][999999999])"] {
            assert_eq!(huge.parse::<Signature>().unwrap().decode(&[0; 64]), None, "{huge}");
        }
        let list: Signature = "f()(uint256[])".parse().unwrap();
        let bytes: HexBytes = encoded("constructor(uint256[])", &["[1, 2]"]).unwrap().parse().unwrap();
        assert_eq!(list.decode(&bytes.0), Some(vec![json!(["1", "2"])]));
        let long = [&[0; 31][..], &[32; 1], &[0; 30], &[0x10, 0], &[0; 32 * 0x1000]].concat();
        let decoded = list.decode(&long).unwrap();
        assert_eq!(decoded[0].as_array().map(Vec::len), Some(0x1000));
    }

    #[test]
    fn signatures_have_the_hashes_that_erc_20_names() {
        let hash = |signature: &str| hash(signature).map(|hash| HexBytes(hash.to_vec()).to_string());
        let transfer = hash("Transfer(address,address,uint256)");
        assert_eq!(transfer.unwrap(), "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef");
        assert_eq!(hash("transfer(address,uint256)").unwrap()[..10], *"0xa9059cbb");
        assert_eq!(hash("transfer"), None);
    }

    #[test]
    fn an_output_that_is_one_text_is_read_as_one() {
        let output: HexBytes = encoded("constructor(string)", &["Token"]).unwrap().parse().unwrap();
        assert_eq!(text(&output.0).as_deref(), Some("Token"));
        for length in 0..output.0.len() {
            assert_eq!(text(&output.0[..length]), None, "{length}");
        }
        assert_eq!(text(&shared::program::Word::from(5).0), None);
    }
}
