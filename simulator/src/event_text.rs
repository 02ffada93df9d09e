//! Tales as lines for people. Colours are an ornament: every line says the same without them.

mod money;

use crate::event::{NodesOnBranch, RunEvent, RunStatus, Started, TimedEvent};
use crate::numbers::{grouped, plural, rate, short, span};
use crate::report::RunReport;
use owo_colors::{AnsiColors, OwoColorize};
use shared::wire::BlockId;

/// Colours of the nodes, in turn; red is kept for what went wrong.
const COLOURS: [AnsiColors; 10] = [
    AnsiColors::Cyan,
    AnsiColors::Yellow,
    AnsiColors::Magenta,
    AnsiColors::Green,
    AnsiColors::Blue,
    AnsiColors::BrightCyan,
    AnsiColors::BrightYellow,
    AnsiColors::BrightMagenta,
    AnsiColors::BrightGreen,
    AnsiColors::BrightBlue,
];
/// Nodes whose addresses are shown one by one.
const SHOWN: usize = 10;

/// How lines look: plain, or with a colour for each node.
#[derive(Debug, Clone)]
pub struct LineFormatter {
    names: Vec<String>,
    /// Each miner has the colour of their node.
    members: Vec<String>,
    /// How many nodes take part.
    present: usize,
    coloured: bool,
}

impl LineFormatter {
    /// For nodes and members of these names.
    pub const fn new(names: Vec<String>, members: Vec<String>, coloured: bool) -> Self {
        let present = names.len();
        Self { names, members, present, coloured }
    }

    /// One more node of this name; it is counted when it is [present](Self::set_present).
    pub fn join(&mut self, name: String) {
        self.names.push(name);
    }

    /// How many nodes take part now.
    pub const fn set_present(&mut self, present: usize) {
        self.present = present;
    }

    /// The same without colours.
    pub fn plain(&self) -> Self {
        Self { coloured: false, ..self.clone() }
    }

    /// A tale as one or more lines, without a line break at the end.
    pub fn line(&self, timed: &TimedEvent) -> String {
        let TimedEvent { at_ms, event } = timed;
        match event {
            RunEvent::Started(started) => return self.started(started),
            RunEvent::Report(report) => return self.report(report),
            _ => {}
        }
        let time = format!("{:>7.1} s ", *at_ms as f64 / 1000.0);
        format!("{} {}", self.dim(&time), self.event(event))
    }

    /// The status line.
    pub fn status(&self, at_ms: u64, status: &RunStatus) -> String {
        let RunStatus { height, difficulty, hashrate, interval_ms, tips, pending, .. } = status;
        let difficulty = if *difficulty == 0 { "-".to_owned() } else { grouped(*difficulty) };
        let interval = interval_ms.map_or("-".to_owned(), |ms| format!("{:.1} s", ms as f64 / 1000.0));
        let seconds = at_ms / 1000;
        let tips = plural(*tips as u64, "tip");
        let rate = rate(*hashrate);
        let pending = pending.map_or(String::new(), |pending| format!(" | {pending} pending"));
        format!(
            "{seconds} s | height {height} | difficulty {difficulty} | {rate} | interval {interval} | {tips}{pending}"
        )
    }

