//! Members who pay one another through the mempool, as anyone could: a task that makes payments at the chosen rate and
//! follows the mempool's events. [`payment_choice`] decides who pays whom; [`payment_book`] keeps the outcomes.

pub mod coins;
mod missed_events;
pub mod payment_book;
pub mod payment_choice;
pub mod programs;
pub mod wallets;

use coins::{CoinOrder, MemberCoins};
use futures_util::StreamExt;
use payment_book::{PaymentBook, PaymentState};
use payment_choice::{PaymentChoice, PaymentLimits, choose};
use programs::{ProgramChoice, Programs};
use runtime::client::{Client, Error, Unprocessed};
use shared::block::BlockHash;
use shared::ledger::{AccountId, Address, Amount, Transaction, Transfer, Unsigned, UnsignedSpend, Uuid};
use shared::random::Random;
use shared::wire::{MAX_UNPROCESSED, PoolEvent, PoolOrder, Pushed, UnspentCoin};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};
use tokio_util::sync::CancellationToken;
use wallets::MemberWallets;

/// Inputs that may wait for the task.
const QUEUE: usize = 4096;
/// Most payments on their way to the mempool at the same time; payments that become due beyond them are not made.
const MAX_IN_FLIGHT: usize = 64;
/// Most payments that become due at once, after a pause.
const MAX_DUE: u64 = 200;
/// How often the task looks for payments that are due.
const TICK: Duration = Duration::from_millis(20);
/// Time between two requests for the members' balances and the number of pending payments.
const POLL: Duration = Duration::from_millis(500);
/// Time before a broken stream is opened again.
const RETRY: Duration = Duration::from_millis(500);
/// Most coins of a member that are asked for.
const MAX_COINS: usize = 1000;
/// How long the task waits at the end for replies to the last payments.
const LAST_REPLIES: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub enum MempoolObservation {
    /// From the mempool's event stream.
    Event(PoolEvent),
    /// How many payments wait for a block.
    Pending(u64),
    /// The mempool refused a payment, or the request failed.
    Refused { from: Address, to: Address, amount: Amount, reason: String },
    /// The event stream broke, for this reason.
    Silent(String),
    /// The event stream is open again.
    Back,
}

#[derive(Debug)]
pub struct PayersSettings {
    pub client: Client,
    /// `host:port`; another mempool may take over during the run.
    pub mempool: watch::Receiver<String>,
    /// The network's id, which is part of what is signed.
    pub network: BlockHash,
    pub wallets: Arc<MemberWallets>,
    /// Payments per second; 0 for none.
    pub rate: u32,
    pub limits: PaymentLimits,
    /// Decides who pays whom, how much and what for.
    pub random: Random,
    /// The reward of a block, on a network whose members also make and call programs.
    pub reward_with_programs: Option<u64>,
    /// Whether money is coins.
    pub has_coins: bool,
}

#[derive(Debug)]
pub struct Payers {
    paying: CancellationToken,
    ended: CancellationToken,
    task: JoinHandle<PaymentBook>,
}

impl Payers {
    /// Starts the task, which sends what it observes to `observations`.
    pub fn start(settings: PayersSettings, observations: Sender<MempoolObservation>) -> Self {
        let (paying, ended) = (CancellationToken::new(), CancellationToken::new());
        let (inputs, queue) = channel(QUEUE);
        let (client, mempool) = (&settings.client, &settings.mempool);
        let addresses: Vec<Address> = settings.wallets.directory().map(|(address, _)| address).collect();
        let book = PaymentBook::new(addresses.iter().cloned());
        let follow = follow_events(client.clone(), mempool.clone(), inputs.clone());
        let coins = settings.has_coins.then(|| MemberCoins::new(addresses.len()));
        let poll = poll_balances(client.clone(), mempool.clone(), (addresses, coins.is_some()), inputs.clone());
        tokio::spawn(ended.clone().run_until_cancelled_owned(follow));
        tokio::spawn(ended.clone().run_until_cancelled_owned(poll));
        let programs = Programs::new(settings.wallets.list.len());
        let task = PayersTask { settings, book, programs, coins, inputs, observations, in_flight: 0, is_away: false };
        let task = tokio::spawn(task.run(queue, paying.clone(), ended.clone()));
        Self { paying, ended, task }
    }

    /// Makes no more payments; replies to those on their way are still taken.
    pub fn stop_paying(&self) {
        self.paying.cancel();
    }

    /// Ends the task once the last replies have come. Returns its book, or `None` if the task has panicked.
    pub async fn finish(self) -> Option<PaymentBook> {
        self.paying.cancel();
        self.ended.cancel();
        self.task.await.ok()
    }
}

