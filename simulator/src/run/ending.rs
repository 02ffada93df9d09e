//! The end of a run: heals the network, ends the payments, asks the nodes to agree, has all money accounted for, and
//! draws up the report.

use super::LiveRun;
use crate::event::RunEvent;
use crate::final_agreement::{self, FinalAgreement};
use crate::money_proof::{self, MemberRecords, MoneyProof};
use crate::narrator::OTHERS;
use crate::network::RunningNetwork;
use crate::observer::Observation;
use crate::options::RunOptions;
use crate::report::{BlocksFound, NodesOnBranch, RunReport};
use shared::block::{BlockId, Height};
use std::io::{self, Write};
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// How long nodes may take to agree at the end, and how long if someone waits for the program to stop.
const AGREE: Duration = Duration::from_secs(15);
const AGREE_IN_HASTE: Duration = Duration::from_millis(1000);
/// How long the proof of all money may take, and how long if someone waits for the program to stop.
const PROVE: Duration = Duration::from_secs(60);
const PROVE_IN_HASTE: Duration = Duration::from_secs(5);
/// The same for a network that was found, whose chain may be long. Docker's grace period must be longer than this.
const PROVE_FOUND_IN_HASTE: Duration = Duration::from_secs(15);
/// How long the last checks of blocks may take, and how long if someone waits for the program to stop.
const CHECK: Duration = Duration::from_secs(10);
const CHECK_IN_HASTE: Duration = Duration::from_millis(500);
/// The last payments get four block intervals and two seconds to be confirmed, but no more than a minute.
const LAST_INTERVALS: u32 = 4;
const LAST_PAYMENTS: Duration = Duration::from_secs(2);
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// Time between two requests for the number of pending payments.
const POLL: Duration = Duration::from_millis(200);

impl<W: Write> LiveRun<W> {
    /// Brings the run to its end; `is_hasty` if someone waits for the program to stop.
    pub(super) async fn end(
        mut self,
        options: &RunOptions,
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
            // Payments that take longer are reported as pending.
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
        if self.is_found {
            // Nodes that left may have taken blocks with them which are on no other node, and so not on this chain.
            self.unchecked = 0;
        }
        // The inspector goes down from this block to the start of the run: some block may not have been reported.
        let number = self.nodes.all().iter().position(|node| node.is_present).unwrap_or(0);
        self.inspector.request(number, tip.unwrap_or_else(|| self.narrator.best()));
        Ok(self.report(options, (tip, branches), money, is_hasty).await?)
    }

    /// How many blocks each node has found, and each miner from outside: an attacker hands its blocks in.
    fn finders(&self) -> Vec<BlocksFound> {
        let (outside, forgotten) = self.narrator.outside_blocks(self.base);
        let mut miners = self.payments.miners_of(&outside);
        if forgotten > 0 {
            *miners.entry(OTHERS.to_owned()).or_default() += forgotten;
        }
        let miners = miners.into_iter().map(|(node, blocks)| BlocksFound { node, blocks });
        self.narrator.blocks_found().into_iter().chain(miners).collect()
    }

    /// Goes on narrating until `wait` is over.
    async fn narrate_while<T>(&mut self, wait: impl Future<Output = T>) -> io::Result<T> {
        let mut wait = std::pin::pin!(wait);
        loop {
            tokio::select! {
                over = &mut wait => return Ok(over),
                shown = self.narrate_next() => shown?,
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
            let fault = Some("the members' task has panicked".to_owned());
            return Ok(Some(MoneyProof { fault, ..MoneyProof::default() }));
        };
        let patience = match (is_hasty, self.is_found) {
            (false, _) => PROVE,
            (true, false) => PROVE_IN_HASTE,
            (true, true) => PROVE_FOUND_IN_HASTE,
        };
        // A copy: the run goes on to narrate, and to add to it, meanwhile.
        let rewards = self.payments.rewards().clone();
        let records = MemberRecords { payments: &book, rewards: &rewards };
        self.narrate_while(money_proof::prove(network, &money.mempool(), records, least, patience)).await.map(Some)
    }

    async fn report(
        mut self,
        options: &RunOptions,
        (tip, branches): (Option<BlockId>, Vec<NodesOnBranch>),
        money: Option<MoneyProof>,
        is_hasty: bool,
    ) -> io::Result<RunReport> {
        let checked = self.inspector.finish(if is_hasty { CHECK_IN_HASTE } else { CHECK }).await;
        while let Ok(observed) = self.observations.try_recv() {
            use Observation::{BadBlock, Fetched, Unfetched};
            if matches!(observed.observation, BadBlock(..) | Unfetched(..) | Fetched) {
                self.observe(observed);
            }
        }
        let best = tip.unwrap_or_else(|| self.narrator.best());
        let blocks = best.index.0.saturating_sub(self.base);
        let counts = self.narrator.counts();
        let report = RunReport {
            seconds: self.started.elapsed().as_secs_f64(),
            blocks,
            agreed: tip.is_some(),
            tip,
            branches,
            found: self.finders(),
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
            thefts: (self.thefts.tried > 0).then_some(self.thefts),
            failed_services: self.failed,
            money,
        };
        let at_ms = self.at_ms();
        self.narrator.finish(at_ms);
        self.payments.finish(at_ms);
        self.show()?;
        self.narrator.push(at_ms, RunEvent::Report(Box::new(report.clone())));
        self.screen.end_status()?;
        self.screen.show(&self.narrator.take_events())?;
        Ok(report)
    }
}

/// Waits until no payment is pending in the mempool; for ever if there always is one.
async fn no_payment_is_pending(network: &RunningNetwork) {
    let Some(money) = &network.money else { return };
    loop {
        // The first request comes late, so that payments on their way arrive before it.
        sleep(POLL).await;
        let info = network.client.info(&money.mempool()).await;
        if info.is_ok_and(|info| info.pool.is_some_and(|pool| pool.count == 0)) {
            return;
        }
    }
}
