//! The program `simulator` as a process: however it is asked to end, it leaves no folder behind.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long the process may take to end.
const PATIENCE: Duration = Duration::from_secs(60);

fn start(temporary: &Path) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_simulator"));
    command.args(["--json", "--port", "0", "--no-explorer", "--hashrate", "1000"]).current_dir(temporary);
    command.env("TMPDIR", temporary).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    command.spawn().unwrap()
}

fn signal(child: &Child, name: &str) {
    // The shell's own kill, so that no unsafe code and no crate is needed.
    let sent = Command::new("sh").arg("-c").arg(format!("kill -{name} {}", child.id())).status();
    assert!(sent.unwrap().success());
}

#[test]
fn no_folder_is_left_behind_whichever_signal_ends_the_run() {
    for signals in [&["HUP"][..], &["TERM"], &["INT"], &["HUP", "HUP", "HUP"], &["TERM", "TERM"]] {
        let folder = tempfile::tempdir().unwrap();
        let mut child = start(folder.path());
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        assert!(line.contains("started"), "{line}");
        let left = || std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
        assert!(!left().is_empty(), "the run keeps its chains somewhere");
        let reader = std::thread::spawn(move || std::io::copy(&mut output, &mut std::io::sink()));
        for name in signals {
            signal(&child, name);
        }
        let began = Instant::now();
        while child.try_wait().unwrap().is_none() {
            if began.elapsed() > PATIENCE {
                child.kill().unwrap();
                panic!("the run does not end after {signals:?}");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        reader.join().unwrap().unwrap();
        assert_eq!(left(), Vec::<std::path::PathBuf>::new(), "after {signals:?}");
    }
}
