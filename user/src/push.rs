//! Sends a transaction to a mempool, and to the others of its network that the tracker lists.
//!
//! Mempools do not pass transactions on to each other, and only a mempool that has a transaction knows which coins or
//! which money it takes. If one mempool had it alone, the next command might ask another one and spend the same coin
//! again. What the others answer cannot harm the payment: the chosen mempool has accepted it already.

use crate::Error;
use crate::console::Console;
use crate::services::RemoteService;
use futures_util::future::join_all;
use runtime::client;
use serde::Serialize;
use shared::ledger::{Transaction, TransactionId};
use shared::wire::PushStatus;
use std::time::Duration;
use tokio::time::timeout;

/// How long the others may take, all together: one that does not answer in time is skipped.
const OTHERS_TIMEOUT: Duration = Duration::from_secs(3);

/// The answers of mempools to a transaction.
#[derive(Debug, Serialize)]
pub(crate) struct PushResult {
    /// What the chosen mempool did.
    pub(crate) status: PushStatus,
    /// Which of the others refused it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    refused_by: Vec<Refusal>,
}

#[derive(Debug, Serialize)]
struct Refusal {
    mempool: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<String>,
    detail: String,
}

impl PushResult {
    /// The result for a transaction that the chosen mempool has had before, so that it is not sent.
    pub(crate) const fn known() -> Self {
        Self { status: PushStatus::Known, refused_by: Vec::new() }
    }

    /// Prints a note for each refusal.
    pub(crate) fn note_refusals(&self, console: &mut Console) {
        for Refusal { mempool, rule, detail } in &self.refused_by {
            let is_rival = matches!(rule.as_deref(), Some("conflict" | "replacement"));
            let end = if is_rival { "; at most one of the two can be confirmed" } else { "" };
            console.note(&format!("the mempool at {mempool} refuses the transaction: {detail}{end}"));
        }
    }
}

/// Sends a transaction to the mempool, and once this has accepted it, to all others at once.
///
/// # Errors
/// Fails if the mempool refuses it or gives no usable answer.
pub(crate) async fn push(mempool: &RemoteService, transaction: &Transaction) -> Result<PushResult, Error> {
    let pushed = mempool.client.push_transaction(&mempool.address, transaction).await;
    let pushed = pushed.and_then(|pushed| {
        let other = || client::Error::Malformed(format!("its answer is about the transaction {}", pushed.id));
        if pushed.id == transaction.id() { Ok(pushed) } else { Err(other()) }
    });
    let pushed = pushed.map_err(|error| mempool.request_error(failed_action(transaction.id(), &error))(error))?;
    let others = mempool.others.iter().map(|other| push_to_other(&mempool.client, other, transaction));
    let refused_by = join_all(others).await.into_iter().flatten().collect();
    Ok(PushResult { status: pushed.status, refused_by })
}

/// Sends a transaction to one of the others; returns its refusal, if it has answered with one.
async fn push_to_other(client: &client::Client, other: &str, transaction: &Transaction) -> Option<Refusal> {
    match timeout(OTHERS_TIMEOUT, client.push_transaction(other, transaction)).await {
        Ok(Err(client::Error::Refused(problem))) => {
            Some(Refusal { mempool: other.to_owned(), rule: problem.rule, detail: problem.detail })
        }
        _ => None,
    }
}

/// The action that failed. If the mempool gave no answer, the payment may have arrived, and sending another could pay
/// twice.
fn failed_action(id: TransactionId, error: &client::Error) -> String {
    match error {
        client::Error::Refused(_) => "send the transaction".to_owned(),
        _ => format!("find out whether the transaction {id} has arrived (run `user tx {id}` before you send another)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::wire::Problem;

    #[test]
    fn without_an_answer_it_may_have_arrived() {
        let id = TransactionId::of("a payment");
        let words = failed_action(id, &client::Error::Slow);
        assert!(words.contains(&format!("user tx {id}")), "{words}");
        let refused = client::Error::Refused(Box::new(Problem::new(422, "Unprocessable Content", "too poor")));
        assert_eq!(failed_action(id, &refused), "send the transaction");
    }
}
