//! The checks of a pushed transaction, the cheapest first (docs/protocol.md §11): the source's rate, shape, points of
//! the curve, content, whether it is known and covered, its signature.
//!
//! The computing runs on threads of its own with a bounded queue, not on those that serve HTTP.

use crate::pool_state::{Admission, NotKept, PoolState, PushError};
use crate::rate_limit::RateLimit;
use http::StatusCode;
use metrics::counter;
use rayon::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};
use runtime::clock::Clock;
use runtime::server::{self, Request, Response, Source, problem, reply};
use shared::chain::Rules;
use shared::keys::Verifier;
use shared::ledger::{Transaction, TransactionId, TransactionRules, TransactionViolation};
use shared::pool::{AdmissionError, Pending, StageError, Weights};
use shared::violation::RuleViolation;
use shared::wire::{PUSH_BYTES, Problem, PushStatus, Pushed};
use std::sync::Arc;
use tokio::sync::{Semaphore, oneshot};

/// The most pushes that wait for a check.
const MAX_QUEUED: usize = 8192;

/// Checks pushes and admits them to the pool.
pub(crate) struct Admissions {
    pool_state: Arc<PoolState>,
    verifier: Arc<dyn Verifier>,
    rules: TransactionRules,
    layer_rules: Arc<Rules>,
    weights: Weights,
    clock: Clock,
    rate_limit: RateLimit,
    queued: Arc<Semaphore>,
    /// Each takes the next push from the queue when it is done with one, without waking others.
    checkers: ThreadPool,
}

impl Admissions {
    pub(crate) fn new(
        pool_state: Arc<PoolState>,
        verifier: Arc<dyn Verifier>,
        layer_rules: Arc<Rules>,
        clock: Clock,
        rate_limit: RateLimit,
    ) -> Result<Self, ThreadPoolBuildError> {
        let rules = TransactionRules::of(pool_state.params());
        let weights = Weights::of(pool_state.params());
        // One more than cores, since one may be waiting for the pool's lock.
        let threads = std::thread::available_parallelism().map_or(1, usize::from) + 1;
        // A panic would be a defect of ours: it ends one push, and the standard hook has logged it.
        let checkers = ThreadPoolBuilder::new().num_threads(threads).panic_handler(|_| ());
        let checkers = checkers.thread_name(|number| format!("push-{number}")).build()?;
        let queued = Arc::new(Semaphore::new(MAX_QUEUED));
        Ok(Self { pool_state, verifier, rules, layer_rules, weights, clock, rate_limit, queued, checkers })
    }

    /// Admits the transaction in the body of `request`; responds when it is on disk.
    pub(crate) async fn push(self: &Arc<Self>, request: Request) -> Result<Response, Problem> {
        let result = self.decide(request).await;
        let outcome = match &result {
            Ok((_, PushStatus::Accepted)) => "accepted",
            Ok((_, PushStatus::Known)) => "known",
            Err(refused) => match refused.status {
                422 => "broken",
                429 => "limited",
                500.. => "unavailable",
                _ => "malformed",
            },
        };
        counter!("chainlab_pushes_total", "result" => outcome).increment(1);
        let (id, status) = result?;
        let code = if status == PushStatus::Accepted { StatusCode::CREATED } else { StatusCode::OK };
        reply::status(code, &Pushed { id, status })
    }

    async fn decide(self: &Arc<Self>, mut request: Request) -> Result<(TransactionId, PushStatus), Problem> {
        self.count(request.source, 1)?;
        let transaction = read(&request.bytes(push_bytes(&self.rules)).await?)?;
        // Nearly all of the cost is in the signatures, of which a payment has one.
        let signatures = transaction.as_spend().map_or(1, |spend| spend.signatures.len());
        if signatures > 1 {
            self.count(request.source, signatures - 1)?;
        }
        let id = transaction.id();
        let busy = |_| server::unavailable("too many transactions wait to be checked already; try again");
        let queued = self.queued.clone().try_acquire_owned().map_err(busy)?;
        let (reply, judged) = oneshot::channel();
        let this = self.clone();
        // The check continues and keeps its place even if the client disconnects.
        self.checkers.spawn(move || {
            let _place = queued;
            // Sending fails if the client is gone.
            let _ = reply.send(this.judge(transaction));
        });
        let judged = judged.await.map_err(|_| server::internal("the check of the transaction broke off"))?;
        let (status, written) = match judged? {
            Admission::Accepted(written) => (PushStatus::Accepted, Some(written)),
            Admission::Known(written) => (PushStatus::Known, written),
        };
        if let Some(written) = written {
            let not_kept = |error: NotKept| match error {
                NotKept::Replaced { .. } => server::unprocessable("conflict", error.to_string()),
                _ => server::unavailable(error.to_string()),
            };
            let stopping = |_| server::unavailable("the mempool is shutting down");
            written.await.map_err(stopping)?.map_err(not_kept)?;
        }
        Ok((id, status))
    }

