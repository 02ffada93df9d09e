//! An attacker: an outside client that follows the nodes over public HTTP, mines on a branch of its own, and publishes
//! when its strategy says so. The strategy is a file of the laboratory, the same that runs in virtual time.
//!
//! `branches` knows blocks and asks the strategy; `theft` makes payments, and `stealing` leads a theft from the payment
//! to its end; this module sends requests. It needs no token, so it works on any network.

mod branches;
mod on_demand;
mod stealing;
mod theft;

pub(crate) use on_demand::steal_on_demand;

use crate::attacker_options::{AttackerOptions, NAME};
use crate::event::{AttackStep, RunEvent};
use crate::network::NodeList;
use anyhow::anyhow;
use branches::Branches;
use explorer::Thefts;
use runtime::client::Client;
use runtime::clock::Clock;
use runtime::miner::{Hashrate, Job, MinedHeader, Miner, MinerSettings};
use runtime::verifier::CachingVerifier;
use shared::block::{Block, Nonce};
use shared::chain::Rules;
use shared::keys::KeyPair;
use shared::ledger::{Address, Transaction};
use shared::params::Params;
use shared::wire::{BlocksRequest, HeadersRequest};
use std::sync::Arc;
use std::time::Duration;
use theft::{PATIENCE, Phase, Theft};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;

/// Blocks of a request while the attacker catches up.
const BLOCKS: u64 = 200;
/// Time between two looks at the nodes: a part of the interval between blocks, within these bounds.
const LOOKS_PER_INTERVAL: u64 = 50;
const LOOK_MS: (u64, u64) = (20, 500);
/// How often the nodes' hash rate is read before it counts as none, and the time between two readings.
const READINGS: u32 = 60;
const READING: Duration = Duration::from_secs(1);
/// Signatures that are remembered.
const SIGNATURES: usize = 10_000;

/// Thefts whose addresses have a name in the narration.
const NAMED_ROUNDS: u64 = 50;

/// The addresses of the attacker, so that the narration can name it.
pub(crate) fn addresses() -> impl Iterator<Item = Address> {
    let seeds = (0..=NAMED_ROUNDS).map(|round| format!("{} {round}", NAME.to_lowercase()));
    seeds.chain([NAME.to_lowercase()]).map(|seed| KeyPair::from_seed(&seed).address())
}

/// What an attacker needs.
#[derive(Clone)]
pub(crate) struct AttackSettings {
    pub(crate) options: AttackerOptions,
    pub(crate) client: Client,
    pub(crate) nodes: NodeList,
    /// `host:port`; `None` on a layer without money.
    pub(crate) mempool: Option<watch::Receiver<String>>,
    pub(crate) params: Params,
    pub(crate) max_block_bytes: usize,
    /// What a payment must pay at least, in grains.
    pub(crate) fee: u64,
    /// Hashes per second of all nodes together; measured where it is not known.
    pub(crate) honest: Option<u64>,
    /// Who is paid, by name.
    pub(crate) victim: (String, Address),
    /// Ends after one theft, which is reported here; `None` for one theft after another.
    pub(crate) thefts: Option<Thefts>,
    /// Thefts that have succeeded before: the thief's addresses differ from theirs.
    pub(crate) round: u64,
}

/// Attacks until `stop`; what happens goes into `events`.
///
/// A task of its own on a thread for blocking work, since it checks blocks.
pub(crate) fn start(settings: AttackSettings, events: Sender<RunEvent>, stop: CancellationToken) {
    let handle = tokio::runtime::Handle::current();
    tokio::task::spawn_blocking(move || {
        handle.block_on(async {
            if let Some(Err(error)) = stop.run_until_cancelled(attack(settings, events.clone())).await {
                let _ = events.send(trouble(&error)).await;
            }
        });
    });
}

fn trouble(error: &anyhow::Error) -> RunEvent {
    RunEvent::Trouble { what: "go on with the attack".to_owned(), reason: format!("{error:#}") }
}

struct Attack {
    settings: AttackSettings,
    events: Sender<RunEvent>,
    branches: Branches,
    clock: Clock,
    miner: Miner,
    mined: Receiver<MinedHeader>,
    /// The current job and its data.
    job: (u64, String),
    theft: Option<Theft>,
    /// The node that is followed.
    turn: usize,
    /// Thefts that have succeeded or failed.
    ended: u64,
}