enum PayersInput {
    Observation(MempoolObservation),
    /// An event that was missed while the stream was broken.
    Missed(PoolEvent),
    /// A member's number, and balance in grains.
    Balance(usize, u64),
    /// A member's number, and coins.
    Coins(usize, Vec<UnspentCoin>),
    /// The mempool's reply to a payment.
    Reply(Box<Transaction>, Result<Pushed, Error>),
}

/// A payment or call to be signed and sent.
struct Order {
    /// The member's number.
    payer: usize,
    to: Address,
    amount: Amount,
    fee: Amount,
    msg: String,
}

struct PayersTask {
    settings: PayersSettings,
    book: PaymentBook,
    programs: Programs,
    /// Only where money is coins.
    coins: Option<MemberCoins>,
    inputs: Sender<PayersInput>,
    observations: Sender<MempoolObservation>,
    in_flight: usize,
    /// While the mempool's event stream is broken, no payments are made.
    is_away: bool,
}

impl PayersTask {
    async fn run(
        mut self,
        mut queue: Receiver<PayersInput>,
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
                    made = made.max(due.saturating_sub(MAX_DUE));
                    while made < due {
                        made += 1;
                        self.pay();
                    }
                }
                Some(input) = queue.recv() => self.handle(input).await,
            }
        }
        let replies = async {
            while self.in_flight > 0
                && let Some(input) = queue.recv().await
            {
                self.handle(input).await;
            }
        };
        // A payment without a reply by now counts as not accepted.
        let _ = timeout(LAST_REPLIES, replies).await;
        self.book
    }

    /// Adds the payments that an earlier run left pending.
    async fn load_pending(&mut self) {
        let PayersSettings { client, mempool, .. } = &self.settings;
        let mempool = mempool.borrow().clone();
        let unprocessed = client.unprocessed(&mempool, PoolOrder::Age, MAX_UNPROCESSED, None).await;
        let Ok(Unprocessed::Pending { transactions, .. }) = unprocessed else { return };
        for transaction in transactions {
            self.book.apply_event(&PoolEvent::Transaction(Box::new(transaction)));
        }
    }

    /// Makes one payment, if a member can afford one.
    fn pay(&mut self) {
        if self.is_away || self.in_flight >= MAX_IN_FLIGHT {
            return;
        }
        let transaction = if self.coins.is_some() { self.spend() } else { self.payment() };
        let Some(transaction) = transaction else { return };
        self.book.record_sent(&transaction);
        self.in_flight += 1;
        let PayersSettings { client, mempool, .. } = &self.settings;
        let (client, mempool, inputs) = (client.clone(), mempool.borrow().clone(), self.inputs.clone());
        tokio::spawn(async move {
            let reply = client.push_transaction(&mempool, &transaction).await;
            // Fails only after the task has ended.
            let _ = inputs.send(PayersInput::Reply(Box::new(transaction), reply)).await;
        });
    }

    /// The next payment or call between accounts.
    fn payment(&mut self) -> Option<Transaction> {
        let mut uuid = [0; 16];
        getrandom::fill(&mut uuid).ok()?;
        let Order { payer, to, amount, fee, msg } = self.choose()?;
        let payer = &self.settings.wallets.list[payer].pair;
        let unsigned = Unsigned { uuid: Uuid(uuid), from: payer.address(), to, amount, fee, msg };
        Some(payer.sign_transaction(unsigned, self.settings.network))
    }

    /// The next transaction that spends coins.
    fn spend(&mut self) -> Option<Transaction> {
        let PayersSettings { wallets, limits, random, network, .. } = &mut self.settings;
        let addresses: Vec<Address> = wallets.directory().map(|(address, _)| address).collect();
        let coins = self.coins.as_mut()?;
        let CoinOrder { payer, inputs, outputs, msg } = coins.choose(random, limits, &addresses)?;
        let pair = &wallets.list[payer].pair;
        let transaction = UnsignedSpend { inputs, outputs, msg }.sign(*network, |_, text| pair.sign(text));
        coins.record_sent(transaction.as_spend()?);
        Some(transaction)
    }

    /// What is done next: something with a program, where there are programs, or a payment.
    fn choose(&mut self) -> Option<Order> {
        let PayersSettings { wallets, limits, random, reward_with_programs, .. } = &mut self.settings;
        let spendable = self.book.spendable();
        if let Some(reward) = *reward_with_programs {
            let accounts: Vec<AccountId> = wallets.list.iter().map(|one| one.pair.address().account()).collect();
            let choice = self.programs.choose(random, &spendable, &accounts, reward);
            let fits = |choice: &ProgramChoice| choice.msg.len() as u64 <= limits.max_msg_bytes;
            if let Some(ProgramChoice { caller, to, amount, fee, msg }) = choice.filter(fits) {
                return Some(Order { payer: caller, to, amount, fee, msg });
            }
        }
        let PaymentChoice { payer, payee, amount, fee, msg } = choose(random, &spendable, limits)?;
        Some(Order { payer, to: wallets.list[payee].pair.address(), amount, fee, msg })
    }

    /// The event stream is open again: fetches the outcomes that it missed.
    fn fetch_missed_events(&self) {
        let pending = self.book.payments().filter(|(_, state)| **state == PaymentState::Pending);
        let pending = pending.map(|(id, _)| *id).collect();
        let PayersSettings { client, mempool, .. } = &self.settings;
        tokio::spawn(missed_events::fetch(client.clone(), mempool.borrow().clone(), pending, self.inputs.clone()));
    }

    fn apply_event(&mut self, event: &PoolEvent) {
        self.book.apply_event(event);
        self.coins.iter_mut().for_each(|coins| coins.apply_event(event));
    }

    async fn handle(&mut self, input: PayersInput) {
        let observation = match input {
            PayersInput::Balance(member, grains) => return self.book.set_balance(member, grains),
            PayersInput::Coins(member, coins) => {
                let sum = coins.iter().map(|coin| coin.amount.grains()).fold(0, u64::saturating_add);
                self.coins.iter_mut().for_each(|members| members.set_coins(member, &coins));
                return self.book.set_balance(member, sum);
            }
            PayersInput::Missed(event) => return self.apply_event(&event),
            PayersInput::Observation(observation) => {
                match &observation {
                    MempoolObservation::Event(event) => self.apply_event(event),
                    MempoolObservation::Silent(_) => self.is_away = true,
                    MempoolObservation::Back => {
                        self.is_away = false;
                        self.fetch_missed_events();
                    }
                    _ => {}
                }
                observation
            }
            PayersInput::Reply(transaction, reply) => {
                self.in_flight -= 1;
                let (id, Transfer { from, to, amount, .. }) = (transaction.id(), transaction.transfer());
                let coins = self.coins.as_mut().zip(transaction.as_spend());
                let Err(error) = reply else {
                    let maker = self.settings.wallets.list.iter().position(|one| one.pair.address() == from);
                    let maker = maker.unwrap_or_default();
                    self.programs.learn(&transaction, maker);
                    coins.into_iter().for_each(|(coins, spend)| coins.record_accepted(maker, spend));
                    return self.book.record_accepted(id);
                };
                let is_conflict =
                    matches!(&error, Error::Refused(problem) if problem.rule.as_deref() == Some("conflict"));
                coins.into_iter().for_each(|(coins, spend)| coins.record_refused(spend, is_conflict));
                self.book.record_refused(id);
                MempoolObservation::Refused { from, to, amount, reason: reason(error) }
            }
        };
        let _ = self.observations.send(observation).await;
    }
}

