//! The end of a run: heals what is cut, ends the payments, asks the nodes to agree, has all money found, and draws up
//! the report.

use super::Run;
use crate::event::{NodesOnBranch, RunEvent};
use crate::final_agreement::{self, FinalAgreement};
use crate::flags::Options;
use crate::money_proof::{self, MoneyProof};
use crate::network::RunningNetwork;
use crate::observer::Observation;
use crate::report::{BlocksFound, RunReport};
use shared::block::Height;
use shared::wire::BlockId;
use std::io::{self, Write};
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// How long nodes may take to agree at the end.
const AGREE: Duration = Duration::from_secs(15);
/// The same, where somebody waits for the program to end.
const AGREE_IN_HASTE: Duration = Duration::from_millis(1000);

/// How long all money may take to be found.
const PROVE: Duration = Duration::from_secs(60);
/// The same, where somebody waits for the program to end.
const PROVE_IN_HASTE: Duration = Duration::from_secs(5);
/// The same, where the network was found: its chain may be long. Docker is told to wait for longer than this.
const PROVE_FOUND_IN_HASTE: Duration = Duration::from_secs(15);
/// Block intervals that payments may take to be confirmed at the end, and what comes on top.
const LAST_INTERVALS: u32 = 4;
const LAST_PAYMENTS: Duration = Duration::from_secs(2);
/// The longest that this is waited for.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// How often it is asked whether they are.
const LOOK: Duration = Duration::from_millis(200);

impl<W: Write> Run<W> {
    pub(super) async fn end(
        mut self,
        options: &Options,
        network: &RunningNetwork,
        is_hasty: bool,
    ) -> anyhow::Result<RunReport> {
        self.heal(network).await;
        if let Some(payers) = &self.payers {
            payers.stop_paying();
        }
        if !is_hasty {
            let interval = Duration::from_millis(options.config.network.block_interval_ms);
            let patience = (interval * LAST_INTERVALS + LAST_PAYMENTS).min(LONGEST_WAIT);
            // What is not confirmed by then is reported as pending.
            let _ = self.narrate_while(timeout(patience, no_payment_is_pending(network))).await?;
        }
        let deadline = if is_hasty { AGREE_IN_HASTE } else { AGREE };
        let agreement = self.narrate_while(final_agreement::reach(network, deadline)).await?;
        let (tip, branches) = match agreement {
            FinalAgreement::On(tip) => (Some(tip), Vec::new()),
            FinalAgreement::Split(branches) => (None, branches),
        };
        let least = tip.map_or(Height(0), |tip| tip.index);
        let money = self.prove_money(network, least, is_hasty).await?;
        // The chain that was agreed on is walked down to its start, in case that something was not told of.
        if self.is_found {
            // Nodes that were there before may have taken blocks with them that nobody else has: not of this chain.
            self.unchecked = 0;
        }
        self.inspector.ask(self.first_present(), tip.unwrap_or_else(|| self.narrator.best()));
        Ok(self.report(options, (tip, branches), money, is_hasty).await?)
    }

    /// Goes on narrating until `wait` is over.
    async fn narrate_while<T>(&mut self, wait: impl Future<Output = T>) -> io::Result<T> {
        let mut wait = std::pin::pin!(wait);
        loop {
            tokio::select! {
                over = &mut wait => return Ok(over),
                shown = self.next() => shown?,
            }
        }
    }

    async fn prove_money(
        &mut self,
        network: &RunningNetwork,
        least: Height,
        is_hasty: bool,
    ) -> io::Result<Option<MoneyProof>> {
        let (Some(payers), Some(money)) = (self.payers.take(), &network.money) else { return Ok(None) };
        let Some(book) = self.narrate_while(payers.finish()).await? else {
            return Ok(Some(MoneyProof {
                fault: Some("the members' task has panicked".to_owned()),
                ..MoneyProof::default()
            }));
        };
        let patience = match (is_hasty, self.is_found) {
            (false, _) => PROVE,
            (true, false) => PROVE_IN_HASTE,
            (true, true) => PROVE_FOUND_IN_HASTE,
        };
        self.narrate_while(money_proof::prove(network, &money.mempool(), &book, least, patience)).await.map(Some)
    }

    async fn report(
        mut self,
        options: &Options,
        (tip, branches): (Option<BlockId>, Vec<NodesOnBranch>),
        money: Option<MoneyProof>,
        is_hasty: bool,
    ) -> io::Result<RunReport> {
        let patience = if is_hasty { Duration::from_millis(500) } else { Duration::from_secs(10) };
        let checked = self.inspector.finish(patience).await;
        while let Ok(seen) = self.seen.try_recv() {
            if matches!(seen.what, Observation::BadBlock(..) | Observation::Unfetched(..) | Observation::Fetched) {
                self.take(seen);
            }
        }
        let best = tip.unwrap_or_else(|| self.narrator.best());
        let blocks = best.index.0.saturating_sub(self.base);
        let counts = self.narrator.counts();
        let found = self.names.iter().zip(&counts.found);
        let report = RunReport {
            seconds: self.started.elapsed().as_secs_f64(),
            blocks,
            agreed: tip.is_some(),
            tip,
            branches,
            found: found.map(|(node, blocks)| BlocksFound { node: node.clone(), blocks: *blocks }).collect(),
            forks: counts.forks,
            reorganisations: counts.reorganisations,
            deepest_reorganisation: counts.deepest,
            stale: checked.saturating_sub(blocks),
            interval_ms: self.narrator.mean_interval_ms(self.base),
            interval_aimed_at_ms: options.config.network.block_interval_ms,
            difficulty_first: self.first_difficulty,
            difficulty_last: self.narrator.difficulty(&best.hash),
            checked,
            bad: self.bad,
            unchecked: self.unchecked,
            failed_services: self.failed,
            money,
        };
        let at_ms = self.at_ms();
        self.narrator.finish(at_ms);
        self.payments.finish(at_ms);
        self.show()?;
        self.narrator.push(at_ms, RunEvent::Report(report.clone()));
        self.screen.end_status()?;
        self.screen.show(&self.narrator.take_events())?;
        Ok(report)
    }
}

/// Waits until the mempool has no payments; for ever if it has always some.
async fn no_payment_is_pending(network: &RunningNetwork) {
    let Some(money) = &network.money else { return };
    loop {
        // Payments that are on their way get there meanwhile.
        sleep(LOOK).await;
        let info = network.client.info(&money.mempool()).await;
        if info.is_ok_and(|info| info.pool.is_some_and(|pool| pool.count == 0)) {
            return;
        }
    }
}
