//! The program in a folder of its own, without settings from the environment.

use serde_json::Value;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;
use tempfile::TempDir;
use testkit::{UNUSED_ADDRESS, remove_settings, until};

/// The address of the seed alice (docs/protocol.md §6).
pub(crate) const ALICE: &str = "lab1qw3a092402y9t2zw3vrxdlgl3j6c3gvfm4zu09kmfz6rencp3cz6sj7943p";
/// The address of the seed bob.
pub(crate) const BOB: &str = "lab1qdku0nm2prxql6pavksy6ujdthfr3q4hxyh48vgx7hz7dnaryygnw7tvedv";

/// A working folder, and flags that every run gets.
pub(crate) struct Program {
    folder: TempDir,
    flags: Vec<String>,
}

/// The result of a run.
#[derive(Debug)]
pub(crate) struct RunOutput {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Program {
    /// The program with a tracker address that nothing listens on.
    pub(crate) fn without_services() -> Self {
        Self::with(&["-t", UNUSED_ADDRESS])
    }

    pub(crate) fn with(flags: &[&str]) -> Self {
        let flags = flags.iter().map(|flag| (*flag).to_owned()).collect();
        Self { folder: tempfile::tempdir().unwrap(), flags }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    pub(crate) fn run(&self, args: &[&str]) -> RunOutput {
        self.run_with_input(args, "")
    }

    pub(crate) fn run_with_input(&self, args: &[&str], input: &str) -> RunOutput {
        let mut command = Command::new(env!("CARGO_BIN_EXE_user"));
        command.args(args).args(&self.flags);
        finish(&mut command, self.folder.path(), input)
    }

    /// Runs the program with its standard output going to a file.
    pub(crate) fn run_into(&self, args: &[&str], file: File) -> RunOutput {
        let mut command = Command::new(env!("CARGO_BIN_EXE_user"));
        command.args(args).args(&self.flags).current_dir(self.folder.path()).stdin(Stdio::null()).stdout(file);
        remove_settings(&mut command);
        let output = command.stderr(Stdio::piped()).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        RunOutput { code: output.status.code().unwrap(), stdout: String::new(), stderr }
    }

    /// The JSON output of a run that must succeed.
    #[track_caller]
    pub(crate) fn json(&self, args: &[&str]) -> Value {
        let mut args = args.to_vec();
        args.push("--json");
        self.run(&args).json()
    }

    /// Runs a script in a shell.
    pub(crate) fn sh(&self, script: &str) -> RunOutput {
        let mut command = Command::new("sh");
        command.arg("-s");
        finish(&mut command, self.folder.path(), script)
    }
}

fn finish(command: &mut Command, folder: &Path, input: &str) -> RunOutput {
    remove_settings(command);
    let command = command.current_dir(folder).env("TMPDIR", folder);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A program that reads no input closes the pipe; that is not an error.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    RunOutput { code: output.status.code().unwrap(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// `user watch --json`, read line by line; it is killed when it is dropped.
pub(crate) struct Watcher {
    child: Child,
    lines: Receiver<String>,
}

impl Watcher {
    pub(crate) fn start(user: &Program) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_user"));
        command.args(["watch", "--json"]).args(&user.flags).current_dir(user.folder.path()).stdout(Stdio::piped());
        remove_settings(&mut command);
        let mut child = command.spawn().unwrap();
        let (line, lines) = channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|printed| line.send(printed)));
        Self { child, lines }
    }

    /// Does something again and again until an event of this name is printed.
    pub(crate) async fn reads(&mut self, event: &str, mut cause: impl AsyncFnMut()) {
        until(&format!("it prints {event}"), async || {
            cause().await;
            let printed = self.lines.recv_timeout(Duration::from_millis(200)).ok()?;
            printed.contains(&format!("\"event\":\"{event}\"")).then_some(())
        })
        .await;
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl RunOutput {
    /// Standard output of a run that must have succeeded.
    #[track_caller]
    pub(crate) fn ok(self) -> String {
        assert_eq!(self.code, 0, "{}{}", self.stdout, self.stderr);
        self.stdout
    }

    /// The JSON line of a run that must have succeeded.
    #[track_caller]
    pub(crate) fn json(self) -> Value {
        serde_json::from_str(&self.ok()).unwrap()
    }

    /// Standard error of a run that must have failed with `code` and an empty standard output.
    #[track_caller]
    pub(crate) fn expect_error(self, code: i32) -> String {
        assert_eq!(self.code, code, "{}{}", self.stdout, self.stderr);
        assert_eq!(self.stdout, "", "a failed run printed a result");
        self.stderr
    }

    /// The kind of error that a run with `--json` printed.
    #[track_caller]
    pub(crate) fn error_kind(self, code: i32) -> String {
        let error: Value = serde_json::from_str(&self.expect_error(code)).unwrap();
        assert!(!error["error"]["message"].as_str().unwrap().is_empty());
        error["error"]["kind"].as_str().unwrap().to_owned()
    }
}
