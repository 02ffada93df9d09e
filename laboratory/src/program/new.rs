//! `new`: a commented experiment to start from.

use super::args::NewArgs;
use super::{Ending, Usage};
use laboratory::scenario::EXAMPLE;
use std::fs::OpenOptions;
use std::io::Write;

pub(super) fn run(args: &NewArgs) -> anyhow::Result<Ending> {
    let Some(file) = &args.file else {
        std::io::stdout().write_all(EXAMPLE.as_bytes())?;
        return Ok(Ending::Good);
    };
    let name = file.display();
    let mut opened = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(file)
        .map_err(|error| Usage(format!("{name}: {error}; choose a name that is free, in a folder that exists")))?;
    opened.write_all(EXAMPLE.as_bytes())?;
    writeln!(std::io::stdout(), "{name} is written. Next: laboratory run {name}")?;
    Ok(Ending::Good)
}
