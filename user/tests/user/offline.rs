//! Commands that need no service: keys, wrong usage, new networks, checking a transaction.

use crate::program::{ALICE, BOB, Program};
use serde_json::{Value, json};
use shared::keys::KeyPair;

/// The worked example of docs/protocol.md §7, on the network of the default parameters.
pub(crate) const EXAMPLE: &str = concat!(
    r#"{"id":"6067338cc5293d0c39254565d8f607fa357f28cc6d5611ea781d5e44ef19b2ae","#,
    r#""uuid":"000102030405060708090a0b0c0d0e0f","#,
    r#""from":"lab1qw3a092402y9t2zw3vrxdlgl3j6c3gvfm4zu09kmfz6rencp3cz6sj7943p","#,
    r#""to":"lab1qdku0nm2prxql6pavksy6ujdthfr3q4hxyh48vgx7hz7dnaryygnw7tvedv","#,
    r#""amount":150000000,"fee":1000,"msg":"for lunch","#,
    r#""signature":"7c99de46542fe23578dcfed0d79664309539a658f12354c1ff6f2e2f822c6677"#,
    r#"1b19985f038f0332ab3daf31f76c18485ccb0376af2ef36ac0e74388171b2c89"}"#,
);

#[test]
fn a_new_key_is_private_and_never_overwritten() {
    let user = Program::without_services();
    let made = user.json(&["new"]);
    let pem = std::fs::read_to_string(user.path("wallet.pem")).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(user.path("wallet.pem")).unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert_eq!(user.run(&["address", "-f", "wallet.pem"]).ok().trim(), made["address"].as_str().unwrap());
    assert_eq!(user.run(&["new", "--json"]).error_kind(1), "exists");
    assert_eq!(std::fs::read_to_string(user.path("wallet.pem")).unwrap(), pem);
    assert_ne!(user.json(&["new", "-o", "other.pem"])["address"], made["address"]);
}

#[test]
fn a_key_with_a_password_opens_with_it_only() {
    let user = Program::without_services();
    user.write("right", "correct horse\n");
    user.write("wrong", "battery staple\n");
    let made = user.json(&["new", "-s", "alice", "--password-file", "right"]);
    assert_eq!((&made["address"], &made["encrypted"], &made["insecure"]), (&json!(ALICE), &json!(true), &json!(true)));
    assert!(std::fs::read_to_string(user.path("wallet.pem")).unwrap().contains("BEGIN ENCRYPTED PRIVATE KEY"));
    let open = |password: &str| user.run(&["address", "-f", "wallet.pem", "--password-file", password]);
    assert_eq!(open("right").ok().trim(), ALICE);
    let error = open("wrong").expect_error(1);
    assert!(error.contains("wallet.pem: the password is wrong"), "{error}");
}

#[test]
fn files_of_other_editors_and_programs_are_read_or_explained() {
    let user = Program::without_services();
    user.write("plain", "correct horse\n");
    user.write("marked", "\u{feff}correct horse\r\n");
    user.run(&["new", "-s", "alice", "--password-file", "plain"]).ok();
    let address = |key: &str, password: &str| user.run(&["address", "-f", key, "--password-file", password]);
    assert_eq!(address("wallet.pem", "marked").ok().trim(), ALICE);
    // A key of an earlier version, which took the mark for a part of the password.
    let old = KeyPair::from_seed("alice").to_encrypted_pem("\u{feff}correct horse", [1; 16], [2; 16]).unwrap();
    user.write("old.pem", &old);
    assert_eq!(address("old.pem", "marked").ok().trim(), ALICE);
    user.write("marked.pem", &format!("\u{feff}{}", KeyPair::from_seed("alice").to_pem().unwrap().as_str()));
    assert_eq!(user.run(&["address", "-f", "marked.pem"]).ok().trim(), ALICE);
    let utf16: Vec<u8> = "\u{feff}correct horse".encode_utf16().flat_map(u16::to_le_bytes).collect();
    std::fs::write(user.path("utf16"), utf16).unwrap();
    let error = address("wallet.pem", "utf16").expect_error(1);
    assert!(error.contains("UTF-16") && error.contains("save it as UTF-8"), "{error}");
    let public = shared::keys::public_key_pem(&KeyPair::from_seed("alice").address()).unwrap();
    user.write("public.pem", &public);
    user.write("cert.pem", &public.replace("PUBLIC KEY", "CERTIFICATE"));
    for (file, name) in [("public.pem", "a public key"), ("cert.pem", "a certificate")] {
        let error = user.run(&["address", "-f", file]).expect_error(1);
        assert!(error.contains(name) && error.contains("expected the private key"), "{error}");
    }
}

#[test]
#[cfg(unix)]
fn a_secret_that_others_can_read_is_noted() {
    use std::os::unix::fs::PermissionsExt;
    let user = Program::without_services();
    user.write("password", "correct horse\n");
    for (mode, is_noted) in [(0o644, true), (0o600, false)] {
        std::fs::set_permissions(user.path("password"), std::fs::Permissions::from_mode(mode)).unwrap();
        let output = user.run(&["new", "-o", &format!("{mode:o}.pem"), "--password-file", "password"]);
        assert_eq!(output.stderr.contains("chmod 600 password"), is_noted, "{mode:o}: {output:?}");
        output.ok();
    }
}

#[test]
fn a_seed_has_the_address_of_the_protocol_and_is_called_insecure() {
    let user = Program::without_services();
    let output = user.run(&["address", "alice"]);
    assert!(output.stderr.contains("exercises only"), "{output:?}");
    assert_eq!(output.ok().trim(), ALICE);
    assert_eq!(user.run(&["address", "-s", "bob"]).ok().trim(), BOB);
}

