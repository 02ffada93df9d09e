//! The examples of docs/protocol.md: its shell commands, and its wallet in Python on a real network.

use serde_json::Value;
use shared::keys::KeyPair;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use testkit::finish;
use testkit::{ProcessNetwork, succeeded};

const PROTOCOL: &str = include_str!("../../../docs/protocol.md");
const WALLET: &str = include_str!("../../../docs/examples/wallet.py");

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The text of the page between two marks, which must occur once.
fn between(begin: &str, end: &str) -> &'static str {
    assert_eq!(PROTOCOL.matches(begin).count(), 1, "the page has {begin:?} once");
    PROTOCOL.split_once(begin).and_then(|(_, rest)| rest.split_once(end)).unwrap().0
}

/// The commands and the transaction of the worked example of payments between accounts.
fn example() -> (Vec<&'static str>, Value) {
    fences(between("## 7. Transactions", "\n## 8."))
}

/// Those of the payment from two coins.
fn example_of_coins() -> (Vec<&'static str>, Value) {
    fences(PROTOCOL.split_once("## 16. Coins").unwrap().1)
}

/// The commands and the transaction after the words "A worked example" of a section.
fn fences(section: &'static str) -> (Vec<&'static str>, Value) {
    let example = section.split_once("**A worked example.**").unwrap().1;
    let fenced = |language: &str| {
        let blocks = example.split("```").skip(1).step_by(2);
        let blocks: Vec<_> = blocks.filter_map(|block| block.strip_prefix(language)?.strip_prefix('\n')).collect();
        blocks
    };
    (fenced("sh"), serde_json::from_str(fenced("json")[0]).unwrap())
}

/// Runs a script in an empty folder.
fn shell(folder: &Path, script: &str) -> Output {
    finish(Command::new("sh").args(["-e", "-c", script]).current_dir(folder))
}

#[test]
fn the_worked_examples_give_the_ids_by_sha256sum() {
    for (commands, transaction) in [example(), example_of_coins()] {
        let folder = tempfile::tempdir().unwrap();
        let printed = succeeded(&shell(folder.path(), commands[0]), commands[0]);
        let id = printed.split(' ').next().unwrap();
        assert_eq!(Some(id), transaction["id"].as_str());
        assert!(commands[0].contains(&format!("# {id}")), "the comment has another id");
    }
}

#[test]
fn the_example_of_coins_is_the_known_transaction() {
    let known: Value = serde_json::from_str(include_str!("../../../shared/tests/vectors/spend.json")).unwrap();
    assert_eq!(example_of_coins().1, known);
    let id = shared::params::Params::of_coins().network_id().to_string();
    let data = shared::params::Params::of_coins().canonical_json();
    let section = PROTOCOL.split_once("## 16. Coins").unwrap().1;
    assert!(section.contains(&id) && section.contains(&data));
}

#[test]
#[ignore = "needs openssl and xxd; .ci/run runs it"]
fn the_worked_examples_verify_by_openssl_and_changed_ones_do_not() {
    let verify = |script: &str| {
        let folder = tempfile::tempdir().unwrap();
        shell(folder.path(), script)
    };
    let of_accounts = [(":150000000:", ":150000001:"), ("r=7c", "r=7d"), ("1b2c89\n", "1b2c8a\n")];
    let of_coins = [("bob/9000000000", "bob/9000000001"), ("r=fb", "r=fc"), ("9a6666fbe\n", "9a6666fbf\n")];
    for ((commands, _), changes) in [(example(), of_accounts), (example_of_coins(), of_coins)] {
        let script = commands.concat();
        assert!(succeeded(&verify(&script), &script).ends_with("Verified OK\n"));
        for (from, to) in changes {
            assert_eq!(script.matches(from).count(), 1, "{from}");
            let output = verify(&script.replace(from, to));
            let printed = String::from_utf8_lossy(&output.stdout);
            assert!(!output.status.success() && printed.contains("Verification failure"), "with {to}: {printed}");
        }
    }
}

