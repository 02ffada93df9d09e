//! The members' task: pays at the rate that was asked for through the mempool, as anybody could, and listens to what the
//! mempool says of it. Who pays whom is decided in [`payment_choice`]; what became of it is kept in [`payment_book`].

mod missed_events;
pub mod payment_book;
pub mod payment_choice;
pub mod wallets;

use crate::random::SeededRandom;
use futures_util::StreamExt;
use payment_book::PaymentBook;
use payment_choice::{PaymentChoice, PaymentLimits, choose};
use runtime::client::{Client, Error, Unprocessed};
use shared::block::BlockHash;
use shared::ledger::{Address, Amount, TransactionId, Unsigned, Uuid};
use shared::wire::{MAX_UNPROCESSED, PoolEvent, PoolOrder, Pushed};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};
use tokio_util::sync::CancellationToken;
use wallets::Wallets;

/// Things that may wait to be taken notice of.
const QUEUE: usize = 4096;
/// Payments that may be on their way to the mempool at a time; what is due beyond them is left out.
const IN_FLIGHT: usize = 64;
/// Most payments that become due at once, after a pause.
const MOST_DUE: u64 = 200;
/// How often what is due is looked for.
const TICK: Duration = Duration::from_millis(20);
/// How often the mempool is asked what members have and how much is pending.
const ASK: Duration = Duration::from_millis(500);
/// How soon a broken stream is opened again.
const RETRY: Duration = Duration::from_millis(500);
/// How long payments on their way are waited for when no more are to be made.
const LAST_ANSWERS: Duration = Duration::from_secs(5);

/// Something that was seen of the mempool.
#[derive(Debug)]
pub enum MempoolObservation {
    /// It told an event.
    Event(PoolEvent),
    /// How many payments wait for a block.
    Pending(u64),
    /// A payment was refused, or did not come through.
    Refused {
        /// Who wanted to pay.
        from: Address,
        /// Whom.
        to: Address,
        /// How much.
        amount: Amount,
        /// Why not.
        reason: String,
    },
    /// Its events ended.
    Silent(String),
    /// Its events came back.
    Back,
}

/// What the members' task needs to know.
#[derive(Debug)]
pub struct PayersSettings {
    /// Asks the mempool.
    pub client: Client,
    /// `host:port` of the mempool at each moment.
    pub mempool: watch::Receiver<String>,
    /// Part of what is signed.
    pub network: BlockHash,
    /// Who pays.
    pub wallets: Arc<Wallets>,
    /// Payments a second; 0 = none.
    pub rate: u32,
    /// What payments must keep to.
    pub limits: PaymentLimits,
    /// Decides who pays whom how much.
    pub random: SeededRandom,
}

/// A handle to the members' task.
#[derive(Debug)]
pub struct Payers {
    paying: CancellationToken,
    ended: CancellationToken,
    task: JoinHandle<PaymentBook>,
}

impl Payers {
    /// Starts to pay and to listen; what is seen goes to `seen`.
    pub fn start(settings: PayersSettings, observations: Sender<MempoolObservation>) -> Self {
        let (paying, ended) = (CancellationToken::new(), CancellationToken::new());
        let (inputs, received) = channel(QUEUE);
        let (client, mempool) = (&settings.client, &settings.mempool);
        let follow = follow_events(client.clone(), mempool.clone(), inputs.clone());
        let addresses = settings.wallets.list.iter().map(|wallet| wallet.pair.address()).collect();
        let ask = ask_balances(client.clone(), mempool.clone(), addresses, inputs.clone());
        tokio::spawn(ended.clone().run_until_cancelled_owned(follow));
        tokio::spawn(ended.clone().run_until_cancelled_owned(ask));
        let book = PaymentBook::new(settings.wallets.list.iter().map(|wallet| wallet.pair.address()));
        let task = PayersTask { settings, book, inputs, observations, in_flight: 0, is_away: false };
        let task = tokio::spawn(task.run(received, paying.clone(), ended.clone()));
        Self { paying, ended, task }
    }

    /// No more payments; those on their way are still answered.
    pub fn stop_paying(&self) {
        self.paying.cancel();
    }

    /// Ends everything once the last payments are answered; what became of all.
    pub async fn finish(self) -> Option<PaymentBook> {
        self.paying.cancel();
        self.ended.cancel();
        self.task.await.ok()
    }
}

/// What the task takes notice of.
enum PayersInput {
    NodeObservation(MempoolObservation),
    /// It happened while nobody listened.
    Missed(PoolEvent),
    Balance(usize, u64),
    Answer(PaymentChoice, TransactionId, Result<Pushed, Error>),
}

struct PayersTask {
    settings: PayersSettings,
    book: PaymentBook,
    inputs: Sender<PayersInput>,
    observations: Sender<MempoolObservation>,
    in_flight: usize,
    /// Nobody pays while the mempool does not tell what becomes of it.
    is_away: bool,
}

impl PayersTask {
    async fn run(
        mut self,
        mut received: Receiver<PayersInput>,
        paying: CancellationToken,
        ended: CancellationToken,
    ) -> PaymentBook {
        self.load_pending().await;
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (begun, mut made) = (Instant::now(), 0);
        loop {
            tokio::select! {
                () = ended.cancelled() => break,
                _ = ticks.tick(), if self.settings.rate > 0 && !paying.is_cancelled() => {
                    let due = begun.elapsed().as_millis() as u64 * u64::from(self.settings.rate) / 1000;
                    made = made.max(due.saturating_sub(MOST_DUE));
                    while made < due {
                        made += 1;
                        self.pay();
                    }
                }
                Some(input) = received.recv() => self.take(input).await,
            }
        }
        let answers = async {
            while self.in_flight > 0
                && let Some(input) = received.recv().await
            {
                self.take(input).await;
            }
        };
        // Whatever is not answered by now was not accepted, as far as we know.
        let _ = timeout(LAST_ANSWERS, answers).await;
        self.book
    }

