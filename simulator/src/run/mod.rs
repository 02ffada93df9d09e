//! One run from start to end: starts the network, watches it, narrates, cuts and heals it, and reports. A network that
//! was found is narrated by the same code.

mod attack;
mod ending;
mod membership;
mod partitioning;

pub(crate) use membership::RosterChange;

use crate::event::{Income, NamedAddress, RunEvent, RunStatus, Started};
use crate::inspector::Inspector;
use crate::ledger::MoneyParams;
use crate::narrator::{Narrator, PaymentNarrator};
use crate::network::{MempoolAndWallets, NodeList, RunningNetwork};
use crate::observer::{NodeObservation, NodeObserver, Observation};
use crate::options::{Partition, RunOptions, layer_text};
use crate::payers::payment_choice::PaymentLimits;
use crate::payers::{MempoolObservation, Payers, PayersSettings};
use crate::report::{RunReport, TheftCounts};
use crate::screen::{OutputFormat, Screen};
use partitioning::OngoingPartition;
use shared::block::BlockId;
use shared::chain::Tip;
use shared::random::Random;
use shared::wallet::DUST;
use shared::wire::NodeEvent;
use std::io::{self, Write};
use std::time::Duration;
use tokio::sync::mpsc::{Receiver, channel};
use tokio::time::{Instant, Interval, interval};
use tokio_util::sync::CancellationToken;

/// Observations of the mempool that may wait to be narrated.
const QUEUE: usize = 4096;
/// How often the run looks for what is due.
const TICK: Duration = Duration::from_millis(50);

/// Runs a network until it is done or `stop` is cancelled, and writes what happens to `out`.
///
/// # Errors
/// If the network cannot be started, or `out` cannot be written. Nodes that do not agree are no error: see
/// [`RunReport::is_good`].
pub async fn run<W: Write>(
    options: &RunOptions,
    format: OutputFormat,
    out: W,
    stop: CancellationToken,
) -> anyhow::Result<RunReport> {
    let started = Instant::now();
    let mut network = RunningNetwork::start(options, CancellationToken::new())?;
    let watching = CancellationToken::new();
    let (observer, observations) = NodeObserver::start(&network, watching.clone());
    let result = match network.ready().await {
        Ok(tips) => {
            let start = RunStart { started, tips, income: None, roster_changes: channel(1).1, observer, observations };
            narrate(options, format, out, &mut network, start, stop).await
        }
        Err(error) => Err(error),
    };
    watching.cancel();
    network.stop().await;
    result
}

pub(crate) struct RunStart {
    /// The moment from which the run's times count.
    pub(crate) started: Instant,
    /// The tip of each node.
    pub(crate) tips: Vec<Tip>,
    /// How members get money, in a network that was found.
    pub(crate) income: Option<Income>,
    /// Changes of the tracker's list, in a network that was found.
    pub(crate) roster_changes: Receiver<RosterChange>,
    pub(crate) observer: NodeObserver,
    pub(crate) observations: Receiver<NodeObservation>,
}

/// Narrates a network until it is done or `stop` is cancelled, and reports.
pub(crate) async fn narrate<W: Write>(
    options: &RunOptions,
    format: OutputFormat,
    out: W,
    network: &mut RunningNetwork,
    start: RunStart,
    stop: CancellationToken,
) -> anyhow::Result<RunReport> {
    let RunStart { started, tips, income, roster_changes, observer, observations } = start;
    let names: Vec<String> = network.nodes.all().into_iter().map(|node| node.name).collect();
    // A new chain is narrated from its first block on, even if a node found that before it was watched.
    let heights = || tips.iter().map(|tip| tip.index.0).filter(|_| network.goes_on);
    let (lowest, base) = (heights().min().unwrap_or(0), heights().max().unwrap_or(0));
    let members = || network.money.iter().flat_map(|money| money.wallets.directory());
    let member_names: Vec<String> = members().map(|(_, name)| name).collect();
    let genesis = serde_json::to_value(options.config.network.genesis())?;
    let money = network.money.as_ref().map(|_| MoneyParams::of(&genesis)).transpose()?;
    let (mempool_sender, mempool_observations) = channel(QUEUE);
    let payers =
        network.money.as_ref().map(|money| Payers::start(payers_settings(options, network, money), mempool_sender));
    let inspector = Inspector::start(
        network.client.clone(),
        network.nodes.clone(),
        network.max_block_bytes,
        lowest,
        money,
        observer.sender(),
    );
    let mut run = LiveRun {
        nodes: network.nodes.clone(),
        screen: Screen::new(out, format, &names, &member_names).quiet(options.quiet),
        narrator: Narrator::new(names, network.id, options.config.network.genesis_time),
        payments: PaymentNarrator::new(members()),
        payers,
        mempool_observations,
        inspector,
        observer,
        observations,
        is_found: network.is_found(),
        ticks: interval(TICK),
        started,
        base,
        first_difficulty: None,
        partition: None,
        bad: 0,
        unchecked: 0,
        failed: 0,
        thefts: TheftCounts::default(),
    };
    run.begin(options, network, &tips, income)?;
    let attacking = CancellationToken::new();
    let attack = run.start_attack(options, network, &attacking);
    let result = run.listen(options, network, roster_changes, attack, &stop).await;
    // The nodes agree only when nobody attacks any more.
    attacking.cancel();
    run.end(options, network, result?).await
}

