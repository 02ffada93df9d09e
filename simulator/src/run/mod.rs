//! One run from start to end: starts the network, listens, narrates, cuts and heals, and reports. A network that was found
//! is told of in the same way, and there nodes come and go.

mod ending;
mod membership;

pub(crate) use membership::RosterChange;

use crate::event::{Income, NamedAddress, RunEvent, RunStatus, Started};
use crate::flags::{Options, layer_text};
use crate::inspector::Inspector;
use crate::narrator::{Narrator, PaymentNarrator};
use crate::network::{MempoolAndWallets, RunningNetwork};
use crate::observer::{self, NodeObservation, Observation};
use crate::partition::{self, Partition, halves};
use crate::payers::payment_choice::PaymentLimits;
use crate::payers::{MempoolObservation, Payers, PayersSettings};
use crate::random::SeededRandom;
use crate::replayed_ledger::MoneyParams;
use crate::report::RunReport;
use crate::screen::{OutputFormat, Screen};
use shared::wire::{BlockId, Event, Tip};
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::{Instant, Interval, interval};
use tokio_util::sync::CancellationToken;

/// Things seen that may wait to be narrated.
const QUEUE: usize = 4096;
/// How often what is due is looked for.
const TICK: Duration = Duration::from_millis(50);
/// Runs a network until it is done or `stop` is cancelled, and tells of it on `out`.
///
/// # Errors
/// If the network cannot be started, or nobody takes the output. Nodes that do not agree are no error: see
/// [`Report::is_good`].
pub async fn run<W: Write>(
    options: &Options,
    look: OutputFormat,
    out: W,
    stop: CancellationToken,
) -> anyhow::Result<RunReport> {
    let started = Instant::now();
    let mut network = RunningNetwork::start(options, CancellationToken::new())?;
    let eyes = Eyes::open(&network);
    let watching = eyes.watching.clone();
    let result = match network.ready().await {
        Ok(tips) => {
            let begin = RunStart { started, tips, income: None, changes: channel(1).1 };
            narrate(options, look, out, &mut network, begin, eyes, stop).await
        }
        Err(error) => Err(error),
    };
    watching.cancel();
    network.stop().await;
    result
}

/// What a network is watched with.
pub(crate) struct Eyes {
    sender: Sender<NodeObservation>,
    seen: Receiver<NodeObservation>,
    /// Of each node.
    watches: Vec<CancellationToken>,
    /// Ends all watching.
    pub(crate) watching: CancellationToken,
}

impl Eyes {
    /// Starts to watch the nodes that the network has.
    pub(crate) fn open(network: &RunningNetwork) -> Self {
        let watching = CancellationToken::new();
        let (sender, seen) = channel(QUEUE);
        let watches = observer::watch(network, &sender, &watching);
        Self { sender, seen, watches, watching }
    }
}

/// How things are when the story begins.
pub(crate) struct RunStart {
    /// What its times count from.
    pub(crate) started: Instant,
    /// Where each node stands.
    pub(crate) tips: Vec<Tip>,
    /// How members of a network that was found come by money.
    pub(crate) income: Option<Income>,
    /// Who comes and goes, in a network that was found.
    pub(crate) changes: Receiver<RosterChange>,
}

/// Tells of a network until it is done or `stop` is cancelled, and reports.
pub(crate) async fn narrate<W: Write>(
    options: &Options,
    look: OutputFormat,
    out: W,
    network: &mut RunningNetwork,
    RunStart { started, tips, income, changes }: RunStart,
    Eyes { sender, seen, watches, watching }: Eyes,
    stop: CancellationToken,
) -> anyhow::Result<RunReport> {
    let names: Vec<String> = network.nodes.iter().map(|node| node.contact.name.clone()).collect();
    // A fresh chain is told from its first block on, whoever found it before anybody listened.
    let heights = || tips.iter().map(|tip| tip.index.0).filter(|_| network.goes_on);
    let (lowest, base) = (heights().min().unwrap_or(0), heights().max().unwrap_or(0));
    let addresses = network.nodes.iter().map(|node| node.contact.address.clone()).collect();
    let directory = || network.money.iter().flat_map(|money| money.wallets.directory());
    let members = directory().map(|(_, name)| name).collect();
    let rules = match &network.money {
        Some(_) => Some(MoneyParams::of(&serde_json::to_value(options.config.network.genesis())?)?),
        None => None,
    };
    let (pool_sender, pool) = channel(QUEUE);
    let payers = network.money.as_ref().map(|money| Payers::start(wishes(options, network, money), pool_sender));
    let mut run = Run {
        narrator: Narrator::new(names.clone(), network.id, options.config.network.genesis_time),
        payments: PaymentNarrator::new(directory()),
        payers,
        pool,
        screen: Screen::new(out, look, names.clone(), members),
        names,
        inspector: Inspector::start(
            network.client.clone(),
            addresses,
            network.max_block_bytes,
            lowest,
            rules,
            sender.clone(),
        ),
        seen,
        sender,
        watches,
        watching,
        presence: network.nodes.iter().map(|node| node.is_present.clone()).collect(),
        is_found: network.is_found(),
        ticks: interval(TICK),
        started,
        base,
        hashrates: vec![0; network.nodes.len()],
        first_difficulty: None,
        cut: None,
        bad: 0,
        unchecked: 0,
        failed: 0,
    };
    run.begin(options, network, &tips, income)?;
    let is_hasty = run.listen(options, network, changes, &stop).await?;
    run.end(options, network, is_hasty).await
}

