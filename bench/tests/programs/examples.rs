//! Compiles docs/examples/programs/*.vy again.

use crate::harness::Outcome;
use crate::{python, root};
use std::process::Command;
use testkit::finish;
use testkit::succeeded;

/// Prints the init code of the file in its argument.
const COMPILE: &str = "import sys, vyper, pathlib; \
    print(vyper.compile_code(pathlib.Path(sys.argv[1]).read_text(), output_formats=['bytecode'])['bytecode'])";

pub(crate) async fn compile_again() -> Outcome {
    let python = python()?;
    let mut sources: Vec<_> = std::fs::read_dir(root().join("docs/examples/programs")).unwrap().collect();
    sources.retain(|entry| entry.as_ref().unwrap().path().extension().is_some_and(|extension| extension == "vy"));
    assert!(sources.len() >= 6, "{sources:?}");
    for source in sources {
        let path = source.unwrap().path();
        let compiled = finish(Command::new(&python).args(["-c", COMPILE]).arg(&path));
        let compiled = succeeded(&compiled, &path.display().to_string());
        let ours = std::fs::read_to_string(path.with_extension("hex")).unwrap();
        assert_eq!(ours.trim(), compiled.trim(), "{} has other bytes beside it", path.display());
    }
    Ok(())
}
