//! Programs with the tools of others, on a network of real processes: Vyper compiles the examples to the bytes that lie
//! beside them, and web3.py and titanoboa use `user rpc` as they use any wallet of Ethereum.
//!
//! The tools come from PyPI; `.ci/run` installs them into `target/web3`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod clients;
mod examples;
#[path = "../common/harness.rs"]
mod harness;
mod killed;

use futures_util::FutureExt;
use harness::{NotRun, Test};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const TESTS: [Test; 4] = [
    Test { name: "the_examples_have_the_bytes_that_vyper_makes", run: || examples::compile_again().boxed_local() },
    Test { name: "web3_deploys_calls_and_reads", run: || clients::web3().boxed_local() },
    Test { name: "killed_services_replay_programs", run: || killed::replay().boxed_local() },
    Test { name: "titanoboa_reads_and_calls", run: || clients::titanoboa().boxed_local() },
];

fn main() -> ExitCode {
    harness::main(&TESTS, "runs real programs, and needs web3.py, Vyper and titanoboa; .ci/run runs it", Vec::new)
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The Python that `.ci/run` sets up.
fn python() -> Result<PathBuf, NotRun> {
    let python = root().join("target/web3/bin/python");
    if python.exists() {
        return Ok(python);
    }
    let hint = "target/web3 is missing; python3 -m venv target/web3 && target/web3/bin/python -m pip install \
                web3==8.0.0 vyper==0.4.3 titanoboa==0.2.8";
    Err(NotRun(hint.to_owned()))
}
