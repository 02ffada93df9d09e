//! Bodies made to break a mempool: each is refused with a reason, and the pool stays unchanged.

use crate::lab::{Asked, LAB, Lab, faucet};
use serde::Deserialize;

#[derive(Deserialize)]
struct Vectors {
    cases: Vec<Reject>,
}

#[derive(Deserialize)]
struct Reject {
    why: String,
    r#as: String,
    body: String,
}

#[tokio::test]
async fn every_published_body_is_refused_with_its_reason() {
    let lab = Lab::of(faucet("hostile"));
    let mempool = lab.mempool(&[]).await;
    let payment = lab.pay("alice", "bob", LAB, 1000);
    mempool.accept(&payment).await;
    let vectors: Vectors = serde_json::from_str(include_str!("../../../shared/tests/vectors/rejects.json")).unwrap();
    assert!(vectors.cases.len() >= 30);
    for Reject { why, r#as, body } in vectors.cases {
        for body in [body.clone(), serde_json::Value::String(body).to_string()] {
            let answer = mempool.push_text(body).await;
            match r#as.as_str() {
                "malformed" => assert_eq!(answer.refused(400).rule, None, "{why}"),
                // All are for another network; a wrong amount or message is found before that.
                "rule" => {
                    let rule = answer.refused(422).rule.unwrap_or_else(|| panic!("{why}: no rule"));
                    let expected = match why.as_str() {
                        "sum above 2^53" | "nothing moves" => "amount",
                        "control character" | "C1 control character" | "message too long" => "msg",
                        _ => "id",
                    };
                    assert_eq!(rule, expected, "{why}");
                }
                other => panic!("{why}: unknown kind {other}"),
            }
        }
    }
    assert_eq!(mempool.pending().await, [payment]);
}