/// Attacks; returns after one theft, with the number of thefts that have succeeded, if the settings say so.
async fn attack(settings: AttackSettings, events: Sender<RunEvent>) -> anyhow::Result<u64> {
    let options = settings.options.clone();
    let params = settings.params.clone();
    let honest = match settings.honest {
        Some(honest) => honest,
        None => measure(&settings).await?,
    };
    let clock = Clock::new(0);
    let (sender, mined) = channel(16);
    let on_mined = Box::new(move |header: MinedHeader| {
        // A full queue holds headers of old jobs.
        let _ = sender.try_send(header);
    });
    let hashrate = options.hashrate(honest);
    let miner = MinerSettings { threads: 1, hashrate: Hashrate::PerSecond(hashrate) };
    let miner = Miner::start(miner, move || clock.time(), on_mined)?;
    let rules = Rules::with_verifier(params.clone(), Arc::new(CachingVerifier::new(SIGNATURES)));
    let steals = options.confirmations().is_some();
    if steals && settings.mempool.is_none() {
        return Err(anyhow!("a double spend needs money, which this network does not have"));
    }
    let theft = steals.then(|| Theft::new(&params, settings.fee, settings.round));
    let begins = AttackStep::Begins {
        attacker: NAME.to_owned(),
        strategy: options.text.clone(),
        share: options.share,
        hashrate,
        confirmations: options.confirmations(),
        chance: options.chance(),
    };
    let branches = Branches::new(Arc::new(rules))?;
    let mut attack =
        Attack { settings, events, branches, clock, miner, mined, job: (0, String::new()), theft, turn: 0, ended: 0 };
    attack.follow().await?;
    attack.tell(begins).await;
    if attack.theft.is_none() {
        attack.branches.begin(&options.strategy)?;
    } else {
        attack.branches.begin(&laboratory::strategy::StrategySetting::Honest)?;
    }
    let look_ms = (params.block_interval_ms / LOOKS_PER_INTERVAL).clamp(LOOK_MS.0, LOOK_MS.1);
    let mut looks = interval(Duration::from_millis(look_ms));
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // A thief may have the money already.
    attack.try_to_pay().await?;
    attack.search()?;
    while attack.settings.thefts.is_none() || attack.ended == 0 {
        tokio::select! {
            Some(header) = attack.mined.recv() => attack.found(header).await?,
            _ = looks.tick() => attack.look().await?,
        }
    }
    Ok(attack.theft.map_or(0, |theft| theft.round()))
}

/// Hashes per second of all nodes, as they report them.
async fn measure(settings: &AttackSettings) -> anyhow::Result<u64> {
    for _ in 0..READINGS {
        sleep(READING).await;
        let mut sum = 0;
        for node in settings.nodes.present() {
            let mining = settings.client.info(&node.address).await.ok().and_then(|info| info.mining);
            sum += mining.map_or(0, |mining| mining.hashrate);
        }
        if sum > 0 {
            return Ok(sum);
        }
    }
    Err(anyhow!("no node mines, so there is nothing to attack"))
}

impl Attack {
    async fn tell(&self, step: AttackStep) {
        if let (Some(thefts), Some(step)) = (&self.settings.thefts, on_demand::theft_step(&step)) {
            thefts.report(step);
        }
        // Fails only after the run has ended.
        let _ = self.events.send(RunEvent::Attack(step)).await;
    }

    /// Sets the miner on what the strategy mines on.
    fn search(&mut self) -> anyhow::Result<()> {
        let candidates: Vec<Arc<Transaction>> = match self.theft.as_ref().map(|theft| &theft.phase) {
            Some(Phase::Paid(payment) | Phase::Racing { payment, .. }) => vec![payment.secret.clone()],
            _ => Vec::new(),
        };
        let (fields, data) = self.branches.job(self.reward_key().address(), &candidates)?;
        self.job = (self.job.0 + 1, data);
        let first_nonce = Nonce(getrandom::u64()?);
        self.miner.set_job(Some(Job { id: self.job.0, fields, first_nonce, full_speed: false }));
        Ok(())
    }

    /// Who gets the reward: what a thief earns in secret is not for the payment.
    fn reward_key(&self) -> KeyPair {
        match &self.theft {
            None => KeyPair::from_seed(&NAME.to_lowercase()),
            Some(theft) if matches!(theft.phase, Phase::Earning) => theft.payer(),
            Some(theft) => theft.pocket(),
        }
    }

