//! A program as a process whose log the test reads: the address it listens at comes from its log.

use crate::http::client;
use crate::process::signal;
use crate::until::until;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A running program; it is killed when it is dropped.
#[derive(Debug)]
pub struct LoggedProcess {
    child: Child,
    /// `host:port`.
    pub address: String,
    log: Arc<Mutex<String>>,
}

/// How a process ended.
#[derive(Debug)]
pub struct Ended {
    /// Its exit status.
    pub status: ExitStatus,
    /// Time from the signal to the end.
    pub took: Duration,
    /// Its whole log.
    pub log: String,
}

impl LoggedProcess {
    /// Starts the program `name` and waits until it has logged "`name` listens" and answers.
    pub async fn start(command: &mut Command, name: &str) -> Self {
        let command = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let child = command.spawn().unwrap();
        let mut process = Self { child, address: String::new(), log: Arc::default() };
        let stderr = process.child.stderr.take().unwrap();
        let log = Arc::clone(&process.log);
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                log.lock().unwrap().push_str(&(line + "\n"));
            }
        });
        let listens = format!("{name} listens");
        process.address = until(&format!("the {name} listens"), async || {
            if let Some(status) = process.child.try_wait().unwrap() {
                panic!("the {name} ended with {status}: {}", process.log());
            }
            let log = process.log();
            let line = log.lines().find(|line| line.contains(&listens))?;
            Some(line.split("address=").nth(1)?.split_whitespace().next()?.to_owned())
        })
        .await;
        until(&format!("the {name} answers"), async || client().info(&process.address).await.ok()).await;
        process
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.address.rsplit(':').next().unwrap().parse().unwrap()
    }

    /// What it has written to standard error so far.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Sends a signal, such as `STOP`.
    pub fn signal(&self, name: &str) {
        signal(&self.child, name);
    }

    /// Kills it with SIGKILL, as a power failure would.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to end with SIGTERM, and waits until it has ended.
    pub async fn terminate(mut self) -> Ended {
        let began = Instant::now();
        self.signal("TERM");
        let status = until("the process ends", async || self.child.try_wait().unwrap()).await;
        Ended { status, took: began.elapsed(), log: self.log() }
    }
}

impl Drop for LoggedProcess {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