    fn event(&self, event: &RunEvent) -> String {
        match event {
            RunEvent::Started(_) | RunEvent::Report(_) => String::new(),
            RunEvent::Mining { nodes, within_ms } => {
                let mine = if *nodes == 1 { "the node mines".to_owned() } else { format!("all {nodes} nodes mine") };
                format!("{mine}, {:.1} s after the start", *within_ms as f64 / 1000.0)
            }
            RunEvent::Found { node, block, after_ms, best, .. } => {
                let after =
                    after_ms.map_or(String::new(), |ms| format!(", {} after block {}", span(ms), block.index.minus(1)));
                let late = if *best { "" } else { ", but another one came first" };
                format!("{} found block {}{after}{late}", self.name(node), self.block(block))
            }
            RunEvent::Payment { .. }
            | RunEvent::Payments { .. }
            | RunEvent::Refused { .. }
            | RunEvent::GivenUp { .. }
            | RunEvent::Returned { .. }
            | RunEvent::Confirmed { .. } => self.money(event),
            RunEvent::Received { nodes, block, within_ms, agreed } => {
                let within = within_ms.map_or(String::new(), |ms| format!(" within {} ms", ms.max(1)));
                let agreed = if *agreed { format!("; all {} agree", self.present) } else { String::new() };
                let what = format!("received block {}{within}{agreed}", self.block(block));
                format!("{} {}", self.list(nodes), self.dim(&what))
            }
            RunEvent::CaughtUp { node, blocks, tip } => {
                format!(
                    "{} caught up: {} fetched, now on {}",
                    self.name(node),
                    plural(*blocks, "block"),
                    self.block(tip)
                )
            }
            RunEvent::Fork { branches } => format!("{} {}", self.strong("fork:"), self.branches(branches)),
            RunEvent::Reorganised { nodes, undone, applied, fork, tip } => format!(
                "{} {}: {} undone, {applied} applied, fork at {}, now on {}",
                self.list(nodes),
                self.strong("reorganised"),
                plural(*undone, "block"),
                fork.index,
                self.block(tip)
            ),
            RunEvent::Agreed { nodes, tip } => {
                format!("{} on {}", self.good(&format!("all {nodes} agree again")), self.block(tip))
            }
            RunEvent::Partitioned { halves, for_ms, mempool } => self.partitioned(halves, *for_ms, *mempool),
            RunEvent::Healed { halves, found } => self.healed(halves, *found),
            RunEvent::Dropped { node, peer, reason } => {
                format!("{} has nothing to do with {peer} for a while: {reason}", self.name(node))
            }
            RunEvent::Waiting { reason } => format!("waiting: {reason}"),
            RunEvent::Joined { node, address } => format!("{} takes part, at {address}", self.name(node)),
            RunEvent::Left { node } => format!("{} is gone: the tracker does not list it any more", self.name(node)),
            RunEvent::Tracker { reason: Some(reason) } => {
                format!("the tracker does not answer; going on with those who are known: {reason}")
            }
            RunEvent::Tracker { reason: None } => "the tracker answers again".to_owned(),
            RunEvent::Silent { node, reason } => format!("{} tells nothing any more: {reason}", self.name(node)),
            RunEvent::Back { node } => format!("{} tells its events again", self.name(node)),
            RunEvent::Failed { service, reason } => self.bad(&format!("{service} failed: {reason}")),
            RunEvent::BadBlock { node, block, reason } => {
                self.bad(&format!("BAD BLOCK {} {} served by {node}: {reason}", block.index, block.hash))
            }
            RunEvent::Trouble { what, reason } => self.bad(&format!("could not {what}: {reason}")),
            RunEvent::Ending { reason } if self.members.is_empty() => format!("{reason}; do all nodes agree?"),
            RunEvent::Ending { reason } => format!("{reason}; no more payments; do all agree, and is all money there?"),
            RunEvent::Status(status) => self.dim(self.status(0, status).split_once("| ").map_or("", |(_, text)| text)),
        }
    }

    fn started(&self, started: &Started) -> String {
        let Started { network, network_id, layer, block_interval_ms, hashrate, tracker, nodes, config, height, .. } =
            started;
        let place = if config.is_some() { "in one process" } else { "found" };
        let nodes_here = plural(nodes.len() as u64, "node");
        let mut lines = vec![format!("{} {network}: {nodes_here} {place}", self.strong("Chainlab network"))];
        lines
            .extend(started.explorer.iter().map(|pages| format!("  {}", self.strong(&format!("Look at it: {pages}")))));
        let each = hashrate.as_ref().map_or(String::new(), |hashrate| {
            let each = hashrate.parse().map_or_else(|_| format!("{hashrate} hash rate"), rate);
            format!(", {each} per node")
        });
        lines.extend([
            format!("  id       {network_id}"),
            format!(
                "  rules    layer {layer}, a block every {:.1} s{each}, seed {}",
                *block_interval_ms as f64 / 1000.0,
                started.seed
            ),
            format!("  tracker  http://{tracker}/members"),
        ]);
        lines.extend(started.mempool.iter().map(|mempool| format!("  mempool  http://{mempool}/unprocessed")));
        for (place, node) in nodes.iter().take(SHOWN).enumerate() {
            let label = if place == 0 { "nodes" } else { "" };
            lines.push(format!("  {label:<8} {} http://{}", self.name(&node.name), node.address));
        }
        if let Some(last) = nodes.last().filter(|_| nodes.len() > SHOWN) {
            lines.push(format!("           … up to {} http://{}", self.name(&last.name), last.address));
        }
        let first = nodes.first().map_or("", |node| node.address.as_str());
        lines.extend(self.members(started));
        let continued = if *height > 0 { format!(" (going on at height {height})") } else { String::new() };
        lines.extend([
            format!("  ask      curl http://{first}/block/{}{continued}", height + 1),
            format!("           http://{first}/docs in a browser: everything that a node can be asked"),
        ]);
        lines.extend(config.iter().map(|config| format!("  join     node --config {config} --tracker {tracker}")));
        lines.extend(["  stop     Ctrl-C".to_owned(), String::new()]);
        lines.join("\n")
    }

    fn partitioned(&self, halves: &[Vec<String>; 2], for_ms: u64, mempool: Option<usize>) -> String {
        let [first, second] = halves;
        let side = mempool.and_then(|side| halves.get(side));
        let mempool = side.map_or(String::new(), |half| format!("; only {} hear of payments", self.list(half)));
        let seconds = for_ms as f64 / 1000.0;
        let (cut, first, second) = (self.strong("cut:"), self.list(first), self.list(second));
        format!("{cut} {first} cannot talk to {second} for {seconds:.1} s{mempool}")
    }