/// A refusal's own words; for another failure, the whole error.
fn reason(error: Error) -> String {
    match error {
        Error::Refused(problem) if !problem.detail.is_empty() => problem.detail,
        error => error.to_string(),
    }
}

async fn follow_events(client: Client, mempool: watch::Receiver<String>, inputs: Sender<PayersInput>) {
    // Sending fails only after the task has ended.
    let send = async |observation| drop(inputs.send(PayersInput::Observation(observation)).await);
    let mut is_silent = false;
    loop {
        let address = mempool.borrow().clone();
        let reason = match client.pool_events(&address).await {
            Err(error) => error.to_string(),
            Ok(events) => {
                let mut events = std::pin::pin!(events);
                if std::mem::take(&mut is_silent) {
                    send(MempoolObservation::Back).await;
                }
                loop {
                    match events.next().await {
                        Some(Ok(event)) => send(MempoolObservation::Event(event)).await,
                        Some(Err(error)) => break error.to_string(),
                        None => break "its event stream ended".to_owned(),
                    }
                }
            }
        };
        if !std::mem::replace(&mut is_silent, true) {
            send(MempoolObservation::Silent(reason)).await;
        }
        sleep(RETRY).await;
    }
}

async fn poll_balances(
    client: Client,
    mempool: watch::Receiver<String>,
    (addresses, has_coins): (Vec<Address>, bool),
    inputs: Sender<PayersInput>,
) {
    loop {
        let mempool = mempool.borrow().clone();
        for (member, address) in addresses.iter().enumerate() {
            if has_coins {
                if let Ok(page) = client.unspent(&mempool, address, None, MAX_COINS).await {
                    let _ = inputs.send(PayersInput::Coins(member, page.entries)).await;
                }
            } else if let Ok(grains) = client.balance(&mempool, address, 1).await {
                let _ = inputs.send(PayersInput::Balance(member, grains)).await;
            }
        }
        if let Ok(info) = client.info(&mempool).await
            && let Some(pool) = info.pool
        {
            let _ = inputs.send(PayersInput::Observation(MempoolObservation::Pending(pool.count))).await;
        }
        sleep(POLL).await;
    }
}