    /// Takes notice of what an earlier run has left pending.
    async fn load_pending(&mut self) {
        let PayersSettings { client, mempool, .. } = &self.settings;
        let mempool = mempool.borrow().clone();
        // Whoever does not answer has nothing that we know of.
        let unprocessed = client.unprocessed(&mempool, PoolOrder::Age, MAX_UNPROCESSED, None).await;
        let Ok(Unprocessed::Pending { transactions, .. }) = unprocessed else { return };
        for transaction in transactions {
            self.book.apply_event(&PoolEvent::Transaction(Box::new(transaction)));
        }
    }

    /// Makes one payment, if somebody can afford one.
    fn pay(&mut self) {
        let PayersSettings { client, mempool, network, wallets, limits, random, .. } = &mut self.settings;
        let mut uuid = [0; 16];
        if self.is_away || self.in_flight >= IN_FLIGHT || getrandom::fill(&mut uuid).is_err() {
            return;
        }
        let Some(choice) = choose(random, &self.book.spendable(), limits) else { return };
        let (payer, payee) = (&wallets.list[choice.payer].pair, &wallets.list[choice.payee].pair);
        let PaymentChoice { amount, fee, ref msg, .. } = choice;
        let (from, to) = (payer.address(), payee.address());
        let unsigned = Unsigned { uuid: Uuid(uuid), from, to, amount, fee, msg: msg.clone() };
        let transaction = payer.sign_transaction(unsigned, *network);
        self.book.record_sent(&transaction);
        self.in_flight += 1;
        let (client, mempool, inputs) = (client.clone(), mempool.borrow().clone(), self.inputs.clone());
        tokio::spawn(async move {
            let answer = client.push_transaction(&mempool, &transaction).await;
            // Whoever listens is gone only when the run is over.
            let _ = inputs.send(PayersInput::Answer(choice, transaction.id, answer)).await;
        });
    }

    /// The mempool tells its events again: what became of the payments that it had?
    fn ask_missed_events(&self) {
        let pending = self.book.payments().filter(|(_, state)| **state == payment_book::PaymentState::Pending);
        let pending = pending.map(|(id, _)| *id).collect();
        let PayersSettings { client, mempool, .. } = &self.settings;
        tokio::spawn(missed_events::ask(client.clone(), mempool.borrow().clone(), pending, self.inputs.clone()));
    }

    async fn take(&mut self, input: PayersInput) {
        let observation = match input {
            PayersInput::Balance(member, grains) => return self.book.set_balance(member, grains),
            PayersInput::Missed(event) => return self.book.apply_event(&event),
            PayersInput::NodeObservation(observation) => {
                match &observation {
                    MempoolObservation::Event(event) => self.book.apply_event(event),
                    MempoolObservation::Silent(_) => self.is_away = true,
                    MempoolObservation::Back => {
                        self.is_away = false;
                        self.ask_missed_events();
                    }
                    _ => {}
                }
                observation
            }
            PayersInput::Answer(choice, id, answer) => {
                self.in_flight -= 1;
                let Err(error) = answer else { return self.book.record_accepted(id) };
                self.book.record_refused(id);
                let address = |member: usize| self.settings.wallets.list[member].pair.address();
                let (from, to) = (address(choice.payer), address(choice.payee));
                MempoolObservation::Refused { from, to, amount: choice.amount, reason: reason(error) }
            }
        };
        let _ = self.observations.send(observation).await;
    }
}

/// What a refusal says is enough; of another failure, all.
fn reason(error: Error) -> String {
    match error {
        Error::Refused(problem) if !problem.detail.is_empty() => problem.detail,
        error => error.to_string(),
    }
}

async fn follow_events(client: Client, mempool: watch::Receiver<String>, inputs: Sender<PayersInput>) {
    let mut is_silent = false;
    loop {
        let at = mempool.borrow().clone();
        let ended = match client.pool_events(&at).await {
            Err(error) => error.to_string(),
            Ok(events) => {
                let mut events = std::pin::pin!(events);
                if std::mem::take(&mut is_silent) {
                    let _ = inputs.send(PayersInput::NodeObservation(MempoolObservation::Back)).await;
                }
                loop {
                    match events.next().await {
                        Some(Ok(event)) => {
                            let _ = inputs.send(PayersInput::NodeObservation(MempoolObservation::Event(event))).await;
                        }
                        Some(Err(error)) => break error.to_string(),
                        None => break "its event stream ended".to_owned(),
                    }
                }
            }
        };
        if !std::mem::replace(&mut is_silent, true) {
            let _ = inputs.send(PayersInput::NodeObservation(MempoolObservation::Silent(ended))).await;
        }
        sleep(RETRY).await;
    }
}

async fn ask_balances(
    client: Client,
    mempool: watch::Receiver<String>,
    addresses: Vec<Address>,
    inputs: Sender<PayersInput>,
) {
    loop {
        let mempool = mempool.borrow().clone();
        for (member, address) in addresses.iter().enumerate() {
            if let Ok(grains) = client.balance(&mempool, address, 1).await {
                let _ = inputs.send(PayersInput::Balance(member, grains)).await;
            }
        }
        if let Ok(info) = client.info(&mempool).await
            && let Some(pool) = info.pool
        {
            let _ = inputs.send(PayersInput::NodeObservation(MempoolObservation::Pending(pool.count))).await;
        }
        sleep(ASK).await;
    }
}
