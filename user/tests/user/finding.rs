//! Finding a mempool or node among the members that a tracker lists.

use crate::lab::{Lab, TOKEN, network, without_money};
use crate::program::Program;
use serde_json::json;
use testkit::{Answer, FixedAnswer, http};

#[tokio::test(flavor = "multi_thread")]
async fn a_network_without_money_says_so() {
    let lab = Lab::new().await;
    let user = lab.user();
    let error = user.run(&["balance"]).expect_error(1);
    assert!(error.contains("lists no mempool; start one with `mempool -t"), "{error}");
    lab.node(without_money("plain")).await;
    let error = user.run(&["balance"]).expect_error(1);
    assert!(error.contains("the network plain has no money"), "{error}");
    // Commands that need no money work.
    let hash = user.json(&["mine", "1", "--token", TOKEN, "--data", "it's\na note"])["hashes"][0].clone();
    for name in ["1", hash.as_str().unwrap()] {
        let script = user.run(&["explain", "block", name]).ok();
        assert!(script.contains(hash.as_str().unwrap()), "{script}");
        crate::explained::recheck(&user, &script);
    }
    assert_eq!(user.json(&["network", "show"])["network"]["name"], "plain");
}

#[tokio::test(flavor = "multi_thread")]
async fn between_several_networks_the_person_chooses() {
    let lab = Lab::new().await;
    let (first, second) = (lab.mempool(network("first")).await, lab.mempool(network("second")).await);
    let user = lab.user();
    let error = user.run(&["balance"]).expect_error(1);
    for words in [first.as_str(), &second, "choose one with --mempool"] {
        assert!(error.contains(words), "{words}: {error}");
    }
    user.run(&["balance", "--mempool", &second]).ok();
    let output = user.run(&["rnd", "-n", "1", "-s", "1", "--mempool", &second]);
    assert!(
        output.stderr.contains("this is the network second (") && output.stderr.contains("not chainlab"),
        "{output:?}"
    );
    // The network of the configuration needs no choice.
    let section = "[network]\nname = \"second\"\ninitial_difficulty = 1000\nretarget = \"fixed\"\n";
    user.write("Config.toml", section);
    user.run(&["balance"]).ok();
    let output = user.run(&["rnd", "-n", "1", "-s", "1"]);
    assert!(output.code == 1 && !output.stderr.contains("this is the network"), "{output:?}");
    assert_eq!(user.json(&["network", "show", "--mempool", &first])["network"]["name"], "first");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_of_another_kind_is_not_taken_for_a_mempool() {
    let lab = Lab::new().await;
    let node = lab.node(network("one")).await;
    let error = lab.user().run(&["balance", "--mempool", &node]).expect_error(1);
    assert!(error.contains("is a node, not a mempool"), "{error}");
    let tracker = lab.tracker.clone();
    assert_eq!(lab.user().run(&["balance", "--mempool", &tracker, "--json"]).error_kind(1), "another-service");
}

#[tokio::test(flavor = "multi_thread")]
async fn health_fails_unless_all_named_services_run() {
    let lab = Lab::new().await;
    let node = lab.node(network("one")).await;
    let user = lab.user();
    let output = user.run(&["health", "--running", &node, &lab.tracker]).ok();
    assert!(output.starts_with(&format!("node runs at {node}, at block 0")), "{output}");
    assert!(output.ends_with(&format!("\ntracker runs at {}\n", lab.tracker)), "{output}");
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let error = user.run(&["health", &node, &nobody]).expect_error(1);
    assert!(error.contains(&format!("cannot check its health: {nobody} is")), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn health_without_names_asks_the_usual_ports() {
    let lab = Lab::new().await;
    let node = lab.node(network("one")).await;
    let user = lab.user();
    let port = node.rsplit(':').next().unwrap();
    let ports = |first: &str| {
        ["tracker", "mempool", "explorer", "node"].map(|section| format!("[{section}]\nport = {first}\n")).concat()
    };
    user.write("Config.toml", &ports(port));
    assert!(user.run(&["health", "--running"]).ok().contains(&format!("node runs at {node}, at block 0")));
    // Ports below 1024, on which no Chainlab service listens.
    user.write("Config.toml", &ports("2"));
    assert_eq!(user.run(&["health", "--json"]).error_kind(1), "nothing-runs");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_not_well_has_an_exit_code_for_each_reason() {
    let lab = Lab::new().await;
    let node = lab.node(network("unwell")).await;
    let mut info = Answer::of(http().get(format!("http://{node}/info"))).await.ok();
    let user = lab.user();
    for (words, code, kind, text) in [
        (&["alone"][..], 3, "alone", "no peer answers"),
        (&["behind"], 4, "behind", "a better chain is known"),
        (&["alone", "cannot-store"], 5, "cannot-store", "its disk is full"),
        (&["waits-for-clock", "alone"], 6, "waits-for-clock", "ahead of this machine's clock"),
    ] {
        info["health"] = json!(words);
        let service = FixedAnswer::start("200 OK", &info.to_string()).await;
        let output = user.run(&["health", &service.address]);
        assert_eq!(output.code, code, "{words:?}: {output:?}");
        assert!(output.stdout.contains(text) && output.stderr.contains("is not well"), "{words:?}: {output:?}");
        let output = user.run(&["health", &service.address, "--json"]);
        assert!(output.code == code && output.stderr.contains(&format!("\"kind\":\"{kind}\"")), "{output:?}");
        user.run(&["health", "--running", &service.address]).ok();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tracker_that_refuses_is_not_said_to_be_down() {
    let refusal = r#"{"type": "about:blank", "title": "Forbidden", "status": 403, "detail": "Host x is not known"}"#;
    let tracker = FixedAnswer::start("403 Forbidden", refusal).await;
    let user = Program::with(&["-t", &tracker.address]);
    let error = user.run(&["balance"]).expect_error(1);
    assert!(error.contains("refuses it: Host x is not known") && !error.contains("is it running"), "{error}");
    assert_eq!(user.run(&["balance", "--json"]).error_kind(1), "refused");
}
