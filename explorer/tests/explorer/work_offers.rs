//! Work for miners in the browser: a node offers it, pays the promised reward, and accepts the solution.

use crate::lab::{LAB, Lab, client, key};
use serde_json::{Value, json};
use shared::block::{Nonce, Seal};
use shared::params::LayerName;
use shared::work::{Difficulty, Target, search};
use testkit::{http, until};

async fn offer(lab: &Lab, miner: &str) -> (u16, Value) {
    let answer = http().get(format!("http://{}/api/work?miner={miner}", lab.explorer)).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

async fn solve(lab: &Lab, solution: &Value) -> (u16, Value) {
    let answer = http().post(format!("http://{}/api/work", lab.explorer)).json(solution).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

fn seal_and_target(offer: &Value) -> (Seal, Target) {
    let seal = offer["seal"].as_str().unwrap().parse().unwrap();
    (seal, Difficulty::new(offer["difficulty"].as_u64().unwrap()).unwrap().target())
}

fn solution(offer: &Value) -> Value {
    let (seal, target) = seal_and_target(offer);
    let nonce = search(&seal, &target, Nonce(0), u64::MAX).unwrap();
    json!({"node": offer["node"], "seal": offer["seal"], "nonce": nonce})
}

/// A nonce that solves nothing: one in a thousand would.
fn wrong_nonce(offer: &Value) -> Nonce {
    let (seal, target) = seal_and_target(offer);
    (0..).map(Nonce).find(|nonce| search(&seal, &target, *nonce, 1).is_none()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_solution_earns_the_reward() {
    let lab = Lab::quiet(LayerName::Transaction).await;
    let miner = key("a browser").address();
    let (status, offered) = offer(&lab, miner.as_str()).await;
    assert_eq!((status, &offered["index"], &offered["reward"]), (200, &json!(1), &json!(50 * LAB)), "{offered}");
    assert!(lab.nodes.iter().any(|node| offered["node"] == **node), "{offered}");
    let solution = solution(&offered);
    let (status, answer) = solve(&lab, &solution).await;
    assert_eq!((status, &answer["status"]), (201, &json!("taken")), "{answer}");
    lab.agree().await;
    assert_eq!(client().balance(lab.mempool.as_ref().unwrap(), &miner, 1).await.unwrap(), 50 * LAB);
    // Sent again, as after a lost answer, it is the block that the node has.
    let (status, answer) = solve(&lab, &solution).await;
    assert_eq!((status, &answer["status"]), (200, &json!("known")), "{answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_known_nodes_get_requests_and_only_solutions_are_accepted() {
    let lab = Lab::quiet(LayerName::Transaction).await;
    let miner = key("a browser").address();
    assert_eq!(offer(&lab, "lab1nobody").await.0, 400);
    assert_eq!(offer(&lab, &format!("{miner}&more=1")).await.0, 400);
    let (_, offered) = offer(&lab, miner.as_str()).await;
    let good = solution(&offered);
    let but = |name: &str, value: Value| {
        let mut changed = good.clone();
        changed[name] = value;
        changed
    };
    for (solution, status) in [
        (but("node", json!("127.0.0.1:22")), 404),
        (but("node", json!(lab.explorer)), 404),
        (but("node", json!(lab.mempool)), 404),
        (but("nonce", json!("x")), 400),
        (but("seal", json!("")), 400),
        (but("more", json!(1)), 400),
        (but("nonce", json!(wrong_nonce(&offered))), 422),
    ] {
        let (got, answer) = solve(&lab, &solution).await;
        assert_eq!(got, status, "{solution}: {answer}");
    }
    assert_eq!(lab.tip(0).await.index.0, 0);
    until("the right one is taken", async || (solve(&lab, &good).await.0 == 201).then_some(())).await;
}

#[tokio::test]
async fn without_money_there_is_no_work_in_the_browser() {
    let lab = Lab::quiet(LayerName::Data).await;
    let (status, answer) = offer(&lab, key("a browser").address().as_str()).await;
    assert!(status == 404 && answer["detail"].as_str().unwrap().contains("no money"), "{answer}");
}
