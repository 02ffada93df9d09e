//! Events as lines for people. Colours are an ornament: every line says the same without them.

mod attack;
mod cuts;
mod ending;
mod money;
mod start;

use crate::event::{RunEvent, RunStatus, TimedEvent};
use crate::numbers::{grouped, plural, rate, short, span};
use crate::report::NodesOnBranch;
use owo_colors::{AnsiColors, OwoColorize};
use shared::block::BlockId;
use std::collections::HashMap;

/// Colours of the nodes, in turn; red is for errors only.
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

/// Formats events, plain or with a colour for each name.
#[derive(Debug, Clone)]
pub struct LineFormatter {
    /// By name; empty without colours. A member who mines has the colour of the member's node.
    colours: HashMap<String, AnsiColors>,
    coloured: bool,
    /// How many nodes there are, those that left included.
    nodes: usize,
    /// How many nodes take part.
    present: usize,
    has_money: bool,
}

impl LineFormatter {
    /// For nodes and members of these names.
    pub fn new(nodes: &[String], members: &[String], coloured: bool) -> Self {
        let colour = |(number, name): (usize, &String)| (name.clone(), COLOURS[number % COLOURS.len()]);
        let colours = match coloured {
            true => members.iter().enumerate().chain(nodes.iter().enumerate()).map(colour).collect(),
            false => HashMap::new(),
        };
        Self { colours, coloured, nodes: nodes.len(), present: nodes.len(), has_money: !members.is_empty() }
    }

    /// Gives a new node its colour; it is counted once it is [present](Self::set_present).
    pub fn add_node(&mut self, name: String) {
        if self.coloured {
            self.colours.insert(name, COLOURS[self.nodes % COLOURS.len()]);
        }
        self.nodes += 1;
    }

    pub const fn set_present(&mut self, present: usize) {
        self.present = present;
    }

    /// The same formatter without colours.
    pub fn plain(&self) -> Self {
        Self { coloured: false, colours: HashMap::new(), ..*self }
    }

    /// One or more lines, without a line break at the end.
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
            RunEvent::Mining { nodes, within_ms } => mining(*nodes, *within_ms),
            RunEvent::Found { node, block, after_ms, best, .. } => {
                let after =
                    after_ms.map_or(String::new(), |ms| format!(", {} after block {}", span(ms), block.index.minus(1)));
                let late = if *best { "" } else { ", but another block came first" };
                format!("{} found {}{after}{late}", self.name(node), block_text(block))
            }
            RunEvent::Payment { .. }
            | RunEvent::Coins { .. }
            | RunEvent::Call { .. }
            | RunEvent::Payments { .. }
            | RunEvent::Refused { .. }
            | RunEvent::GivenUp { .. }
            | RunEvent::Returned { .. }
            | RunEvent::Confirmed { .. } => self.money(event),
            RunEvent::Received { nodes, block, within_ms, agreed } => {
                let within = within_ms.map_or(String::new(), |ms| format!(" within {} ms", ms.max(1)));
                let agreed = if *agreed { format!("; {}", all_agree(self.present)) } else { String::new() };
                let received = format!("received {}{within}{agreed}", block_text(block));
                format!("{} {}", self.list(nodes), self.dim(&received))
            }
            RunEvent::CaughtUp { node, blocks, tip } => {
                let fetched = plural(*blocks, "block");
                format!("{} caught up: {fetched} fetched, now on {}", self.name(node), block_text(tip))
            }
            RunEvent::Fork { branches } => format!("{} {}", self.strong("fork:"), self.branches(branches)),
            RunEvent::Reorganised { nodes, undone, applied, fork, tip } => {
                let (nodes, reorganised) = (self.list(nodes), self.strong("reorganised"));
                let (undone, tip) = (plural(*undone, "block"), block_text(tip));
                format!(
                    "{nodes} {reorganised} after block {}: {undone} undone, {applied} applied, now on {tip}",
                    fork.index
                )
            }
            RunEvent::Agreed { nodes: 1, tip } => format!("the only node left is on {}", block_text(tip)),
            RunEvent::Agreed { nodes, tip } => {
                format!("{} on {}", self.good(&format!("{} again", all_agree(*nodes))), block_text(tip))
            }
            RunEvent::Partitioned(_)
            | RunEvent::CutOff { .. }
            | RunEvent::CutFromOutside { .. }
            | RunEvent::OpenedFromOutside { .. }
            | RunEvent::Healed { .. } => self.cuts(event),
            RunEvent::Dropped { node, peer, reason } => {
                format!("{} dropped its peer {peer} for a while: {reason}", self.name(node))
            }
            RunEvent::Waiting { reason } => format!("waiting: {reason}"),
            RunEvent::Joined { node, address } => format!("{} joined, at {address}", self.name(node)),
            RunEvent::Left { node } => format!("{} left: the tracker no longer lists it", self.name(node)),
            RunEvent::Tracker { reason: Some(reason) } => {
                format!("the tracker does not answer; the run goes on with the nodes that it knows: {reason}")
            }
            RunEvent::Tracker { reason: None } => "the tracker answers again".to_owned(),
            RunEvent::Silent { node, reason } => format!("{} no longer sends events: {reason}", self.name(node)),
            RunEvent::Back { node } => format!("{} sends events again", self.name(node)),
            RunEvent::Failed { service, reason } => self.bad(&format!("{service} failed: {reason}")),
            RunEvent::BadBlock { node, block, reason } => {
                self.bad(&format!("BAD BLOCK {} {} from {node}: {reason}", block.index, block.hash))
            }
            RunEvent::Attack(step) => self.attack(step),
            RunEvent::Trouble { what, reason } => self.bad(&format!("could not {what}: {reason}")),
            RunEvent::Ending { reason } => self.ending(reason),
            RunEvent::Status(status) => self.dim(self.status(0, status).split_once("| ").map_or("", |(_, text)| text)),
        }
    }

    fn branches(&self, branches: &[NodesOnBranch]) -> String {
        let one = |branch: &NodesOnBranch| {
            let verb = if branch.nodes.len() == 1 { "is" } else { "are" };
            format!("{} {verb} on {}", self.list(&branch.nodes), block_text(&branch.tip))
        };
        branches.iter().map(one).collect::<Vec<_>>().join(", ")
    }

    fn list(&self, nodes: &[String]) -> String {
        let mut names: Vec<String> = nodes.iter().map(|name| self.name(name)).collect();
        match (names.pop(), names.len()) {
            (None, _) => "no node".to_owned(),
            (Some(only), 0) => only,
            (Some(last), _) => format!("{} and {last}", names.join(", ")),
        }
    }

    fn name(&self, name: &str) -> String {
        self.colours.get(name).map_or_else(|| name.to_owned(), |colour| name.color(*colour).bold().to_string())
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

fn mining(nodes: usize, within_ms: u64) -> String {
    let mining = if nodes == 1 { "the node is".to_owned() } else { format!("all {nodes} nodes are") };
    format!("{mining} mining, {:.1} s after the start", within_ms as f64 / 1000.0)
}

fn all_agree(nodes: usize) -> String {
    if nodes == 1 { "the only node has it".to_owned() } else { format!("all {nodes} nodes agree") }
}

fn block_text(block: &BlockId) -> String {
    format!("block {} ({})", block.index, short(&block.hash.to_string()))
}