    async fn found(&mut self, mined: MinedHeader) -> anyhow::Result<()> {
        if mined.job != self.job.0 {
            return Ok(());
        }
        let height = mined.header.index;
        let data = std::mem::take(&mut self.job.1);
        let published = self.branches.found(mined.header, data, self.clock.time())?;
        if published.is_empty() {
            let (ahead, public) = self.branches.lengths();
            self.tell(AttackStep::Kept { attacker: NAME.to_owned(), height: height.0, secret: ahead, public }).await;
        }
        self.report_race();
        self.publish(&published).await;
        self.judge().await?;
        self.search()
    }

    /// Looks at a node, and does what is due.
    async fn look(&mut self) -> anyhow::Result<()> {
        let before = self.branches.public_tip().hash();
        self.follow().await?;
        let woken = self.branches.wake(self.clock.time())?;
        self.publish(&woken).await;
        let has_changed = before != self.branches.public_tip().hash();
        if matches!(&self.theft, Some(Theft { phase: Phase::Earning, .. })) && has_changed {
            self.try_to_pay().await?;
        }
        if has_changed || !woken.is_empty() {
            self.judge().await?;
            self.search()?;
        }
        Ok(())
    }

    /// Fetches what a node has and the attacker lacks. A node that does not answer is followed by the next one.
    async fn follow(&mut self) -> anyhow::Result<()> {
        loop {
            let nodes = self.settings.nodes.present();
            let Some(node) = nodes.get(self.turn % nodes.len().max(1)) else { return Ok(()) };
            let client = &self.settings.client;
            let tip = client.info(&node.address).await.ok().and_then(|info| info.tip);
            let Some(tip) = tip else {
                self.turn = self.turn.wrapping_add(1);
                return Ok(());
            };
            if tip.hash == self.branches.public_tip().hash() || tip.work < self.branches.public_tip().work {
                return Ok(());
            }
            let ask = HeadersRequest { locator: self.branches.locator()?, limit: BLOCKS };
            let Ok(headers) = client.headers(&node.address, &ask).await else { return Ok(()) };
            if headers.is_empty() {
                return Ok(());
            }
            let ask = BlocksRequest { hashes: headers.iter().map(|header| header.hash()).collect() };
            let blocks = client.blocks(&node.address, &ask, self.settings.max_block_bytes).await;
            let Ok(blocks) = blocks else { return Ok(()) };
            let is_whole = blocks.len() as u64 == BLOCKS;
            for block in blocks {
                self.hear(block).await?;
            }
            if !is_whole {
                return Ok(());
            }
        }
    }

    async fn hear(&mut self, block: Block) -> anyhow::Result<()> {
        let height = block.header().index;
        if let Some(Theft { phase, .. }) = &mut self.theft
            && let Phase::Paid(payment) = phase
            && block.data().contains(&payment.public.id().to_string())
        {
            *phase = Phase::Racing { payment: payment.clone(), included: height, handed_over: false };
        }
        let published = self.branches.hear(block, self.clock.time())?;
        // The victim sees the confirmations before it sees what the thief answers.
        self.hand_over().await;
        self.report_race();
        self.publish(&published).await;
        // A block without the payment is no confirmation: the race begins anew on top of it.
        if let Some(Theft { phase: Phase::Paid(payment), .. }) = &self.theft {
            if self.branches.public_tip().header.index.0 > payment.made_at.0 + PATIENCE {
                self.tell(AttackStep::GaveUp { attacker: NAME.to_owned(), secret: 0, public: PATIENCE }).await;
                // The payment may still be on its way, so these addresses are used up.
                self.end_theft(true)?;
            } else {
                self.branches.begin(&self.settings.options.strategy)?;
            }
        }
        Ok(())
    }

    /// Sends blocks to all nodes, the oldest first.
    async fn publish(&mut self, blocks: &[Block]) {
        if blocks.is_empty() {
            return;
        }
        let is_honest = matches!(&self.theft, Some(Theft { phase: Phase::Earning, .. }));
        if !is_honest {
            self.tell(AttackStep::Published { attacker: NAME.to_owned(), blocks: blocks.len() as u64 }).await;
        }
        for node in self.settings.nodes.present() {
            for block in blocks {
                let Ok(json) = serde_json::to_vec(block) else { return };
                // A node that is away fetches them from the others.
                let _ = self.settings.client.push_block(&node.address, json.into()).await;
            }
        }
    }
}
