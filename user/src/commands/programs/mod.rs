//! Commands about programs (docs/protocol.md §15), on networks of layer `program`: `deploy` and `call` send
//! transactions, `read` and `run` keep nothing, the others show what is there.

pub mod assembly;
pub mod inspect;
pub mod read;
pub mod send;

use crate::Error;
use crate::address_arg::account;
use abi::Signature;
use runtime::text_file;
use shared::ledger::Address;
use shared::program::{AccountId, HexBytes};
use std::path::Path;
use std::str::FromStr;

/// A program on the command line: its address, or 0x and the 40 digits of its account.
#[derive(Debug, Clone)]
pub(super) struct ProgramArg(pub(super) Address);

impl FromStr for ProgramArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.starts_with("0x") {
            let account: AccountId = text.to_ascii_lowercase().parse().map_err(|error| format!("{error}"))?;
            return Ok(Self(Address::of_program(account)));
        }
        let address: Address = text.parse().map_err(|error| format!("{error}"))?;
        if address.is_key() {
            Err("this is the address of a key, not of a program".to_owned())
        } else {
            Ok(Self(address))
        }
    }
}

/// What a program is called with: bytes, or a function with arguments.
#[derive(Debug, clap::Args)]
pub(super) struct InputArgs {
    /// What it is called with: a signature such as "transfer(address,uint256)", or 0x and hex
    #[arg(value_name = "SIGNATURE OR DATA", default_value = "0x")]
    input: InputArg,
    /// The arguments of the signature; an address may be lab1…, 0x… or the seed of a key
    #[arg(value_name = "ARGUMENT", allow_negative_numbers = true)]
    arguments: Vec<String>,
}

#[derive(Debug, Clone)]
enum InputArg {
    Data(HexBytes),
    Signature(Box<Signature>),
}

impl FromStr for InputArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.starts_with("0x") {
            return hex(text).map(Self::Data);
        }
        text.parse().map(|signature| Self::Signature(Box::new(signature))).map_err(|error| format!("{error}"))
    }
}

impl InputArgs {
    /// The bytes, and the signature if there is one.
    pub(super) fn encode(self) -> Result<(HexBytes, Option<Signature>), Error> {
        match self.input {
            InputArg::Data(_) if !self.arguments.is_empty() => {
                Err(Error::Usage("arguments need a signature, such as \"transfer(address,uint256)\"".to_owned()))
            }
            InputArg::Data(data) => Ok((data, None)),
            InputArg::Signature(signature) => {
                let data =
                    signature.encode(&self.arguments, &account).map_err(|error| Error::Usage(error.to_string()))?;
                Ok((HexBytes(data), Some(*signature)))
            }
        }
    }
}

/// Bytes on the command line.
pub(super) fn hex(text: &str) -> Result<HexBytes, String> {
    text.to_ascii_lowercase().parse().map_err(|error| format!("{error}"))
}

/// Bytes of a file to read at most: code as text takes a fraction of this.
const MAX_BYTES: u64 = 1 << 20;

/// The text of a file or, if its name is `-`, of standard input.
fn text_of(path: &Path) -> Result<String, Error> {
    let read = if path == Path::new("-") {
        text_file::read_from(std::io::stdin(), MAX_BYTES)
    } else {
        text_file::read(path, MAX_BYTES)
    };
    read.map_err(|source| Error::File { action: "read", path: path.to_owned(), source })
}

/// Hex from a file or, if it is `-`, from standard input; white space and a missing `0x` do not matter.
pub(super) fn hex_file(path: &Path) -> Result<HexBytes, Error> {
    let text = text_of(path)?;
    let digits: String = text.split_whitespace().collect();
    let digits = digits.trim_start_matches("0x");
    let how = match path.extension().and_then(|extension| extension.to_str()) {
        Some("vy") => "; `vyper` compiles it to hex",
        Some("asm") => "; `user asm --deploy` makes hex of it",
        _ => "",
    };
    hex(&format!("0x{digits}")).map_err(|error| Error::Usage(format!("{}: {error}{how}", path.display())))
}
