//! One run from start to end: starts the network, listens, narrates, cuts and heals, and reports. A network that was found
//! is told of in the same way, and there nodes come and go.

mod changes;
mod ending;

pub(crate) use changes::Change;

use crate::chance::Chance;
use crate::economy::choice::Limits;
use crate::economy::{Economy, PoolSeen, Settings};
use crate::flags::{Options, layer_text};
use crate::inspector::Inspector;
use crate::ledger::Rules;
use crate::narrator::{Narrator, PaymentNarrator};
use crate::network::{Money, Network};
use crate::observer::{self, Seen, What};
use crate::partition::{self, Partition, halves};
use crate::report::Report;
use crate::screen::{Look, Screen};
use crate::tale::{Contact, Income, Started, Status, Tale};
use shared::block::BlockId;
use shared::chain::Tip;
use shared::wire::NodeEvent;
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
pub async fn run<W: Write>(options: &Options, look: Look, out: W, stop: CancellationToken) -> anyhow::Result<Report> {
    let started = Instant::now();
    let mut network = Network::start(options, CancellationToken::new())?;
    let eyes = Eyes::open(&network);
    let watching = eyes.watching.clone();
    let result = match network.ready().await {
        Ok(tips) => {
            let begin = Begin { started, tips, income: None, changes: channel(1).1 };
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
    sender: Sender<Seen>,
    seen: Receiver<Seen>,
    /// Of each node.
    watches: Vec<CancellationToken>,
    /// Ends all watching.
    pub(crate) watching: CancellationToken,
}

impl Eyes {
    /// Starts to watch the nodes that the network has.
    pub(crate) fn open(network: &Network) -> Self {
        let watching = CancellationToken::new();
        let (sender, seen) = channel(QUEUE);
        let watches = observer::watch(network, &sender, &watching);
        Self { sender, seen, watches, watching }
    }
}

/// How things are when the story begins.
pub(crate) struct Begin {
    /// What its times count from.
    pub(crate) started: Instant,
    /// Where each node stands.
    pub(crate) tips: Vec<Tip>,
    /// How members of a network that was found come by money.
    pub(crate) income: Option<Income>,
    /// Who comes and goes, in a network that was found.
    pub(crate) changes: Receiver<Change>,
}

/// Tells of a network until it is done or `stop` is cancelled, and reports.
pub(crate) async fn narrate<W: Write>(
    options: &Options,
    look: Look,
    out: W,
    network: &mut Network,
    Begin { started, tips, income, changes }: Begin,
    Eyes { sender, seen, watches, watching }: Eyes,
    stop: CancellationToken,
) -> anyhow::Result<Report> {
    let names: Vec<String> = network.nodes.iter().map(|node| node.contact.name.clone()).collect();
    // A fresh chain is told from its first block on, whoever found it before anybody listened.
    let heights = || tips.iter().map(|tip| tip.index.0).filter(|_| network.goes_on);
    let (lowest, base) = (heights().min().unwrap_or(0), heights().max().unwrap_or(0));
    let addresses = network.nodes.iter().map(|node| node.contact.address.clone()).collect();
    let directory = || network.money.iter().flat_map(|money| money.members.directory());
    let members = directory().map(|(_, name)| name).collect();
    let rules = match &network.money {
        Some(_) => Some(Rules::of(&serde_json::to_value(options.config.network.genesis())?)?),
        None => None,
    };
    let (pool_sender, pool) = channel(QUEUE);
    let economy = network.money.as_ref().map(|money| Economy::start(wishes(options, network, money), pool_sender));
    let mut run = Run {
        narrator: Narrator::new(names.clone(), network.id, options.config.network.genesis_time),
        payments: PaymentNarrator::new(directory()),
        economy,
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
        presence: network.nodes.iter().map(|node| node.is_there.clone()).collect(),
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
fn wishes(options: &Options, network: &Network, money: &Money) -> Settings {
    let params = &options.config.network;
    // As mempools do, which ask for a fee only where addresses cost nothing.
    let min_fee = if params.new_address_balance == 0 { 0 } else { options.config.mempool.min_fee.grains() };
    Settings {
        client: network.client.clone(),
        mempool: money.mempool.clone(),
        network: network.id,
        members: money.members.clone(),
        rate: options.config.simulator.rate,
        limits: Limits::new(params.reward.max(params.new_address_balance), min_fee, params.max_msg_bytes),
        chance: Chance::new(options.seed.wrapping_add(1)),
    }
}

/// A partition under way.
struct Cut {
    halves: [Vec<usize>; 2],
    mempool: usize,
    found_before: Vec<u64>,
    ends: Duration,
}

struct Run<W> {
    names: Vec<String>,
    narrator: Narrator,
    payments: PaymentNarrator,
    economy: Option<Economy>,
    pool: Receiver<PoolSeen>,
    screen: Screen<W>,
    inspector: Inspector,
    seen: Receiver<Seen>,
    sender: Sender<Seen>,
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
    cut: Option<Cut>,
    bad: u64,
    unchecked: u64,
    failed: u64,
}

impl<W: Write> Run<W> {
    fn begin(&mut self, options: &Options, network: &Network, tips: &[Tip], income: Option<Income>) -> io::Result<()> {
        let params = &options.config.network;
        let members = network.money.iter().flat_map(|money| money.members.directory());
        let members = members.map(|(address, name)| Contact { name, address: address.to_string() });
        let started = Started {
            network: params.name.clone(),
            network_id: network.id.to_string(),
            layer: layer_text(params.layer),
            block_interval_ms: params.block_interval_ms,
            hashrate: (!self.is_found).then(|| options.config.simulator.hashrate.to_string()),
            seed: options.seed,
            tracker: network.tracker.clone(),
            explorer: network.explorer.as_ref().map(|address| format!("http://{address}/")),
            mempool: network.money.as_ref().map(Money::mempool),
            nodes: network.nodes.iter().map(|node| node.contact.clone()).collect(),
            members: members.collect(),
            rate: options.config.simulator.rate,
            config: network.parameters.as_ref().map(|path| path.display().to_string()),
            income,
            height: self.base,
        };
        let at_ms = self.at_ms();
        self.narrator.tell(at_ms, Tale::Started(started));
        if !self.is_found {
            self.narrator.tell(at_ms, Tale::Mining { nodes: network.nodes.len(), within_ms: at_ms });
        }
        for (node, tip) in tips.iter().enumerate().filter(|(_, tip)| tip.index.0 > 0) {
            self.narrator.see_tip(at_ms, node, tip);
        }
        self.screen.show(&self.narrator.take())
    }

    /// Narrates until the run is over; answers whether somebody is waiting for it to end.
    async fn listen(
        &mut self,
        options: &Options,
        network: &mut Network,
        mut changes: Receiver<Change>,
        stop: &CancellationToken,
    ) -> io::Result<bool> {
        let mut chance = Chance::new(options.seed);
        let mut partitions = options.partitions.iter().copied().peekable();
        loop {
            tokio::select! {
                () = stop.cancelled() => {
                    self.ending("stopping (once more to stop at once)".to_owned())?;
                    return Ok(true);
                }
                (service, reason) = network.failed() => {
                    self.failed += 1;
                    self.narrator.tell(self.at_ms(), Tale::Failed { service, reason });
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
                self.cut(network, partition, &mut chance).await;
            }
        }
    }

    /// Waits for the next thing to tell and tells it. May be dropped while it waits.
    async fn next(&mut self) -> io::Result<()> {
        tokio::select! {
            Some(seen) = self.seen.recv() => self.take(seen),
            Some(seen) = self.pool.recv() => self.payments.see(self.at_ms(), &seen),
            _ = self.ticks.tick() => {}
        }
        let at_ms = self.at_ms();
        self.narrator.tick(at_ms);
        self.payments.tick(at_ms);
        self.show()?;
        let (narrator, hashrates, checked) = (&self.narrator, &self.hashrates, self.inspector.checked());
        let (hashrate, pending) = (hashrates.iter().sum(), self.payments.pending());
        self.screen.show_status(at_ms, || Status { hashrate, checked, pending, ..narrator.status() })
    }

    fn show(&mut self) -> io::Result<()> {
        let mut told = self.narrator.take();
        told.extend(self.payments.take());
        self.screen.show(&told)
    }

    fn take(&mut self, Seen { node, what }: Seen) {
        let at_ms = self.at_ms();
        let name = self.names[node].clone();
        match what {
            What::Event(event) => {
                if let NodeEvent::Block(block) = &event {
                    self.inspector.ask(node, BlockId { index: block.index, hash: block.hash });
                    self.first_difficulty.get_or_insert(block.difficulty.value());
                }
                self.narrator.hear(at_ms, node, &event);
            }
            What::Info { tip, hashrate, miner } => {
                self.hashrates[node] = hashrate;
                self.narrator.see_tip(at_ms, node, &tip);
                if let Some(miner) = miner {
                    self.payments.call(miner, format!("{name}'s miner"));
                }
            }
            What::Bundle(block, bundle, reward) => self.payments.see_bundle(at_ms, block, &bundle, reward),
            What::Silent(reason) => {
                self.narrator.tell(at_ms, Tale::Silent { node: name, reason });
                self.set_there(node, false);
            }
            What::Back => {
                self.narrator.tell(at_ms, Tale::Back { node: name });
                self.set_there(node, true);
            }
            What::BadBlock(block, reason) => {
                self.bad += 1;
                self.narrator.tell(at_ms, Tale::BadBlock { node: name, block, reason });
            }
            What::Fetched => self.unchecked = self.unchecked.saturating_sub(1),
            What::Unfetched(block, reason) => {
                self.unchecked += 1;
                let what = format!("fetch block {} {} from {name} to check it", block.index, block.hash.short());
                self.narrator.tell(at_ms, Tale::Trouble { what, reason });
            }
        }
    }

    async fn cut(&mut self, network: &Network, partition: Partition, chance: &mut Chance) {
        let (halves, mempool) = (halves(network.nodes.len(), chance), chance.place(2));
        let result = partition::cut(network, &halves, mempool).await;
        let (for_ms, told) = (ms(partition.lasts), network.money.as_ref().map(|_| mempool));
        let tale = Tale::Partitioned { halves: self.named(&halves), for_ms, mempool: told };
        self.narrator.tell(self.at_ms(), tale);
        self.complain_of("cut the network", result);
        self.cut = Some(Cut { halves, mempool, found_before: self.narrator.counts().found, ends: partition.end() });
    }

    /// Heals the cut, if there is one.
    async fn heal(&mut self, network: &Network) {
        let Some(Cut { halves, mempool, found_before, .. }) = self.cut.take() else { return };
        let found_now = self.narrator.counts().found;
        let found = |half: &[usize]| half.iter().map(|node| found_now[*node] - found_before[*node]).sum();
        let tale = Tale::Healed { halves: self.named(&halves), found: [found(&halves[0]), found(&halves[1])] };
        self.narrator.tell(self.at_ms(), tale);
        let result = partition::heal(network, &halves, mempool).await;
        self.complain_of("heal the network", result);
    }

    fn complain_of(&mut self, what: &str, result: Result<(), String>) {
        if let Err(reason) = result {
            self.narrator.tell(self.at_ms(), Tale::Trouble { what: what.to_owned(), reason });
        }
    }

    fn ending(&mut self, reason: String) -> io::Result<()> {
        self.narrator.tell(self.at_ms(), Tale::Ending { reason });
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
