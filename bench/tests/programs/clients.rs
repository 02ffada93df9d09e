//! Clients of Ethereum at `user rpc`, while blocks are found.

use crate::harness::Outcome;
use crate::{python, root};
use shared::keys::KeyPair;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use testkit::ProcessNetwork;
use testkit::{DEADLINE, client, free_port, until_ok};

/// Time between two blocks.
const INTERVAL: Duration = Duration::from_millis(200);
/// Longest time for a script.
const MOST: Duration = Duration::from_secs(120);

/// A network with programs, and a wallet with alice's key.
struct Network {
    lab: ProcessNetwork,
    wallet: Child,
    url: String,
}

impl Network {
    async fn start(name: &str) -> Self {
        let alice = KeyPair::from_seed("alice").address();
        let settings = [("NETWORK__LAYER", "program"), ("NODE__MINE", "false")];
        let lab = ProcessNetwork::start(name, 1, &alice, &settings).await;
        lab.mine(1).await;
        let port = free_port();
        let port_text = port.to_string();
        let mut command = lab.user(&["rpc", "-s", "alice", "--port", &port_text]);
        let wallet = command.stdout(Stdio::null()).spawn().unwrap();
        let address = format!("127.0.0.1:{port}");
        until_ok("the wallet answers", DEADLINE, async || {
            client().info(&address).await.map_err(|error| error.to_string())
        })
        .await;
        Self { lab, wallet, url: format!("http://{address}") }
    }

    /// Runs a script of Python while blocks are found, and returns what it printed.
    async fn run(&self, python: &Path, script: &Path, args: &[&str]) -> String {
        let output = self.lab.folder().join("output");
        let file = std::fs::File::create(&output).unwrap();
        // -B: no bytecode files beside the sources.
        let mut script = Command::new(python)
            .arg("-B")
            .arg(script)
            .args(args)
            .current_dir(self.lab.folder())
            .env("HOME", self.lab.folder())
            .stdin(Stdio::null())
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            .spawn()
            .unwrap();
        let began = Instant::now();
        let status = loop {
            if let Some(status) = script.try_wait().unwrap() {
                break Some(status);
            }
            if began.elapsed() > MOST {
                script.kill().unwrap();
                script.wait().unwrap();
                break None;
            }
            self.lab.mine(1).await;
            tokio::time::sleep(INTERVAL).await;
        };
        let printed = std::fs::read_to_string(&output).unwrap();
        assert!(status.is_some_and(|status| status.success()), "{status:?}: {printed}");
        printed
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.wallet.kill();
        let _ = self.wallet.wait();
    }
}

/// Deploys a token and pays with it, by the example that the documentation shows; returns its account, too.
async fn deploy(network: &Network, python: &Path) -> String {
    let script = root().join("docs/examples/programs/web3_token.py");
    let printed = network.run(python, &script, &[&network.url]).await;
    assert!(printed.contains("refused: execution reverted: too few tokens"), "{printed}");
    let address = printed.lines().find_map(|line| line.strip_prefix("Lunch is at "));
    address.unwrap_or_else(|| panic!("{printed}")).to_owned()
}

pub(crate) async fn web3() -> Outcome {
    let python = python()?;
    let network = Network::start("web3").await;
    let account = deploy(&network, &python).await;
    let bob = format!("0x{}0", "b0b".repeat(13));
    let read = network.lab.user_ok(&["read", &account, "balanceOf(address)(uint256)", &bob]);
    assert!(read.contains("returns 300"), "{read}");
    Ok(())
}

pub(crate) async fn titanoboa() -> Outcome {
    let python = python()?;
    let network = Network::start("titanoboa").await;
    let account = deploy(&network, &python).await;
    let folder = root();
    let (script, source) = (folder.join("bench/tests/programs/titanoboa.py"), "docs/examples/programs/token.vy");
    let source = folder.join(source);
    let printed = network.run(&python, &script, &[&network.url, source.to_str().unwrap(), &account]).await;
    assert!(printed.contains("titanoboa paid 25"), "{printed}");
    Ok(())
}
