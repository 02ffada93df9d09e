//! Starts the attacker of a run, or thefts on demand, and gives the attacker's addresses a name.

use super::LiveRun;
use crate::attacker::{self, AttackSettings};
use crate::attacker_options::{AttackerOptions, NAME};
use crate::event::{AttackStep, RunEvent};
use crate::network::{MempoolAndWallets, RunningNetwork};
use crate::options::RunOptions;
use laboratory::strategy::StrategySetting;
use shared::config::Hashrate;
use shared::keys::KeyPair;
use std::io::Write;
use tokio::sync::mpsc::{Receiver, channel};
use tokio_util::sync::CancellationToken;

/// Steps of an attack that may wait to be narrated.
const QUEUE: usize = 256;

impl<W: Write> LiveRun<W> {
    /// Starts the attacker, if the run has one, or else thefts on demand, if the explorer offers them. Steps come from
    /// the receiver.
    pub(super) fn start_attack(
        &mut self,
        options: &RunOptions,
        network: &mut RunningNetwork,
        stop: &CancellationToken,
    ) -> Receiver<RunEvent> {
        let (sender, receiver) = channel(QUEUE);
        let thefts = network.thefts.take();
        if options.attacker.is_none() && thefts.is_none() {
            return receiver;
        }
        for address in attacker::addresses() {
            self.payments.add_name(address.to_string(), NAME.to_owned());
        }
        let settings = settings(options, network);
        match (&options.attacker, thefts) {
            (Some(attacker), _) => {
                attacker::start(AttackSettings { options: attacker.clone(), ..settings }, sender, stop.clone());
            }
            (None, Some((thefts, choices))) => {
                attacker::steal_on_demand(settings, thefts, choices, sender, stop.clone());
            }
            (None, None) => {}
        }
        receiver
    }

    /// Narrates a step of an attack. A payment comes first, whenever the mempool reports it: "Mallory pays Ben", and
    /// only then "Ben waits".
    pub(super) fn tell_attack(&mut self, event: RunEvent) {
        let at_ms = self.at_ms();
        match &event {
            RunEvent::Attack(AttackStep::Paid { .. }) => self.thefts.tried += 1,
            RunEvent::Attack(AttackStep::Stole { .. }) => self.thefts.managed += 1,
            RunEvent::Attack(AttackStep::GaveUp { .. }) => self.thefts.given_up += 1,
            _ => {}
        }
        if let RunEvent::Attack(AttackStep::Paid { payment, .. }) = &event {
            self.payments.tell(at_ms, payment);
        }
        for before in self.payments.take_events() {
            self.narrator.push(before.at_ms, before.event);
        }
        self.narrator.push(at_ms, event);
    }
}

/// What an attacker needs; an honest one, until its options are known.
fn settings(options: &RunOptions, network: &RunningNetwork) -> AttackSettings {
    let config = &options.config;
    let honest = match config.simulator.hashrate {
        Hashrate::PerSecond(each) if !network.is_found() => Some(each.saturating_mul(config.simulator.nodes as u64)),
        _ => None,
    };
    let nobody = || (String::new(), KeyPair::from_seed("nobody").address());
    AttackSettings {
        options: AttackerOptions { strategy: StrategySetting::Honest, share: 0.0, text: String::new() },
        client: network.client.clone(),
        nodes: network.nodes.clone(),
        mempool: network.money.as_ref().map(|money| money.mempool.clone()),
        params: config.network.clone(),
        max_block_bytes: network.max_block_bytes,
        fee: config.mempool.min_fee.grains(),
        honest,
        victim: network.money.as_ref().and_then(MempoolAndWallets::victim).unwrap_or_else(nobody),
        thefts: None,
        round: 0,
    }
}
