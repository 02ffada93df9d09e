//! Checks that every metric on the Grafana dashboard exists in real programs: a renamed one would only leave a panel
//! empty.

use crate::docker::root;
use crate::harness::Outcome;
use serde_json::Value;
use shared::keys::KeyPair;
use shared::ledger::{Amount, Unsigned, Uuid};
use shared::wire::{MineRequest, PeersUpdate};
use std::collections::BTreeSet;
use testkit::{DEADLINE, Process, client, until_ok};

const TOKEN: &str = "a secret of the tests";
/// Prefix of the names of our metrics.
const OURS: &str = "chainlab_";

pub(crate) async fn dashboards() -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    let alice = KeyPair::from_seed("alice");
    let settings = [
        ("NETWORK__NAME", "metrics"),
        ("NETWORK__INITIAL_DIFFICULTY", "100"),
        ("NETWORK__RETARGET", "fixed"),
        ("NODE__TOKEN", TOKEN),
        ("NODE__MINE", "false"),
        ("NODE__MINER", alice.address().as_str()),
        ("MEMPOOL__POLL_MS", "100"),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_owned()));
    let service = |name, args: &[&str]| Process::new(name, folder.path(), &settings, args);
    let mut tracker = service("tracker", &[]);
    let mut node = service("node", &["-t", &tracker.address]);
    let mut mempool = service("mempool", &["-t", &tracker.address]);
    // It knows no other service.
    let mut isolated = service("node", &["-t", "127.0.0.1:1"]);
    for service in [&mut tracker, &mut node, &mut mempool, &mut isolated] {
        service.start().await;
    }

    // Each counted event happens once: blocks, a payment, a reorganisation, a template.
    let mine = async |node: &Process, blocks| {
        client().mine(&node.address, TOKEN, &MineRequest { blocks, data: None }).await.unwrap();
    };
    mine(&node, 1).await;
    mine(&isolated, 2).await;
    let meet = PeersUpdate { add: vec![isolated.address.clone()], ..PeersUpdate::default() };
    client().update_peers(&node.address, TOKEN, &meet).await.unwrap();
    node.reaches(2).await;
    mempool.reaches(2).await;
    let unsigned = Unsigned {
        uuid: Uuid([0; 16]),
        from: alice.address(),
        to: KeyPair::from_seed("bob").address(),
        amount: Amount::new(1).unwrap(),
        fee: Amount::new(1000).unwrap(),
        msg: String::new(),
    };
    let payment = alice.sign_transaction(unsigned, node.info().await.network_id);
    client().push_transaction(&mempool.address, &payment).await.unwrap();
    mine(&node, 1).await;

    assert!(std::fs::read_to_string(root().join("deploy/prometheus/prometheus.yml")).unwrap().contains("/targets"));
    let wanted = wanted();
    assert!(wanted.len() > 8, "{wanted:?}");
    until_ok("the programs have all metrics of the dashboard", DEADLINE, async || {
        let mut text = metrics(&tracker.address).await;
        for at in targets(&tracker.address).await {
            text.push_str(&metrics(&at).await);
        }
        let missing: Vec<_> = wanted.iter().filter(|metric| !metric.is_in(&text)).collect();
        if missing.is_empty() { Ok(()) } else { Err(format!("no program has {missing:?}")) }
    })
    .await;
    Ok(())
}

/// The addresses that Prometheus scrapes.
async fn targets(tracker: &str) -> Vec<String> {
    let body = reqwest::get(format!("http://{tracker}/targets")).await.unwrap().bytes().await.unwrap();
    let all: Vec<Value> = serde_json::from_slice(&body).unwrap();
    all.iter().map(|target| target["targets"][0].as_str().unwrap().to_owned()).collect()
}

async fn metrics(at: &str) -> String {
    reqwest::get(format!("http://{at}/metrics")).await.unwrap().text().await.unwrap()
}

/// A metric and its labels.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Metric {
    name: String,
    labels: Vec<String>,
}

impl Metric {
    fn is_in(&self, text: &str) -> bool {
        let rest = text.lines().filter_map(|line| line.strip_prefix(self.name.as_str()));
        rest.filter(|rest| rest.starts_with(['{', ' ']))
            .any(|rest| self.labels.iter().all(|label| rest.contains(&format!("{label}=\""))))
    }
}

/// The metrics in the dashboard's queries.
fn wanted() -> BTreeSet<Metric> {
    let text = std::fs::read_to_string(root().join("deploy/grafana/chainlab.json")).unwrap();
    let dashboard: Value = serde_json::from_str(&text).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let targets = panels.iter().flat_map(|panel| panel["targets"].as_array().unwrap());
    targets.flat_map(|target| named(target["expr"].as_str().unwrap())).collect()
}

/// The metrics of a query. The labels in `by (…)` belong to all of them.
fn named(question: &str) -> Vec<Metric> {
    let by = question.split_once("by (").and_then(|(_, rest)| rest.split_once(')')).map_or("", |(labels, _)| labels);
    let labels: Vec<String> = by.split(", ").filter(|label| !label.is_empty()).map(str::to_owned).collect();
    let words = question.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let names = words.filter(|word| word.starts_with(OURS));
    names.map(|name| Metric { name: name.to_owned(), labels: labels.clone() }).collect()
}
