//! `user asm` and `user disasm`: code in words and in hex. Neither asks a service.

use super::{hex_file, text_of};
use crate::Error;
use crate::console::{Console, Output, Style};
use serde::Serialize;
use shared::program::{HexBytes, assemble, disassemble};
use std::path::PathBuf;

/// Turn instructions into hex
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Instructions have Ethereum's names. PUSH without a size takes the shortest; `name:` marks a place, `@name` is it:
  start: JUMPDEST PUSH0 SLOAD PUSH 1 ADD PUSH0 SSTORE PUSH @start JUMP   ; a comment")]
pub struct AsmArgs {
    /// File with instructions, or - for standard input
    file: PathBuf,
    /// Print the init code that deploys it, for `user deploy`
    #[arg(long)]
    deploy: bool,
}

/// Turn hex into instructions
#[derive(Debug, clap::Args)]
pub struct DisasmArgs {
    /// File with hex, or - for standard input
    file: PathBuf,
}

#[derive(Debug, Serialize)]
struct Code {
    code: HexBytes,
}

impl Output for Code {
    fn text(&self, _: Style) -> String {
        self.code.to_string()
    }
}

#[derive(Debug, Serialize)]
struct Listing {
    instructions: Vec<Line>,
}

#[derive(Debug, Serialize)]
struct Line {
    pc: usize,
    instruction: String,
}

impl Output for Listing {
    fn text(&self, _: Style) -> String {
        let line = |Line { pc, instruction }: &Line| format!("{pc:04x}  {instruction}");
        self.instructions.iter().map(line).collect::<Vec<_>>().join("\n")
    }
}

/// # Errors
/// Fails if the file cannot be read, or has something that is no instruction.
pub fn asm(args: AsmArgs, console: &mut Console) -> Result<(), Error> {
    let text = text_of(&args.file)?;
    let code = assemble(&text).map_err(|error| Error::Usage(format!("{}: {error}", args.file.display())))?;
    let code = if args.deploy { deploying(&code)? } else { code };
    console.print(&Code { code: HexBytes(code) })
}

/// # Errors
/// Fails if the file cannot be read, or is no hex.
pub fn disasm(args: DisasmArgs, console: &mut Console) -> Result<(), Error> {
    let code = hex_file(&args.file)?;
    let line = |one: shared::program::Instruction| Line { pc: one.pc, instruction: one.to_string() };
    console.print(&Listing { instructions: disassemble(&code.0).into_iter().map(line).collect() })
}

/// Init code that returns `code`.
fn deploying(code: &[u8]) -> Result<Vec<u8>, Error> {
    let length = u16::try_from(code.len());
    let length = length.map_err(|_| Error::Usage("the code is too long to be deployed".to_owned()))?;
    let prefix = assemble(&format!("PUSH2 {length} DUP1 PUSH1 10 PUSH0 CODECOPY PUSH0 RETURN"));
    let prefix = prefix.map_err(|error| Error::Usage(error.to_string()))?;
    Ok([prefix, code.to_vec()].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_follows_what_copies_it() {
        let init = deploying(&[1, 2, 3]).unwrap();
        assert_eq!(init, [0x61, 0, 3, 0x80, 0x60, 10, 0x5f, 0x39, 0x5f, 0xf3, 1, 2, 3]);
        assert!(deploying(&[0; 70_000]).is_err());
    }
}