    fn healed(&self, halves: &[Vec<String>; 2], found: [u64; 2]) -> String {
        let [first, second] = halves;
        let counts = format!(
            "{} found {} meanwhile, {} found {}",
            self.list(first),
            plural(found[0], "block"),
            self.list(second),
            plural(found[1], "block")
        );
        let outcome = match found {
            [0, 0] => "neither half mined: nothing to heal",
            [0, _] | [_, 0] => "one half found none: no fork, it only has to catch up",
            _ => "the branch with less work gives way",
        };
        format!("{} {counts}; {outcome}", self.strong("healed:"))
    }

    fn report(&self, report: &RunReport) -> String {
        let mut lines = vec![String::new()];
        let verdict = match report.tip {
            Some(tip) if report.agreed => {
                let all = match self.present {
                    1 => "the only node is".to_owned(),
                    nodes => format!("all {nodes} nodes agree"),
                };
                format!("{} on {}", self.good(&all), self.block(&tip))
            }
            _ if report.branches.is_empty() => self.bad("no node answers"),
            _ => self.bad(&format!("the nodes do NOT agree: {}", self.branches(&report.branches))),
        };
        lines.push(format!("after {:.1} s and {}: {verdict}", report.seconds, plural(report.blocks, "block")));
        let found = report.found.iter().map(|found| format!("{} {}", self.name(&found.node), found.blocks));
        lines.push(format!("  found       {}", found.collect::<Vec<_>>().join(", ")));
        let interval = report.interval_ms.map_or("-".to_owned(), |ms| format!("{:.2} s", ms as f64 / 1000.0));
        let aim = report.interval_aimed_at_ms as f64 / 1000.0;
        lines.push(format!("  interval    {interval} on average, {aim:.2} s aimed at"));
        if let (Some(first), Some(last)) = (report.difficulty_first, report.difficulty_last) {
            lines.push(format!("  difficulty  {} at first, {} at last", grouped(first), grouped(last)));
        }
        let deepest = match report.deepest_reorganisation {
            0 => String::new(),
            depth => format!(" (the deepest undid {})", plural(depth, "block")),
        };
        lines.push(format!(
            "  forks       {}, {}{deepest}, {}",
            plural(report.forks, "fork"),
            plural(report.reorganisations, "reorganisation"),
            plural(report.stale, "stale block")
        ));
        lines.push(format!("  checked     {}", self.checked(report)));
        lines.extend(report.money.iter().flat_map(|money| self.proof(money)));
        if report.failed_services > 0 {
            lines.push(self.bad(&format!("  {} failed", plural(report.failed_services, "service"))));
        }
        lines.join("\n")
    }

    fn checked(&self, report: &RunReport) -> String {
        let checked = plural(report.checked, "block");
        let mut text = match report.bad {
            0 => format!("{checked}: every hash recomputed, every proof of work and link to the parent holds"),
            bad => self.bad(&format!("{checked} recomputed, {bad} of them BAD")),
        };
        if report.unchecked > 0 {
            text.push_str(&format!("; {} could not be fetched", report.unchecked));
        }
        text
    }

    fn branches(&self, branches: &[NodesOnBranch]) -> String {
        let one = |branch: &NodesOnBranch| {
            let verb = if branch.nodes.len() == 1 { "is" } else { "are" };
            format!("{} {verb} on {}", self.list(&branch.nodes), self.block(&branch.tip))
        };
        branches.iter().map(one).collect::<Vec<_>>().join(", ")
    }

    fn block(&self, block: &BlockId) -> String {
        format!("{} ({})", block.index, short(&block.hash.to_string()))
    }

    fn list(&self, nodes: &[String]) -> String {
        let mut names: Vec<String> = nodes.iter().map(|name| self.name(name)).collect();
        match (names.pop(), names.len()) {
            (None, _) => "nobody".to_owned(),
            (Some(only), 0) => only,
            (Some(last), _) => format!("{} and {last}", names.join(", ")),
        }
    }

    fn name(&self, name: &str) -> String {
        let place = |names: &[String]| names.iter().position(|known| known == name);
        let Some(number) = place(&self.names).or_else(|| place(&self.members)).filter(|_| self.coloured) else {
            return name.to_owned();
        };
        name.color(COLOURS[number % COLOURS.len()]).bold().to_string()
    }

    fn dim(&self, text: &str) -> String {
        if self.coloured { text.dimmed().to_string() } else { text.to_owned() }
    }

    fn strong(&self, text: &str) -> String {
        if self.coloured { text.bold().to_string() } else { text.to_owned() }
    }

    fn good(&self, text: &str) -> String {
        if self.coloured { text.green().to_string() } else { text.to_owned() }
    }

    fn bad(&self, text: &str) -> String {
        if self.coloured { text.red().bold().to_string() } else { text.to_owned() }
    }
}
