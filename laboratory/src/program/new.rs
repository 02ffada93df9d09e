//! `new`: a commented experiment to start from, or a live network that was frozen.

use super::args::NewArgs;
use super::freeze::freeze;
use super::{Ending, Usage};
use laboratory::scenario::EXAMPLE;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

pub(super) fn run(args: &NewArgs) -> anyhow::Result<Ending> {
    let Some(file) = &args.file else {
        std::io::stdout().write_all(EXAMPLE.as_bytes())?;
        return Ok(Ending::Good);
    };
    let name = file.display();
    match &args.from {
        None => {
            write_new(file, EXAMPLE)?;
            writeln!(std::io::stdout(), "{name} is written. Next: laboratory run {name}")?;
        }
        Some(from) => {
            let chain_file = file.with_extension("chain.jsonl");
            let chain_name = chain_file.file_name().unwrap_or_default().to_string_lossy();
            let frozen = freeze(from, &chain_name)?;
            write_new(&chain_file, &frozen.chain)?;
            write_new(file, &frozen.scenario)?;
            let chain = chain_file.display();
            writeln!(std::io::stdout(), "{name} and {chain} are written. Next: laboratory check {name}")?;
        }
    }
    Ok(Ending::Good)
}

fn write_new(file: &Path, text: &str) -> anyhow::Result<()> {
    let opened = OpenOptions::new().write(true).create_new(true).open(file);
    let mut opened = opened.map_err(|error| {
        let name = file.display();
        Usage(format!("{name}: {error}; choose a name that is free, in a folder that exists"))
    })?;
    Ok(opened.write_all(text.as_bytes())?)
}