#[test]
fn the_page_quotes_the_wallet_word_for_word() {
    for (part, least_lines) in [("wallet.py", 40), ("wallet.py, coins", 20)] {
        let begin = format!("<!-- {part}: begin -->\n```python\n");
        let quoted = between(&begin, &format!("```\n<!-- {part}: end -->"));
        assert!(quoted.lines().count() > least_lines, "{quoted}");
        assert!(WALLET.contains(quoted), "docs/examples/wallet.py is not what docs/protocol.md quotes");
    }
}

/// Runs the wallet in Python with these arguments.
fn wallet(args: &[&str]) -> Output {
    let path = root().join("docs/examples/wallet.py");
    // -B: no bytecode files beside the sources.
    finish(Command::new("python3").arg("-B").arg(path).args(args))
}

/// Runs a script that can import the wallet.
fn python(script: &str) -> Output {
    let path = root().join("docs/examples");
    finish(Command::new("python3").args(["-B", "-c", script]).env("PYTHONPATH", path))
}

#[track_caller]
fn refused(output: &Output) -> String {
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{words}");
    assert!(words.starts_with("error: ") && words.lines().count() == 1, "{words}");
    words
}

#[tokio::test]
#[ignore = "needs python3 with cryptography; .ci/run runs it"]
async fn the_wallet_in_python_pays_on_a_real_network() {
    let (alice, bob) = (KeyPair::from_seed("alice").address(), KeyPair::from_seed("bob").address());
    let lab = ProcessNetwork::start("python", 1, &alice, &[("NODE__MINE", "false")]).await;
    let asked = |args: &[&str]| {
        let args = [args, &["--mempool", &lab.mempool.address]].concat();
        succeeded(&wallet(&args), &format!("wallet.py {args:?}")).trim().to_owned()
    };
    for (seed, address) in [("alice", alice), ("bob", bob)] {
        assert_eq!(succeeded(&wallet(&["address", "-s", seed]), seed).trim(), address.as_str());
    }
    lab.mine(2).await;
    assert_eq!(asked(&["balance", alice.as_str()]), "100 LAB");

    let paid = asked(&["pay", "1.5", bob.as_str(), "-s", "alice", "--fee", "0.00001", "--msg", "für \"Mittag\" 🥪"]);
    let (id, status) = paid.split_once(' ').unwrap();
    assert_eq!(status, "accepted");
    assert_eq!(asked(&["confirmations", id]), "0");
    lab.mine(1).await;
    assert_eq!(asked(&["confirmations", id]), "1");
    lab.mine(1).await;
    assert_eq!(asked(&["confirmations", id]), "2");
    // Alice mined the block herself, so the fee came back.
    assert_eq!(asked(&["balance", alice.as_str()]), "198.5 LAB");
    assert_eq!(asked(&["balance", bob.as_str()]), "1.5 LAB");

    let pay = |amount: &str, to: &str, seed: &str| {
        wallet(&["pay", amount, to, "-s", seed, "--mempool", &lab.mempool.address])
    };
    let words = refused(&pay("1000", bob.as_str(), "alice"));
    assert!(
        words.contains("422") && words.contains("too little for 1000 LAB (amount and fee) (rule balance)"),
        "{words}"
    );
    let words = refused(&pay("1", &bob.as_str().replace("qdku", "qdkv"), "alice"));
    assert!(words.contains("checksum"), "{words}");
    let signed = |network: &str| {
        python(&format!(
            "import wallet as w\n\
             network = w.ask('{at}', '/info')['network_id'] if '{network}' == 'own' else '{network}'\n\
             transaction = w.sign(w.key_of_seed('alice'), network, '0' * 32, '{bob}', 1, 0, '')\n\
             try: print(w.ask('{at}', '/pushtx', transaction)['status'])\n\
             except w.Refused as error: print(error)",
            at = lab.mempool.address
        ))
    };
    let words = succeeded(&signed(&"0".repeat(64)), "a payment of another network");
    assert!(words.contains("422") && words.contains("(rule id)"), "{words}");
    // With the right network id, the same payment is accepted: nothing else was wrong with it.
    assert_eq!(succeeded(&signed("own"), "a payment of this network").trim(), "accepted");
}