/// What the members want.
fn wishes(options: &Options, network: &RunningNetwork, money: &MempoolAndWallets) -> PayersSettings {
    let params = &options.config.network;
    // As mempools do, which ask for a fee only where addresses cost nothing.
    let min_fee = if params.new_address_balance == 0 { 0 } else { options.config.mempool.min_fee.grains() };
    PayersSettings {
        client: network.client.clone(),
        mempool: money.mempool.clone(),
        network: network.id,
        wallets: money.wallets.clone(),
        rate: options.config.simulator.rate,
        limits: PaymentLimits::new(params.reward.max(params.new_address_balance), min_fee, params.max_msg_bytes),
        random: SeededRandom::new(options.seed.wrapping_add(1)),
    }
}

/// A partition under way.
struct OngoingPartition {
    halves: [Vec<usize>; 2],
    mempool: usize,
    found_before: Vec<u64>,
    ends: Duration,
}

struct Run<W> {
    names: Vec<String>,
    narrator: Narrator,
    payments: PaymentNarrator,
    payers: Option<Payers>,
    pool: Receiver<MempoolObservation>,
    screen: Screen<W>,
    inspector: Inspector,
    seen: Receiver<NodeObservation>,
    sender: Sender<NodeObservation>,
    watches: Vec<CancellationToken>,
    watching: CancellationToken,
    /// Who takes part, as the network knows it, too.
    presence: Vec<Arc<AtomicBool>>,
    is_found: bool,
    ticks: Interval,
    started: Instant,
    base: u64,
    hashrates: Vec<u64>,
    first_difficulty: Option<u64>,
    cut: Option<OngoingPartition>,
    bad: u64,
    unchecked: u64,
    failed: u64,
}

impl<W: Write> Run<W> {
    fn begin(
        &mut self,
        options: &Options,
        network: &RunningNetwork,
        tips: &[Tip],
        income: Option<Income>,
    ) -> io::Result<()> {
        let params = &options.config.network;
        let members = network.money.iter().flat_map(|money| money.wallets.directory());
        let members = members.map(|(address, name)| NamedAddress { name, address: address.to_string() });
        let started = Started {
            network: params.name.clone(),
            network_id: network.id.to_string(),
            layer: layer_text(params.layer),
            block_interval_ms: params.block_interval_ms,
            hashrate: (!self.is_found).then(|| options.config.simulator.hashrate.to_string()),
            seed: options.seed,
            tracker: network.tracker.clone(),
            explorer: network.explorer.as_ref().map(|address| format!("http://{address}/")),
            mempool: network.money.as_ref().map(MempoolAndWallets::mempool),
            nodes: network.nodes.iter().map(|node| node.contact.clone()).collect(),
            members: members.collect(),
            rate: options.config.simulator.rate,
            config: network.parameters.as_ref().map(|path| path.display().to_string()),
            income,
            height: self.base,
        };
        let at_ms = self.at_ms();
        self.narrator.push(at_ms, RunEvent::Started(started));
        if !self.is_found {
            self.narrator.push(at_ms, RunEvent::Mining { nodes: network.nodes.len(), within_ms: at_ms });
        }
        for (node, tip) in tips.iter().enumerate().filter(|(_, tip)| tip.index.0 > 0) {
            self.narrator.observe_tip(at_ms, node, tip);
        }
        self.screen.show(&self.narrator.take_events())
    }

    /// Narrates until the run is over; answers whether somebody is waiting for it to end.
    async fn listen(
        &mut self,
        options: &Options,
        network: &mut RunningNetwork,
        mut changes: Receiver<RosterChange>,
        stop: &CancellationToken,
    ) -> io::Result<bool> {
        let mut random = SeededRandom::new(options.seed);
        let mut partitions = options.partitions.iter().copied().peekable();
        loop {
            tokio::select! {
                () = stop.cancelled() => {
                    self.ending("stopping (once more to stop at once)".to_owned())?;
                    return Ok(true);
                }
                (service, reason) = network.failed() => {
                    self.failed += 1;
                    self.narrator.push(self.at_ms(), RunEvent::Failed { service, reason });
                }
                Some(change) = changes.recv() => self.change(network, change),
                shown = self.next() => shown?,
            }
            let uptime = self.started.elapsed();
            if options.seconds.is_some_and(|seconds| uptime >= seconds) {
                self.ending(format!("{:.1} s are over{}", uptime.as_secs_f64(), not_reached(partitions.peek())))?;
                return Ok(false);
            }
            let height = self.narrator.best().index.0;
            if options.blocks.is_some_and(|blocks| height >= self.base + blocks) {
                self.ending(format!("{} blocks are there{}", height - self.base, not_reached(partitions.peek())))?;
                return Ok(false);
            }
            if self.cut.as_ref().is_some_and(|cut| uptime >= cut.ends) {
                self.heal(network).await;
            }
            if let Some(partition) = partitions.next_if(|partition| uptime >= partition.after) {
                self.cut(network, partition, &mut random).await;
            }
        }
    }

