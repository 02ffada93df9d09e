//! Printing results: a table for people, or one JSON object a line.

use laboratory::plan::{Plan, Summary};
use laboratory::report;
use std::io::Write;

pub(super) fn summaries(plan: &Plan, summaries: &[Summary], json: bool) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    if json {
        for summary in summaries {
            writeln!(out, "{}", serde_json::to_string(summary)?)?;
        }
        return Ok(());
    }
    for line in report::text(plan, summaries) {
        writeln!(out, "{line}")?;
    }
    Ok(())
}
