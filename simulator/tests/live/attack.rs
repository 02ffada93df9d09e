//! Attackers on a live network: a thief with most of the hash rate steals from somebody who waits for two
//! confirmations, and a selfish miner mines along. Whatever they do, the nodes agree at the end and all money is
//! accounted for.

use super::{network, of_kind, parse_events};
use serde_json::Value;
use simulator::{OutputFormat, RunOptions};
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Output that stops the run once an event of this step was written.
struct Until {
    step: &'static str,
    lines: Arc<Mutex<Vec<u8>>>,
    stop: CancellationToken,
}

impl Write for Until {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if String::from_utf8_lossy(bytes).contains(&format!("\"step\":\"{}\"", self.step)) {
            self.stop.cancel();
        }
        self.lines.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Runs until an event of this step, at most two minutes.
async fn attacked(attacker: &str, step: &'static str) -> (simulator::RunReport, Vec<Value>) {
    let mut options = network();
    options.config.simulator.nodes = 2;
    options.config.network.block_interval_ms = 1000;
    let seconds = Some(Duration::from_secs(120));
    let options = RunOptions { attacker: Some(attacker.parse().unwrap()), seconds, ..options };
    let (lines, stop) = (Arc::new(Mutex::new(Vec::new())), CancellationToken::new());
    let out = Until { step, lines: lines.clone(), stop: stop.clone() };
    let report = simulator::run(&options, OutputFormat::Json, out, stop).await.expect("the run starts");
    let events = parse_events(&lines.lock().unwrap());
    (report, events)
}

fn steps<'a>(events: &'a [Value], step: &str) -> Vec<&'a Value> {
    of_kind(events, "attack").into_iter().filter(|event| event["step"] == step).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thief_with_most_of_the_hash_rate_takes_back_a_payment_with_two_confirmations() {
    let (report, events) = attacked("double-spend:0.7,confirmations=2", "stole").await;
    let begins = steps(&events, "begins");
    assert_eq!(begins.len(), 1, "{events:?}");
    assert!(begins[0]["chance"].as_f64().unwrap() > 0.99, "{begins:?}");
    let stole = steps(&events, "stole");
    assert_eq!(stole.len(), 1, "{:?}", of_kind(&events, "attack"));
    assert_eq!((&stole[0]["attacker"], &stole[0]["victim"]), (&"Mallory".into(), &"Ben".into()));
    // Ben waited, and had handed the bicycle over.
    let (paid, handed_over) = (steps(&events, "paid"), steps(&events, "handed_over"));
    assert_eq!(paid.last().unwrap()["confirmations"], 2);
    assert!(handed_over.last().unwrap()["confirmations"].as_u64() >= Some(2), "{handed_over:?}");
    assert!(!steps(&events, "published").is_empty());
    assert!(of_kind(&events, "bad_block").is_empty() && of_kind(&events, "trouble").is_empty(), "{events:?}");
    assert!(report.is_good(), "{report:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_selfish_miner_keeps_blocks_and_publishes_them() {
    let (report, events) = attacked("selfish:0.45", "published").await;
    assert!(!steps(&events, "kept").is_empty(), "{events:?}");
    assert_eq!(steps(&events, "begins")[0].get("chance"), None);
    assert!(of_kind(&events, "trouble").is_empty(), "{events:?}");
    assert!(report.is_good(), "{report:?}");
}
