//! A recording of the laboratory over HTTP, without any network.

use crate::visitor::page;
use laboratory::plan::Plan;
use laboratory::recording::Recording;
use shared::config::Config;
use testkit::{http, key, until};
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

const SCENARIO: &str = "title = \"A <b>cut</b>\"\nmodel = \"core\"\nseed = 7\nblocks = 40\n[consensus]\n\
    block_interval_ms = 20_000\ninitial_difficulty = 50\n[network]\nnodes = 4\npreset = \"lan\"\ngraph = \"full\"\n\
    [[event]]\nat = \"block 12\"\npartition = { half = \"50 %\", for = \"200 s\" }\n";

/// Returns the address of an explorer of the recording, after a change of its text, and a guard that stops it.
async fn explorer(change: impl Fn(String) -> String) -> (String, DropGuard) {
    let mut text = String::new();
    assert!(Plan::read(SCENARIO, &[], None).unwrap().record(0, &mut |line| text += &(line + "\n")));
    let recording = Recording::read(&change(text)).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap().to_string();
    let stop = CancellationToken::new();
    let settings = explorer::RecordingSettings {
        config: Config::default(),
        recording,
        names: explorer::NameBook::default(),
        metrics: None,
    };
    tokio::spawn(explorer::run_recording(listener, settings, stop.clone()));
    until("the explorer answers", async || page(&at, "/").await.map(drop)).await;
    (at, stop.drop_guard())
}

async fn status(explorer: &str, path: &str) -> u16 {
    http().get(format!("http://{explorer}{path}")).send().await.unwrap().status().as_u16()
}

/// The target of the link that begins a chapter.
fn chapter<'a>(page: &'a str, name: &str) -> &'a str {
    let (before, _) = page.split_once(&format!("\">{name} ")).unwrap_or_else(|| panic!("no {name}: {page}"));
    before.rsplit_once('"').unwrap().1
}

#[tokio::test]
async fn the_pages_of_a_moment_show_the_network_as_it_was() {
    let (at, _stop) = explorer(|text| text).await;
    // Its beginning, unless the address says a moment.
    assert!(page(&at, "/").await.unwrap().contains("4 nodes are mining the first block"));
    let end = page(&at, "/?t=1e9").await.unwrap();
    assert!(!end.contains("in the making"), "a recording has no payments: {end}");
    assert!(end.contains("All 4 nodes have it") && end.contains("A &lt;b&gt;cut&lt;/b&gt;"), "{end}");
    assert!(!end.contains("live.js") && !end.contains("/wallet") && end.contains("recording.js"), "{end}");
    let split = chapter(&end, "Split").to_owned();
    let then = page(&at, &split).await.unwrap();
    assert!(then.contains("Split in two"), "{then}");
    // Links lead to the same moment, so that no page shows the future.
    let (_, query) = split.split_once('?').unwrap();
    assert!(then.contains(&format!("href=\"/blocks?{query}\"")), "{then}");
    let healed = page(&at, chapter(&end, "Healed")).await.unwrap();
    assert!(healed.contains("Healed: "), "{healed}");
    let first = page(&at, "/?t=0").await.unwrap();
    assert!(first.contains("4 nodes are mining the first block"), "{first}");
    let blocks = page(&at, &format!("/blocks?{query}")).await.unwrap();
    assert!(blocks.contains("At this moment 13 blocks were known"), "{blocks}");
    assert_eq!(status(&at, &format!("/block/12?{query}")).await, 200);
    assert_eq!(status(&at, &format!("/block/30?{query}")).await, 404, "not found yet");
    let block = page(&at, "/block/30?t=1e9").await.unwrap();
    assert!(block.contains("4 of 4 nodes had it") && block.contains("found it"), "{block}");
    let node = page(&at, &format!("/node/10.0.0.1:8100?{query}")).await.unwrap();
    assert!(node.contains("(cut)") && node.contains("nobody listens there"), "{node}");
    let charts = page(&at, "/charts?t=1e9").await.unwrap();
    assert!(charts.contains("Time between blocks") && !charts.contains("Bytes per block"), "{charts}");
    let csv = page(&at, &format!("/charts/difficulty.csv?{query}")).await.unwrap();
    assert_eq!(csv.lines().count(), 13, "{csv}");
}

#[tokio::test]
async fn what_is_no_page_or_no_moment_is_refused() {
    let (at, _stop) = explorer(|text| text).await;
    for (path, expected) in [
        ("/?t=NaN", 400),
        ("/?t=inf", 400),
        ("/?t=soon", 400),
        ("/?when=1", 400),
        ("/?t=-9", 200),
        ("/?t=1e300", 200),
        ("/blocks?before=x", 400),
        ("/blocks?before=0", 200),
        ("/block/18446744073709551616", 404),
        ("/block/%3Cscript%3E", 404),
        ("/node/nobody:1", 404),
        ("/charts/bytes.csv", 404),
        ("/charts/x.csv", 404),
        ("/wallet", 404),
        ("/assets/recording.js", 200),
    ] {
        assert_eq!(status(&at, path).await, expected, "{path}");
    }
    let page = page(&at, "//evil.example/%22%3E%3Cscript%3E").await.unwrap();
    assert!(!page.contains("<script>") && !page.contains("\"//evil"), "{page}");
}

#[tokio::test]
async fn a_recording_with_money_names_who_earned() {
    let address = key("ada").address();
    let with_money = |text: String| {
        let text = text.replacen("\"layer\":\"data\"", "\"layer\":\"transaction\"", 1);
        text.replace("\"links\":", &format!("\"earner\":\"{address}\",\"links\":"))
    };
    let (at, _stop) = explorer(with_money).await;
    let charts = page(&at, "/charts?t=1e9").await.unwrap();
    assert!(charts.contains("Who found the blocks") && charts.contains(address.as_str()), "{charts}");
    assert!(!charts.contains("Transactions per block"), "{charts}");
    let first = page(&at, "/").await.unwrap();
    assert!(!first.contains("No mempool"), "{first}");
}
