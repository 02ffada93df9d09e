//! The first screen: what the network is, where its services are, and what to try.

use super::LineFormatter;
use crate::event::{Income, NamedAddress, Started};
use crate::numbers::{lab, plural, rate, span};

/// Most nodes, and most members, that are listed one by one.
const SHOWN: usize = 10;

impl LineFormatter {
    pub(super) fn started(&self, started: &Started) -> String {
        let Started { network, network_id, layer, block_interval_ms, hashrate, tracker, nodes, config, height, .. } =
            started;
        let place = if config.is_some() { "in this process" } else { "found through the tracker" };
        let going_on = if *height > 0 { format!(", going on at height {height}") } else { String::new() };
        let count = plural(nodes.len() as u64, "node");
        let mut lines = vec![format!("{} {network}: {count} {place}{going_on}", self.strong("Chainlab network"))];
        let pages = started.explorer.iter().map(|pages| self.strong(&format!("Watch it in a browser: {pages}")));
        lines.extend(pages.map(|pages| format!("  {pages}")));
        let hashrate = hashrate.as_ref().map_or(String::new(), |hashrate| {
            let hashrate = hashrate.parse().map_or_else(|_| hashrate.clone(), rate);
            format!(", hash rate {hashrate} per node")
        });
        let interval = span(i64::try_from(*block_interval_ms).unwrap_or(i64::MAX));
        let seed = started.seed;
        lines.extend([
            format!("  id       {network_id}"),
            format!("  rules    layer {layer}, a block every {interval} on average{hashrate}, seed {seed}"),
            format!("  tracker  http://{tracker}/members"),
        ]);
        lines.extend(started.mempool.iter().map(|mempool| format!("  mempool  http://{mempool}/unprocessed")));
        for (number, node) in nodes.iter().take(SHOWN).enumerate() {
            let label = if number == 0 { "nodes" } else { "" };
            lines.push(format!("  {label:<8} {} http://{}", self.name(&node.name), node.address));
        }
        if let Some(last) = nodes.last().filter(|_| nodes.len() > SHOWN) {
            lines.push(format!("           … up to {} http://{}", self.name(&last.name), last.address));
        }
        lines.extend(self.members(started));
        let first = nodes.first().map_or("", |node| node.address.as_str());
        lines.extend([
            format!("  try      curl http://{first}/block/{}", height + 1),
            format!("           http://{first}/docs in a browser: everything that you can ask a node"),
        ]);
        lines.extend(config.iter().map(|config| format!("  join     node --config {config} --tracker {tracker}")));
        lines.extend(["  stop     Ctrl-C".to_owned(), String::new()]);
        lines.join("\n")
    }

    fn members(&self, started: &Started) -> Vec<String> {
        let names = |members: &[NamedAddress]| {
            let mut shown: Vec<String> = members.iter().take(SHOWN).map(|member| member.name.clone()).collect();
            let more = members.len() - shown.len();
            shown.extend((more > 0).then(|| format!("{more} more")));
            self.list(&shown)
        };
        let Some((first, _)) = started.members.split_first() else { return Vec::new() };
        if let Some(income) = started.income {
            let income = income_text(first, income).into_iter().map(|line| format!("           {line}"));
            let members = format!("  members  {}; {}", names(&started.members), payments(started.rate));
            return [members].into_iter().chain(income).chain([keys(first)]).collect();
        }
        let (miners, others) = started.members.split_at(started.nodes.len().min(started.members.len()));
        let mine = if miners.len() == 1 { "mines" } else { "mine" };
        let others = match others.len() {
            0 => String::new(),
            1 => format!("; {} does not", names(others)),
            _ => format!("; {} do not", names(others)),
        };
        vec![format!("  members  {} {mine}{others}; {}", names(miners), payments(started.rate)), keys(first)]
    }
}

fn payments(rate: u32) -> String {
    match rate {
        0 => "they make no payments".to_owned(),
        rate => format!("together they make {} a second", plural(u64::from(rate), "payment")),
    }
}

/// How to pay as one of the members.
fn keys(first: &NamedAddress) -> String {
    let key = first.name.to_lowercase();
    let line = "their keys are made from their names, for exercises only; to pay as";
    format!("           {line} {}: user send 1 ben -s {key}", first.name)
}

/// How the members of a network that was found get money: none of its nodes mines for them.
fn income_text(first: &NamedAddress, income: Income) -> Vec<String> {
    match income {
        Income::Given(grains) => vec![format!("each new address has {} on this network", lab(u128::from(grains)))],
        Income::Mined(hashrate) => {
            vec![format!("the simulator mines for them, {}; they can pay once it finds a block", rate(hashrate))]
        }
        Income::None => vec![
            "they have no money until somebody pays them, or mines for one of them:".to_owned(),
            format!("node --miner {}", first.address),
        ],
    }
}
