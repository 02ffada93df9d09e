//! The tour's way from nothing to a payment, with the program `user`.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::str::FromStr;
use std::sync::mpsc::{Receiver, channel};
use testkit::{DEADLINE, finish, program, until_ok};
use testkit::{ProcessNetwork, succeeded};

/// The rest of the line that begins with a word.
#[track_caller]
fn after<'a>(printed: &'a str, word: &str) -> &'a str {
    let line = printed.lines().find_map(|line| line.strip_prefix(word));
    line.unwrap_or_else(|| panic!("no line begins with {word:?}: {printed}")).trim()
}

/// The balance of one address, in LAB, from `user balance`.
#[track_caller]
fn balance(lab: &ProcessNetwork, args: &[&str]) -> String {
    let printed = lab.user_ok(&[&["balance"], args].concat());
    let mut lines = printed.lines();
    let words: Vec<_> = lines.next().unwrap().split_whitespace().collect();
    assert!(words.len() == 3 && words[2] == "LAB" && lines.next().unwrap().starts_with("as of block "), "{printed}");
    words[1].to_owned()
}

/// A running command, read line by line; it is killed when it is dropped.
struct RunningCommand {
    child: Child,
    lines: Receiver<String>,
}

impl RunningCommand {
    fn by(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let (line, lines) = channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|printed| line.send(printed)));
        Self { child, lines }
    }

    /// Waits for the next line.
    #[track_caller]
    fn next(&self) -> String {
        self.lines.recv_timeout(DEADLINE).unwrap_or_else(|error| panic!("no more output: {error}"))
    }
}

impl Drop for RunningCommand {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Two key files, made by `user new` before there is a network.
struct Wallets {
    folder: tempfile::TempDir,
    ada: String,
    ben: String,
}

impl Wallets {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let make = |file: &str| {
            let user = |args: &[&str]| succeeded(&finish(program("user", folder.path(), &[]).args(args)), file);
            let address = after(&user(&["new", "-o", file]), "address:").to_owned();
            assert_eq!(user(&["address", "-f", file]).trim(), address);
            address
        };
        let (ada, ben) = (make("ada.pem"), make("ben.pem"));
        Self { folder, ada, ben }
    }

    fn file(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }
}

async fn start(name: &str, wallets: &Wallets) -> ProcessNetwork {
    // Nodes mine only on request, so that every balance is known.
    let miner = shared::ledger::Address::from_str(&wallets.ada).unwrap();
    ProcessNetwork::start(name, 1, &miner, &[("NODE__MINE", "false")]).await
}

#[tokio::test]
async fn ada_mines_and_pays_ben_as_the_readme_says() {
    let wallets = Wallets::new();
    let (ada, ben) = (wallets.file("ada.pem"), wallets.file("ben.pem"));
    let lab = start("readme", &wallets).await;
    lab.user_ok(&["mine", "2"]);
    lab.mempool.reaches(2).await;
    assert_eq!(balance(&lab, &["-f", &ada]), "100");

    let pay = ["send", "12.5", &wallets.ben, "-f", &ada, "-M", "for lunch", "--wait", "2"];
    let mut send = RunningCommand::by(lab.user(&pay));
    assert!(send.next().starts_with("sent 12.5 LAB to "));
    let id = after(&send.next(), "id:").to_owned();
    assert_eq!(send.next(), format!("next: user confirmations {id}"));
    for (confirmations, status) in [(0, "pending"), (1, "1 of 2 confirmations"), (2, "2 of 2 confirmations")] {
        if confirmations > 0 {
            lab.mine(1).await;
        }
        assert_eq!(send.next(), status);
        assert_eq!(lab.user_ok(&["confirmations", &id]).trim(), confirmations.to_string());
        for (asked, expected) in [("0", true), ("1", confirmations >= 1), ("2", confirmations >= 2), ("3", false)] {
            let expected = if expected { "12.5" } else { "0" };
            assert_eq!(balance(&lab, &["-f", &ben, "-c", asked]), expected, "after {confirmations}, asked for {asked}");
        }
    }
    assert!(send.child.wait().unwrap().success());

    let history = lab.user_ok(&["history", "-f", &ben]);
    let entry = format!("block 3  +12.5 LAB  from {}  \"for lunch\"  {}, balance 12.5 LAB", wallets.ada, &id[..8]);
    let lines: Vec<_> = history.lines().skip(1).map(str::trim).collect();
    assert!(lines.len() == 2 && lines[0] == entry && lines[1].starts_with("as of block 4, "), "{history}");
    let all = lab.user_ok(&["balances"]);
    // The payer mined the block and got the fee back.
    for (whose, expected) in [(&wallets.ada, "187.5 LAB"), (&wallets.ben, "12.5 LAB")] {
        let line = all.lines().find(|line| line.starts_with(whose.as_str())).unwrap();
        assert!(line.ends_with(expected), "{line}");
    }
    assert!(all.lines().count() == 3 && all.lines().nth(2).unwrap().starts_with("as of block 4, "), "{all}");
    let words = lab.user_error(&["send", "1000", &wallets.ben, "-f", &ada]);
    assert!(words.contains("cannot pay 1000 LAB") && words.contains("187.5"), "{words}");
}

