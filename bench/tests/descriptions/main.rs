//! The OpenAPI descriptions of all services tell the truth: schemathesis makes requests from them, valid and invalid
//! ones, to a real network, and finds nothing that the descriptions do not say.
//!
//! `schemathesis.toml` beside this file says which statuses no schema can predict, and why.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

#[path = "../common/harness.rs"]
mod harness;
mod network;

use futures_util::FutureExt;
use harness::{NotRun, Outcome, Test};
use network::{Network, TOKEN};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

/// Longest time for one service.
const MOST: Duration = Duration::from_secs(120);

const TESTS: [Test; 1] =
    [Test { name: "services_do_what_their_descriptions_say", run: || descriptions().boxed_local() }];

fn main() -> ExitCode {
    harness::main(&TESTS, "needs schemathesis, and takes minutes; .ci/run runs it", Vec::new)
}

/// The program that `.ci/run` sets up, or the one in the path.
fn schemathesis() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let own = root.join("target/schemathesis/bin/schemathesis");
    if own.exists() { own } else { PathBuf::from("schemathesis") }
}

async fn descriptions() -> Outcome {
    let program = schemathesis();
    let version = Command::new(&program).arg("--version").stdin(Stdio::null()).output();
    let version = version.ok().filter(|output| output.status.success()).ok_or_else(|| {
        NotRun("schemathesis is not installed; python3 -m pip install schemathesis==4.32.5".to_owned())
    })?;
    println!("  {}", String::from_utf8_lossy(&version.stdout).trim());
    let network = Network::start().await;
    let settings = format!("{}\n{}", include_str!("schemathesis.toml"), network.dictionaries().await);
    let mut wrong = Vec::new();
    for (name, address) in network.services() {
        // Only the node has a token.
        let token =
            if name == "node" { format!("[auth.openapi.token]\nbearer = \"{TOKEN}\"\n") } else { String::new() };
        let config = network.folder().join("schemathesis.toml");
        std::fs::write(&config, format!("{settings}\n{token}")).unwrap();
        let (began, report) = (Instant::now(), network.folder().join(format!("{name}.txt")));
        let file = std::fs::File::create(&report).unwrap();
        let mut run = Command::new(&program);
        run.current_dir(network.folder()).arg("--no-color").arg("--config-file").arg(&config);
        run.args(["run", "--checks", "all", &format!("http://{address}/openapi.json")]);
        let mut run = run.stdin(Stdio::null()).stderr(file.try_clone().unwrap()).stdout(file).spawn().unwrap();
        let status = loop {
            if let Some(status) = run.try_wait().unwrap() {
                break Some(status);
            }
            if began.elapsed() > MOST {
                run.kill().unwrap();
                run.wait().unwrap();
                break None;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        };
        let report = std::fs::read_to_string(&report).unwrap();
        let summary = report.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
        let cases = report.lines().find(|line| line.contains(" generated")).unwrap_or_default().trim();
        let (seconds, summary) = (began.elapsed().as_secs_f64(), summary.trim_matches(['=', ' ']));
        println!("  {name}: {seconds:.0} s, {cases}; {summary}");
        if !status.is_some_and(|status| status.success()) {
            println!("{report}");
            wrong.push(name);
        }
    }
    assert!(wrong.is_empty(), "see above: {}", wrong.join(", "));
    Ok(())
}
