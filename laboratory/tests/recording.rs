//! Follows "watch a run of real nodes" of docs/laboratory.md: the recording is made, and the explorer shows it.

#![allow(clippy::unwrap_used)] // helpers of tests: this is how they fail

use laboratory::recording::Recording;
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(60);

fn section() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let page = fs::read_to_string(root.join("docs/laboratory.md")).unwrap();
    let (_, section) = page.split_once("### Watch a run of real nodes").unwrap();
    section.split_once("\n### ").unwrap().0.to_owned()
}

fn code<'a>(section: &'a str, language: &str) -> &'a str {
    let (_, code) = section.split_once(&format!("```{language}\n")).unwrap();
    code.split_once("```").unwrap().0
}

/// Ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The answer to a GET request, once somebody listens.
fn get(port: u16, path: &str) -> String {
    let began = Instant::now();
    loop {
        if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) {
            write!(stream, "GET {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nconnection: close\r\n\r\n").unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            return answer;
        }
        assert!(began.elapsed() < PATIENCE, "the explorer does not listen");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn program(name: &str) -> PathBuf {
    let program = Path::new(env!("CARGO_BIN_EXE_laboratory")).with_file_name(name);
    assert!(program.exists(), "{} is missing; run all tests of the workspace", program.display());
    program
}

#[test]
fn the_explorer_shows_what_the_laboratory_has_recorded() {
    let (folder, section) = (tempfile::tempdir().unwrap(), section());
    fs::write(folder.path().join("cut.toml"), code(&section, "toml")).unwrap();
    let [record, show] = code(&section, "sh").lines().collect::<Vec<_>>()[..] else { panic!("two commands") };
    let arguments = record.strip_prefix("laboratory ").unwrap().split(' ');
    let recorded = Command::new(env!("CARGO_BIN_EXE_laboratory")).current_dir(folder.path()).args(arguments).output();
    assert!(recorded.as_ref().unwrap().status.success(), "{recorded:?}");
    let recording = Recording::read(&fs::read_to_string(folder.path().join("cut.jsonl")).unwrap()).unwrap();
    assert_eq!(recording.head.nodes.len(), 8);
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let explorer = Command::new(program("explorer"))
        .current_dir(folder.path())
        .args(show.strip_prefix("explorer ").unwrap().split(' '))
        .args(["--port", &port.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let _running = Running(explorer.unwrap());
    let page = get(port, "/?t=1e9");
    assert!(page.contains("All 8 nodes have it") && page.contains("Eight nodes, cut in two halves"), "{page}");
    assert!(page.contains(">Split ") && page.contains(">Healed "), "{page}");
    assert!(get(port, "/").contains("8 nodes are mining the first block"));
}

#[test]
fn what_is_no_recording_is_refused_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("no.jsonl"), "title = \"a scenario\"\n").unwrap();
    for file in ["no.jsonl", "missing.jsonl"] {
        let output = Command::new(program("explorer")).args(["--recording", file]).current_dir(folder.path()).output();
        let output = output.unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && said.contains(&format!("cannot show the recording {file}")), "{said}");
    }
}
