//! The end of a run: heals what is cut, asks the nodes to agree, and draws up the report.

use super::Run;
use crate::agreement::{self, Agreement};
use crate::flags::Options;
use crate::network::Network;
use crate::observer::What;
use crate::report::{Found, Report};
use crate::tale::{Branch, Tale};
use shared::wire::BlockId;
use std::io::{self, Write};
use std::time::Duration;

/// How long nodes may take to agree at the end.
const AGREE: Duration = Duration::from_secs(15);
/// The same, where somebody waits for the program to end.
const AGREE_IN_HASTE: Duration = Duration::from_millis(1000);

impl<W: Write> Run<W> {
    pub(super) async fn end(mut self, options: &Options, network: &Network, is_hasty: bool) -> anyhow::Result<Report> {
        self.heal(network).await;
        let deadline = if is_hasty { AGREE_IN_HASTE } else { AGREE };
        let agreement = {
            let mut agreement = std::pin::pin!(agreement::reach(network, deadline));
            loop {
                tokio::select! {
                    agreement = &mut agreement => break agreement,
                    shown = self.next() => shown?,
                }
            }
        };
        let (tip, branches) = match agreement {
            Agreement::On(tip) => (Some(tip), Vec::new()),
            Agreement::None(branches) => (None, branches),
        };
        // The chain that was agreed on is walked down to its start, in case that something was not told of.
        self.inspector.ask(0, tip.unwrap_or_else(|| self.narrator.best()));
        Ok(self.report(options, tip, branches, is_hasty).await?)
    }

    async fn report(
        mut self,
        options: &Options,
        tip: Option<BlockId>,
        branches: Vec<Branch>,
        is_hasty: bool,
    ) -> io::Result<Report> {
        let patience = if is_hasty { Duration::from_millis(500) } else { Duration::from_secs(10) };
        let checked = self.inspector.finish(patience).await;
        while let Ok(seen) = self.seen.try_recv() {
            if matches!(seen.what, What::BadBlock(..) | What::Unfetched(..)) {
                self.take(seen);
            }
        }
        let best = tip.unwrap_or_else(|| self.narrator.best());
        let blocks = best.index.0.saturating_sub(self.base);
        let counts = self.narrator.counts();
        let found = self.names.iter().zip(&counts.found);
        let report = Report {
            seconds: self.started.elapsed().as_secs_f64(),
            blocks,
            agreed: tip.is_some(),
            tip,
            branches,
            found: found.map(|(node, blocks)| Found { node: node.clone(), blocks: *blocks }).collect(),
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
        };
        let at_ms = self.at_ms();
        self.narrator.finish(at_ms);
        self.narrator.tell(at_ms, Tale::Report(report.clone()));
        self.screen.end_status()?;
        self.screen.show(&self.narrator.take())?;
        Ok(report)
    }
}