    /// Waits for the next thing to tell and tells it. May be dropped while it waits.
    async fn next(&mut self) -> io::Result<()> {
        tokio::select! {
            Some(seen) = self.seen.recv() => self.take(seen),
            Some(seen) = self.pool.recv() => self.payments.observe(self.at_ms(), &seen),
            _ = self.ticks.tick() => {}
        }
        let at_ms = self.at_ms();
        self.narrator.tick(at_ms);
        self.payments.tick(at_ms);
        self.show()?;
        let (narrator, hashrates, checked) = (&self.narrator, &self.hashrates, self.inspector.checked());
        let (hashrate, pending) = (hashrates.iter().sum(), self.payments.pending());
        self.screen.show_status(at_ms, || RunStatus { hashrate, checked, pending, ..narrator.status() })
    }

    fn show(&mut self) -> io::Result<()> {
        let mut told = self.narrator.take_events();
        told.extend(self.payments.take_events());
        self.screen.show(&told)
    }

    fn take(&mut self, NodeObservation { node, what }: NodeObservation) {
        let at_ms = self.at_ms();
        let name = self.names[node].clone();
        match what {
            Observation::Event(event) => {
                if let Event::Block(block) = &event {
                    self.inspector.ask(node, BlockId { index: block.index, hash: block.hash });
                    self.first_difficulty.get_or_insert(block.difficulty.value());
                }
                self.narrator.observe_event(at_ms, node, &event);
            }
            Observation::Info { tip, hashrate, miner } => {
                self.hashrates[node] = hashrate;
                self.narrator.observe_tip(at_ms, node, &tip);
                if let Some(miner) = miner {
                    self.payments.add_name(miner, format!("{name}'s miner"));
                }
            }
            Observation::Payments(block, bundle, reward) => {
                self.payments.add_block_payments(at_ms, block, &bundle, reward)
            }
            Observation::Silent(reason) => {
                self.narrator.push(at_ms, RunEvent::Silent { node: name, reason });
                self.set_present(node, false);
            }
            Observation::Back => {
                self.narrator.push(at_ms, RunEvent::Back { node: name });
                self.set_present(node, true);
            }
            Observation::BadBlock(block, reason) => {
                self.bad += 1;
                self.narrator.push(at_ms, RunEvent::BadBlock { node: name, block, reason });
            }
            Observation::Fetched => self.unchecked = self.unchecked.saturating_sub(1),
            Observation::Unfetched(block, reason) => {
                self.unchecked += 1;
                let what = format!("fetch block {} {} from {name} to check it", block.index, block.hash.short());
                self.narrator.push(at_ms, RunEvent::Trouble { what, reason });
            }
        }
    }

    async fn cut(&mut self, network: &RunningNetwork, partition: Partition, random: &mut SeededRandom) {
        let (halves, mempool) = (halves(network.nodes.len(), random), random.index(2));
        let result = partition::cut(network, &halves, mempool).await;
        let (for_ms, told) = (ms(partition.lasts), network.money.as_ref().map(|_| mempool));
        let event = RunEvent::Partitioned { halves: self.named(&halves), for_ms, mempool: told };
        self.narrator.push(self.at_ms(), event);
        self.report_failure("cut the network", result);
        self.cut = Some(OngoingPartition {
            halves,
            mempool,
            found_before: self.narrator.counts().found,
            ends: partition.end(),
        });
    }

    /// Heals the cut, if there is one.
    async fn heal(&mut self, network: &RunningNetwork) {
        let Some(OngoingPartition { halves, mempool, found_before, .. }) = self.cut.take() else { return };
        let found_now = self.narrator.counts().found;
        let found = |half: &[usize]| half.iter().map(|node| found_now[*node] - found_before[*node]).sum();
        let event = RunEvent::Healed { halves: self.named(&halves), found: [found(&halves[0]), found(&halves[1])] };
        self.narrator.push(self.at_ms(), event);
        let result = partition::heal(network, &halves, mempool).await;
        self.report_failure("heal the network", result);
    }

    fn report_failure(&mut self, what: &str, result: Result<(), String>) {
        if let Err(reason) = result {
            self.narrator.push(self.at_ms(), RunEvent::Trouble { what: what.to_owned(), reason });
        }
    }

    fn ending(&mut self, reason: String) -> io::Result<()> {
        self.narrator.push(self.at_ms(), RunEvent::Ending { reason });
        self.show()
    }

    fn named(&self, halves: &[Vec<usize>; 2]) -> [Vec<String>; 2] {
        halves.each_ref().map(|half| half.iter().map(|node| self.names[*node].clone()).collect())
    }

    fn at_ms(&self) -> u64 {
        ms(self.started.elapsed())
    }
}

fn not_reached(partition: Option<&Partition>) -> String {
    partition.map_or(String::new(), |p| format!(" before the partition at {:.1} s", p.after.as_secs_f64()))
}

fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