fn payers_settings(options: &RunOptions, network: &RunningNetwork, money: &MempoolAndWallets) -> PayersSettings {
    let params = &options.config.network;
    // A mempool requires a fee only where new addresses get nothing.
    let min_fee = if params.new_address_balance == 0 { 0 } else { options.config.mempool.min_fee.grains() };
    let mut limits = PaymentLimits::new(params.reward.max(params.new_address_balance), min_fee, params.max_msg_bytes);
    if params.layer.has_coins() {
        // Mempools refuse coins that are worth less than it takes to spend them.
        limits.unit = limits.unit.max(DUST.grains());
    }
    PayersSettings {
        client: network.client.clone(),
        mempool: money.mempool.clone(),
        network: network.id,
        wallets: money.wallets.clone(),
        rate: options.config.simulator.rate,
        limits,
        random: Random::new(options.seed.wrapping_add(1)),
        reward_with_programs: params.layer.has_programs().then_some(params.reward),
        has_coins: params.layer.has_coins(),
    }
}

struct LiveRun<W> {
    nodes: NodeList,
    narrator: Narrator,
    payments: PaymentNarrator,
    payers: Option<Payers>,
    mempool_observations: Receiver<MempoolObservation>,
    screen: Screen<W>,
    inspector: Inspector,
    observer: NodeObserver,
    observations: Receiver<NodeObservation>,
    /// Whether the network was found, so that nodes come and go.
    is_found: bool,
    ticks: Interval,
    started: Instant,
    /// The height of the longest chain when the run began.
    base: u64,
    first_difficulty: Option<u64>,
    partition: Option<OngoingPartition>,
    /// Blocks that break a rule.
    bad: u64,
    /// Blocks that no node gave.
    unchecked: u64,
    /// Services that ended before they were told to.
    failed: u64,
    thefts: TheftCounts,
}