    fn count(&self, source: Source, pushes: usize) -> Result<(), Problem> {
        if self.rate_limit.take(source, pushes, self.clock.now().uptime_ms) {
            return Ok(());
        }
        Err(problem(StatusCode::TOO_MANY_REQUESTS, "too many transactions from this address; wait a moment"))
    }

    fn judge(&self, transaction: Transaction) -> Result<Admission, Problem> {
        let addresses = transaction.addresses();
        // An address that is no key's is one of a program, which is no address at all on other layers.
        for address in addresses.iter().filter(|address| address.is_key() || !self.rules.has_programs) {
            self.verifier.is_point(address).map_err(|broken| broken_problem(&broken))?;
        }
        let text = transaction.check_content(&self.rules).map_err(|broken| broken_problem(&broken))?;
        self.layer_rules.layer().check_machine_rules(&transaction).map_err(rule_problem)?;
        let newcomer = Pending::weighed(Arc::new(transaction), self.clock.time().as_ms(), &self.weights);
        let refused = match self.pool_state.check(&newcomer) {
            Ok(None) => None,
            Ok(Some(known)) => return Ok(known),
            // Its owner spends a coin twice only if the signatures are valid.
            Err(refused) if refused.rival().is_some() => Some(refused),
            Err(refused) => return Err(refused_problem(&refused)),
        };
        let verified = newcomer.transaction.verify(&text, &self.rules, self.verifier.as_ref());
        verified.map_err(|broken| broken_problem(&broken))?;
        let id = newcomer.id();
        refused.map_or_else(|| self.pool_state.admit(newcomer), Err).map_err(|refused| {
            self.pool_state.report_rival(id, &refused);
            refused_problem(&refused)
        })
    }
}

/// The longest body of a push: on layer `program`, code may be longer than all that other layers carry.
fn push_bytes(rules: &TransactionRules) -> usize {
    let longest = usize::try_from(rules.max_msg_bytes).unwrap_or(usize::MAX).saturating_add(PUSH_BYTES);
    if rules.has_programs { longest } else { PUSH_BYTES }
}

fn rule_problem(broken: RuleViolation) -> Problem {
    server::unprocessable(broken.rule, broken.detail)
}

/// Reads a transaction, or a JSON string that contains one.
fn read(body: &[u8]) -> Result<Transaction, Problem> {
    let malformed = |error: serde_json::Error| server::bad_request(format!("not a transaction: {error}"));
    if body.trim_ascii_start().starts_with(b"\"") {
        let inner: String = serde_json::from_slice(body).map_err(malformed)?;
        return serde_json::from_str(&inner).map_err(malformed);
    }
    serde_json::from_slice(body).map_err(malformed)
}

fn broken_problem(broken: &TransactionViolation) -> Problem {
    match broken {
        TransactionViolation::NotAPoint(_) => server::bad_request(format!("not a transaction: {broken}")),
        broken => server::unprocessable(broken.name(), broken.to_string()),
    }
}

fn refused_problem(refused: &PushError) -> Problem {
    match refused {
        PushError::Stage(StageError::Pool(refusal)) => refusal_problem(refusal),
        PushError::Store(error) => {
            tracing::debug!(%error, "the chain cannot be read");
            server::unavailable(refused.to_string())
        }
        PushError::Broken(broken) => rule_problem(broken.clone()),
        PushError::Stage(StageError::Busy) | PushError::NotReady(_) | PushError::Machine(_) => {
            server::unavailable(refused.to_string())
        }
    }
}

fn refusal_problem(refusal: &AdmissionError) -> Problem {
    match refusal.rule() {
        Some(rule) => server::unprocessable(rule, refusal.to_string()),
        None => server::unavailable(refusal.to_string()),
    }
}