#[tokio::test]
#[ignore = "needs python3 with cryptography; .ci/run runs it"]
async fn the_wallet_in_python_spends_coins_on_a_real_network() {
    let (alice, bob) = (KeyPair::from_seed("alice").address(), KeyPair::from_seed("bob").address());
    let settings = [("NODE__MINE", "false"), ("NETWORK__LAYER", "utxo")];
    let lab = ProcessNetwork::start("python-coins", 1, &alice, &settings).await;
    let mempool = ["--mempool", &lab.mempool.address];
    let asked = |args: &[&str]| {
        let args = [args, &mempool].concat();
        succeeded(&wallet(&args), &format!("wallet.py {args:?}")).trim().to_owned()
    };
    lab.mine(2).await;
    let paid = asked(&["pay", "90", bob.as_str(), "-s", "alice", "--fee", "0.00001", "--msg", "for lunch"]);
    let (id, status) = paid.split_once(' ').unwrap();
    assert_eq!(status, "accepted");
    // Both coins are being spent, and their change is in no block yet.
    let words = refused(&wallet(&[&["pay", "1", bob.as_str(), "-s", "alice"], &mempool[..]].concat()));
    assert!(words.contains("worth 0 LAB, and 1 LAB are needed"), "{words}");
    lab.mine(1).await;
    assert_eq!(asked(&["confirmations", id]), "1");
    assert_eq!(asked(&["balance", bob.as_str()]), "90 LAB");
    assert_eq!(asked(&["balance", alice.as_str()]), "60 LAB", "the change, and the reward with the fee");

    // A payment with the coins of two owners, each of whom signs.
    let paid = asked(&["pay", "140", bob.as_str(), "-s", "alice", "--also", "bob"]);
    lab.mine(1).await;
    assert_eq!(asked(&["confirmations", paid.split_once(' ').unwrap().0]), "1");
    assert_eq!(asked(&["balance", bob.as_str()]), "140 LAB", "alice gets the change of 10");
}

#[test]
#[ignore = "needs python3 with cryptography; .ci/run runs it"]
fn the_wallet_in_python_makes_the_transaction_of_the_example_of_coins() {
    let (_, mut known) = example_of_coins();
    let network = shared::params::Params::of_coins().network_id();
    // The signature on the page must be valid over the text that the wallet makes.
    let script = format!(
        "import json, wallet as w\n\
         known, alice = json.loads(r\"\"\"{known}\"\"\"), w.key_of_seed('alice')\n\
         made = w.spend([alice], '{network}', known['inputs'], known['outputs'], known['msg'])\n\
         listed = (','.join('/'.join(map(str, p.values())) for p in made[k]) for k in ('inputs', 'outputs'))\n\
         text = ':'.join(['{network}', *listed, made['msg']]).encode()\n\
         pair = known['signatures'][0]\n\
         signature = w.utils.encode_dss_signature(int(pair[:64], 16), int(pair[64:], 16))\n\
         alice.public_key().verify(signature, text, w.ec.ECDSA(w.hashes.SHA256()))\n\
         print(json.dumps(made))"
    );
    let mut made: Value = serde_json::from_str(&succeeded(&python(&script), "the example of coins")).unwrap();
    for transaction in [&mut known, &mut made] {
        let signatures = transaction["signatures"].take();
        assert!(signatures.as_array().is_some_and(|all| all.len() == 1), "{signatures}");
    }
    assert_eq!(made, known);
}