impl<W: Write> LiveRun<W> {
    fn begin(
        &mut self,
        options: &RunOptions,
        network: &RunningNetwork,
        tips: &[Tip],
        income: Option<Income>,
    ) -> io::Result<()> {
        let params = &options.config.network;
        let nodes = network.nodes.all();
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
            nodes: nodes.into_iter().map(|node| NamedAddress { name: node.name, address: node.address }).collect(),
            members: members.collect(),
            rate: options.config.simulator.rate,
            config: network.parameters.as_ref().map(|path| path.display().to_string()),
            income,
            height: self.base,
        };
        let at_ms = self.at_ms();
        let count = started.nodes.len();
        self.narrator.push(at_ms, RunEvent::Started(started));
        if !self.is_found {
            self.narrator.push(at_ms, RunEvent::Mining { nodes: count, within_ms: at_ms });
        }
        for (node, tip) in tips.iter().enumerate().filter(|(_, tip)| tip.index.0 > 0) {
            self.narrator.observe_tip(at_ms, node, tip);
        }
        self.screen.show(&self.narrator.take_events())
    }

    /// Narrates until the run is over. Returns whether someone stopped it and so waits for its end.
    async fn listen(
        &mut self,
        options: &RunOptions,
        network: &mut RunningNetwork,
        mut roster_changes: Receiver<RosterChange>,
        mut attack: Receiver<RunEvent>,
        stop: &CancellationToken,
    ) -> io::Result<bool> {
        let mut random = Random::new(options.seed);
        let mut partitions = options.partitions.iter().copied().peekable();
        loop {
            tokio::select! {
                () = stop.cancelled() => {
                    self.push_ending("stopping (press Ctrl-C again to stop at once)".to_owned())?;
                    return Ok(true);
                }
                (service, reason) = network.failed() => {
                    self.failed += 1;
                    self.narrator.push(self.at_ms(), RunEvent::Failed { service, reason });
                }
                Some(change) = roster_changes.recv() => self.apply_roster_change(change),
                Some(event) = attack.recv() => self.tell_attack(event),
                shown = self.narrate_next() => shown?,
            }
            let uptime = self.started.elapsed();
            if options.seconds.is_some_and(|seconds| uptime >= seconds) {
                let seconds = uptime.as_secs_f64();
                self.push_ending(format!("{seconds:.1} s have passed{}", not_reached(partitions.peek())))?;
                return Ok(false);
            }
            let gained = self.narrator.best().index.0.saturating_sub(self.base);
            if options.blocks.is_some_and(|blocks| gained >= blocks) {
                self.push_ending(format!("the chain has {gained} new blocks{}", not_reached(partitions.peek())))?;
                return Ok(false);
            }
            self.keep_apart(network, uptime).await;
            if let Some(partition) = partitions.next_if(|partition| uptime >= partition.after) {
                self.cut(network, partition, &mut random).await;
            }
        }
    }

    /// Waits for the next observation or tick and narrates it. Loses nothing if it is dropped while it waits.
    async fn narrate_next(&mut self) -> io::Result<()> {
        tokio::select! {
            Some(observation) = self.observations.recv() => self.observe(observation),
            Some(observation) = self.mempool_observations.recv() => self.payments.observe(self.at_ms(), &observation),
            _ = self.ticks.tick() => {}
        }
        let at_ms = self.at_ms();
        self.narrator.tick(at_ms);
        self.payments.tick(at_ms);
        self.show()?;
        let (narrator, checked, pending) = (&self.narrator, self.inspector.checked(), self.payments.pending());
        self.screen.show_status(at_ms, || RunStatus { checked, pending, ..narrator.status() })
    }

    fn show(&mut self) -> io::Result<()> {
        let mut events = self.narrator.take_events();
        events.extend(self.payments.take_events());
        self.screen.show(&events)
    }

    fn observe(&mut self, NodeObservation { node, observation }: NodeObservation) {
        let at_ms = self.at_ms();
        let name = self.nodes.name(node);
        match observation {
            Observation::Event(event) => {
                if let NodeEvent::Block(block) = &event {
                    self.inspector.request(node, BlockId { index: block.index, hash: block.hash });
                    self.first_difficulty.get_or_insert(block.difficulty.value());
                }
                if let NodeEvent::Peer(peer) = &event {
                    self.observe_link(at_ms, node, peer);
                }
                self.narrator.observe_event(at_ms, node, &event);
            }
            Observation::Info { tip, hashrate, miner } => {
                self.narrator.set_hashrate(node, hashrate);
                self.narrator.observe_tip(at_ms, node, &tip);
                if let Some(miner) = miner {
                    self.payments.add_name(miner, format!("{name}'s miner"));
                }
            }
            Observation::Payments(block, payments, reward) => {
                self.payments.add_block_payments(at_ms, block, &payments, reward);
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

    fn push_failure(&mut self, what: &str, result: Result<(), String>) {
        if let Err(reason) = result {
            self.narrator.push(self.at_ms(), RunEvent::Trouble { what: what.to_owned(), reason });
        }
    }

    fn push_ending(&mut self, reason: String) -> io::Result<()> {
        self.narrator.push(self.at_ms(), RunEvent::Ending { reason });
        self.show()
    }

    fn at_ms(&self) -> u64 {
        ms(self.started.elapsed())
    }
}

fn not_reached(partition: Option<&Partition>) -> String {
    partition.map_or(String::new(), |p| format!(", before the partition at {:.1} s", p.after.as_secs_f64()))
}

fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