#[test]
fn wrong_usage_has_a_clear_message_and_code_2() {
    let user = Program::without_services();
    let mistyped = BOB.replace("qdk", "qdj");
    let long = "9".repeat(30);
    for (args, words) in [
        (&["send", "-1", "bob", "-s", "alice"][..], "negative"),
        (&["send", "0", "bob", "-s", "alice"], "one grain"),
        (&["send", "0.123456789", "bob", "-s", "alice"], "8 digits"),
        (&["send", &long, "bob", "-s", "alice"], "more than there can be"),
        (&["send", "1e3", "bob", "-s", "alice"], "expected digits"),
        (&["send", "1", &mistyped, "-s", "alice"], "mistyped"),
        (&["send", "1", &BOB[..60], "-s", "alice"], "63 characters"),
        (&["send", "1", "", "-s", "alice"], "nothing"),
        (&["send", "1", "bob", "-s", "alice", "-F", "-1"], "negative"),
        (&["send", "1", "bob"], "--seed"),
        (&["send", "1", "bob", "-s", "alice", "-f", "wallet.pem"], "cannot be used with"),
        (&["send", "1", "bob", "-s", "alice", "--wait", "0"], "--wait"),
        (&["balance", &BOB.to_uppercase()], "lower case"),
        (&["confirmations", "6067"], "64 lower-case hex"),
        (&["rnd", "-n", "10"], "--max-seed"),
        (&["mine", "1001"], "1001"),
        (&["explain", "block", "latest"], "height"),
        (&["network", "new", "--name", "Our Lab"], "a-z"),
        (&["balance", "--layer", "sound"], "sound"),
        (&["dance"], "unrecognized"),
        (&[], "Usage"),
    ] {
        let error = user.run(args).expect_error(2);
        assert!(error.contains(words), "{args:?}: {error}");
    }
    assert_eq!(user.run(&["send", "-1", "bob", "-s", "alice", "--json"]).error_kind(2), "usage");
    assert_eq!(user.run(&["network", "new", "--name", "Our Lab", "--json"]).error_kind(2), "usage");
}

#[test]
fn a_password_is_never_a_flag() {
    let help = Program::without_services().run(&["send", "--help"]).ok();
    assert!(help.contains("--password-file") && !help.contains("--password "), "{help}");
}

#[test]
fn without_a_tracker_it_says_what_to_do() {
    let user = Program::without_services();
    let error = user.run(&["balance"]).expect_error(1);
    for words in ["no tracker answers at 127.0.0.1:9", "Start it with `tracker`", "--mempool"] {
        assert!(error.contains(words), "{words}: {error}");
    }
    assert_eq!(user.run(&["balance", "--json"]).error_kind(1), "no-tracker");
    assert_eq!(user.run(&["balance", "--mempool", "127.0.0.1:9", "--json"]).error_kind(1), "no-answer");
}

#[test]
fn a_fresh_network_is_what_programs_start_with() {
    let user = Program::without_services();
    let toml = user.run(&["network", "new", "--name", "our-lab"]).ok();
    user.write("Config.toml", &toml);
    // The file is read from the working directory, so the next network differs in name and time only.
    let next = user.json(&["network", "new", "--name", "other"]);
    assert_eq!(next["network"]["name"], "other");
    assert_ne!(next["network_id"].as_str().unwrap(), &toml["# Network id ".len()..][..64]);
    user.write("payment.json", EXAMPLE);
    let error = user.run(&["verify", "payment.json", "--offline"]).expect_error(1);
    assert!(error.contains("another network"), "{error}");
}

#[test]
fn a_transaction_is_checked_without_services() {
    let user = Program::without_services();
    user.write("payment.json", EXAMPLE);
    let valid = user.json(&["verify", "payment.json", "--offline"]);
    assert_eq!((&valid["valid"], &valid["from"]), (&json!(true), &json!(ALICE)));
    let wrapped = format!("{{\"transaction\": {EXAMPLE}, \"status\": \"pending\", \"confirmations\": 0}}");
    assert!(user.run_with_input(&["verify", "-", "--offline"], &wrapped).ok().starts_with("valid"));

    let broken = |field: &str, value: Value| {
        let mut payment: Value = serde_json::from_str(EXAMPLE).unwrap();
        payment[field] = value;
        user.run_with_input(&["verify", "-", "--offline", "--json"], &payment.to_string()).error_kind(1)
    };
    assert_eq!(broken("amount", json!(150_000_001)), "id");
    assert_eq!(broken("amount", json!(0)), "amount");
    assert_eq!(broken("msg", json!("for\nlunch")), "msg");
    assert_eq!(broken("signature", json!("1".repeat(128))), "signature");
    assert_eq!(broken("amount", json!(-1)), "not-a-transaction");
    let id = serde_json::from_str::<Value>(EXAMPLE).unwrap()["id"].as_str().unwrap().to_owned();
    assert_eq!(user.run(&["verify", &id, "--offline", "--json"]).error_kind(2), "usage");
    assert_eq!(user.run(&["verify", "nowhere.json", "--json"]).error_kind(1), "file");
}

#[test]
fn completions_and_manual_pages_know_the_commands() {
    let user = Program::without_services();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = user.run(&["completions", shell]).ok();
        assert!(script.contains("confirmations"), "{shell}");
    }
    assert!(user.run(&["man"]).ok().contains(".TH user 1"));
    user.run(&["man", "pages"]).ok();
    for page in ["user.1", "user-send.1", "user-explain-block.1", "user-network-new.1"] {
        assert!(user.path("pages").join(page).exists(), "{page}");
    }
}