#[tokio::test]
async fn the_other_layer_is_another_network_and_the_way_back_finds_the_old_chain() {
    let wallets = Wallets::new();
    let mut lab = start("layers", &wallets).await;
    lab.mine(3).await;
    let (network, tip) = (lab.nodes[0].info().await.network_id, lab.nodes[0].tip().await);

    lab.nodes[0].terminate().await;
    lab.mempool.terminate().await;
    let mut other = lab.replace(&lab.nodes[0], "node", &["--layer", "data"]);
    other.start().await;
    let info = other.info().await;
    assert_ne!(info.network_id, network);
    assert_eq!(info.network["layer"], "data");
    assert_eq!(other.tip().await.index.0, 0, "the other layer has a chain of its own");
    lab.user_ok(&["mine", "1", "--data", "plain text", "--node", &other.address, "--layer", "data"]);
    assert_eq!(other.tip().await.index.0, 1);
    until_ok("the mempool's lease ends", DEADLINE, async || match lab.tracker.info().await.members {
        Some(1) => Ok(()),
        members => Err(format!("there are {members:?} members")),
    })
    .await;
    let words = lab.user_error(&["balance", &wallets.ada, "--layer", "data"]);
    assert!(words.contains("has no money"), "{words}");
    let mempool = finish(lab.program("mempool").args(["--port", "0", "--layer", "data"]));
    let words = String::from_utf8_lossy(&mempool.stderr);
    assert!(!mempool.status.success() && words.contains("which has no transactions"), "{words}");
    other.terminate().await;

    lab.nodes[0].start().await;
    lab.mempool.start().await;
    let info = lab.nodes[0].info().await;
    assert_eq!((info.network_id, info.tip), (network, Some(tip)));
    lab.mempool.reaches(3).await;
    assert_eq!(balance(&lab, &[&wallets.ada]), "150");
}

/// Runs the output of `user explain` in a shell.
fn run_in_shell(commands: &str) -> String {
    succeeded(&finish(Command::new("sh").arg("-c").arg(commands)), commands)
}

/// The values in the `# gives` comments of an explanation.
fn expected_values(commands: &str) -> Vec<&str> {
    commands.lines().filter_map(|line| line.strip_prefix("# gives ")).collect()
}

#[tokio::test]
async fn a_block_is_rechecked_by_sha256sum_as_explained() {
    let wallets = Wallets::new();
    let lab = start("explained", &wallets).await;
    let hash = lab.mine(1).await[0];
    let commands = lab.user_ok(&["explain", "block", "1"]);
    let printed = run_in_shell(&commands);
    let values: Vec<_> = printed.lines().map(|line| line.trim_end_matches([' ', '-'])).collect();
    assert_eq!(values, expected_values(&commands));
    assert_eq!(values[2], hash.to_string());
}

#[tokio::test]
#[ignore = "needs openssl; .ci/run runs it"]
async fn a_payment_is_rechecked_by_openssl_as_explained() {
    let wallets = Wallets::new();
    let lab = start("explained", &wallets).await;
    lab.mine(1).await;
    let sent = lab.user_ok(&["send", "1", &wallets.ben, "-f", &wallets.file("ada.pem"), "-M", "it's \"50 %\" \\ 1"]);
    let commands = lab.user_ok(&["explain", "tx", after(&sent, "id:")]);
    let printed = run_in_shell(&commands);
    let values: Vec<_> = printed.lines().map(|line| line.trim_end_matches([' ', '-'])).collect();
    assert_eq!(values, expected_values(&commands));
    assert_eq!(values, [after(&sent, "id:"), "Verified OK"]);
}
