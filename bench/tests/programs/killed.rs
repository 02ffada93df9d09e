//! A network with programs whose node and mempool are killed again and again: they replay their blocks, and a mempool
//! that reads the whole chain anew agrees with them in every row that it serves.

use crate::harness::Outcome;
use crate::root;
use serde_json::Value;
use shared::keys::KeyPair;
use testkit::ProcessNetwork;
use testkit::{Answer, Process, http};

/// Calls of the counter.
const CALLS: u64 = 12;
/// Calls between two kills.
const PAUSE: u64 = 3;

async fn json(mempool: &Process, path: &str) -> Value {
    Answer::of(http().get(format!("http://{}{path}", mempool.address))).await.ok()
}

pub(crate) async fn replay() -> Outcome {
    let alice = KeyPair::from_seed("alice").address();
    let settings = [("NETWORK__LAYER", "program"), ("NODE__MINE", "false")];
    let mut lab = ProcessNetwork::start("killed-programs", 1, &alice, &settings).await;
    lab.mine(1).await;
    let code = root().join("docs/examples/programs/counter.hex");
    let sent = |printed: String| -> Value { serde_json::from_str(printed.trim()).unwrap() };
    let deployed = sent(lab.user_ok(&["deploy", code.to_str().unwrap(), "-s", "alice", "--json"]));
    let program = deployed["program"].as_str().unwrap().to_owned();
    lab.mine(1).await;
    let mut ids = Vec::new();
    for number in 1..=CALLS {
        let called = sent(lab.user_ok(&["call", &program, "count()", "-s", "alice", "--json"]));
        ids.push(called["transaction"]["id"].as_str().unwrap().to_owned());
        if number % PAUSE == 0 {
            // The call waits in the mempool, which has it on disk.
            lab.mempool.kill();
            lab.nodes[0].kill();
            lab.nodes[0].start().await;
            lab.mempool.start().await;
        }
        lab.mine(1).await;
    }
    let height = lab.nodes[0].tip().await.index.0;
    let mut fresh = lab.another("mempool");
    fresh.start().await;
    fresh.reaches(height).await;
    let mut paths = vec![format!("/storage/{program}"), "/balances".to_owned(), format!("/logs?address={program}")];
    paths.extend(ids.iter().map(|id| format!("/receipt/{id}")));
    for path in &paths {
        assert_eq!(json(&lab.mempool, path).await, json(&fresh, path).await, "{path}");
    }
    let read = sent(lab.user_ok(&["read", &program, "number()(uint256)", "--json"]));
    assert_eq!(read["values"], serde_json::json!([CALLS.to_string()]), "{read}");
    Ok(())
}
