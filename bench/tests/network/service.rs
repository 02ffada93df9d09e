//! The programs as processes with a port and a folder, which can be killed and started again where they were.

use runtime::client::Client;
use shared::chain::Tip;
use shared::wire::Info;
use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

/// How long a state may be waited for that comes at once on an idle machine.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);
/// Lines of a log that are shown when a test fails.
const LOG_LINES: usize = 25;

/// Ports below those that systems hand out by themselves, each given to one service once.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    loop {
        let spread = u16::try_from(std::process::id() % 100).unwrap() * 100;
        let port = 11_000 + (spread + NEXT.fetch_add(1, Ordering::Relaxed)) % 20_000;
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// Asks again and again until there is an answer; gives up with the last reason why there was none.
pub(crate) async fn until<T>(what: &str, within: Duration, mut ask: impl AsyncFnMut() -> Result<T, String>) -> T {
    let began = Instant::now();
    loop {
        match ask().await {
            Ok(answer) => return answer,
            Err(reason) if began.elapsed() > within => panic!("not within {within:?}: {what}; {reason}"),
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

/// A program of the workspace, in `folder`, with what it is told by the environment; that of the test is not passed on.
pub(crate) fn program(name: &str, folder: &Path, settings: &[(String, String)]) -> Command {
    let own = std::env::current_exe().unwrap();
    // The test is in deps/, the programs are beside that.
    let path = own.ancestors().nth(2).unwrap().join(name);
    assert!(path.exists(), "{} is not there; run cargo build --workspace first", path.display());
    let mut command = Command::new(path);
    command.current_dir(folder).stdin(Stdio::null());
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("CHAINLAB") || name == "RUST_LOG" {
            command.env_remove(name);
        }
    }
    command.envs(settings.iter().map(|(key, value)| (format!("CHAINLAB__{key}"), value)));
    command
}

/// Runs a command to its end, which must come soon; what it tells must fit into a pipe.
#[track_caller]
pub(crate) fn finish(command: &mut Command) -> Output {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let began = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if began.elapsed() > DEADLINE {
            child.kill().unwrap();
            panic!("{command:?} has not ended within {DEADLINE:?}: {:?}", child.wait_with_output().unwrap());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    child.wait_with_output().unwrap()
}

pub(crate) fn client() -> Client {
    Client::new(None, None).unwrap()
}

/// A service on a port of its own, running or not; it is killed when it is dropped.
pub(crate) struct Service {
    name: &'static str,
    pub(crate) address: String,
    command: Command,
    log: PathBuf,
    child: Option<Child>,
}

impl Service {
    /// One that has never run.
    pub(crate) fn new(name: &'static str, folder: &Path, settings: &[(String, String)], args: &[&str]) -> Self {
        Self::on_port(free_port(), name, folder, settings, args)
    }

    /// The same as another one, but for its flags: at its address, once that has ended.
    pub(crate) fn on_port(
        port: u16,
        name: &'static str,
        folder: &Path,
        settings: &[(String, String)],
        args: &[&str],
    ) -> Self {
        let mut command = program(name, folder, settings);
        command.args(["--port", &port.to_string()]).args(args);
        let log = folder.join(format!("{name}-{port}.log"));
        Self { name, address: format!("127.0.0.1:{port}"), command, log, child: None }
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.rsplit(':').next().unwrap().parse().unwrap()
    }

    /// Starts it, and waits until it answers.
    pub(crate) async fn start(&mut self) {
        let mut log = OpenOptions::new();
        let log = log.create(true).append(true).open(&self.log).unwrap();
        self.child = Some(self.command.stdout(Stdio::null()).stderr(log).spawn().unwrap());
        until(&format!("{} at {} answers", self.name, self.address), DEADLINE, async || {
            if let Some(status) = self.child.as_mut().and_then(|child| child.try_wait().unwrap()) {
                panic!("{} ended with {status}", self.name);
            }
            match client().info(&self.address).await {
                Ok(info) if info.service == self.name => Ok(()),
                Ok(info) => panic!("{} is a {}, not a {}", self.address, info.service, self.name),
                Err(error) => Err(error.to_string()),
            }
        })
        .await;
    }

    /// As if the power went: nothing gets a chance to be put in order.
    pub(crate) fn kill(&mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Asks it to end, and waits until it has.
    pub(crate) async fn terminate(&mut self) {
        let mut child = self.child.take().unwrap();
        // The shell's own kill, so that no unsafe code and no crate is needed.
        let sent = Command::new("sh").arg("-c").arg(format!("kill -TERM {}", child.id())).status();
        assert!(sent.unwrap().success());
        let status = until(&format!("{} ends", self.name), DEADLINE, async || {
            child.try_wait().unwrap().ok_or_else(|| "it still runs".to_owned())
        })
        .await;
        assert!(status.success());
    }

    pub(crate) async fn info(&self) -> Info {
        client().info(&self.address).await.unwrap()
    }

    /// The best block of a node, or the one that a mempool stands on.
    pub(crate) async fn tip(&self) -> Tip {
        self.info().await.tip.unwrap()
    }

    /// Waits until it has this height at least.
    pub(crate) async fn reaches(&self, height: u64) -> Tip {
        until(&format!("{} at {} has block {height}", self.name, self.address), DEADLINE, async || {
            let tip = self.tip().await;
            if tip.index.0 >= height { Ok(tip) } else { Err(format!("it has {}", tip.index)) }
        })
        .await
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended already.
            let _ = child.kill();
            let _ = child.wait();
        }
        if std::thread::panicking() {
            let log = std::fs::read_to_string(&self.log).unwrap_or_default();
            let lines: Vec<_> = log.lines().collect();
            let last = &lines[lines.len().saturating_sub(LOG_LINES)..];
            eprintln!("-- the last lines of {}:\n{}", self.log.display(), last.join("\n"));
        }
    }
}
