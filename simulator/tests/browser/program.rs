//! The real program, as a newcomer starts it, on free ports and with blocks that come quickly. It ends with the test.

use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How long the program may take to end when it is asked to.
const PATIENCE: Duration = Duration::from_secs(20);

/// The program; dropping it ends it.
pub(crate) struct Program {
    child: Child,
    /// `host:port` of the explorer.
    pub(crate) explorer: String,
    /// The address of a member, to be paid.
    pub(crate) member: String,
}

impl Program {
    pub(crate) fn start() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_simulator"))
            .args(["--port", "0", "--interval", "1000", "--hashrate", "5000", "--json"])
            .current_dir(std::env::temp_dir())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let started = lines.by_ref().map_while(Result::ok).find_map(|line| {
            let event: Value = serde_json::from_str(&line).unwrap();
            (event["event"] == "started").then_some(event)
        });
        // Unread output would block the program.
        thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        let Some(started) = started else {
            let _ = child.kill();
            panic!("the program ended without a start: {:?}", child.wait());
        };
        let url = started["explorer"].as_str().unwrap();
        let explorer = url.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let member = started["members"][0]["address"].as_str().unwrap().to_owned();
        Self { child, explorer, member }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // A program that is asked to end removes its folder.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let began = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) && began.elapsed() < PATIENCE {
            thread::sleep(Duration::from_millis(50));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
