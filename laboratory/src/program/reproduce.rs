//! `reproduce`: published results, computed and simulated again.

use super::args::ReproduceArgs;
use super::{Ending, Usage};
use laboratory::published::{Finding, Publication};
use laboratory::scenario::with_nearest;
use serde::Serialize;
use std::io::Write;
use std::time::Instant;

#[derive(Debug, Serialize)]
struct Line<'a> {
    publication: &'a str,
    #[serde(flatten)]
    finding: &'a Finding,
}

#[derive(Debug, Serialize)]
struct Summary<'a> {
    publication: &'a str,
    citation: &'a str,
    source: &'a str,
    figures: usize,
    holding: usize,
    seed: u64,
    seconds: f64,
}

pub(super) fn run(args: &ReproduceArgs) -> anyhow::Result<Ending> {
    let chosen: Vec<_> = Publication::ALL
        .into_iter()
        .filter(|publication| args.name == "all" || args.name == publication.name)
        .collect();
    if chosen.is_empty() {
        let names: Vec<String> = Publication::ALL.iter().map(|publication| format!("`{}`", publication.name)).collect();
        let complaint = format!("unknown publication `{}`, expected `all` or one of {}", args.name, names.join(", "));
        return Err(Usage(with_nearest(&complaint)).into());
    }
    let (count, begun) = (chosen.len(), Instant::now());
    let (mut figures, mut holding) = (0, 0);
    for publication in chosen {
        let start = Instant::now();
        let findings = publication.reproduce(args.seed);
        let seconds = start.elapsed().as_secs_f64();
        figures += findings.len();
        holding += findings.iter().filter(|finding| finding.holds).count();
        print(&publication, &findings, args, seconds)?;
    }
    if count > 1 && !args.json {
        let seconds = begun.elapsed().as_secs_f64();
        writeln!(std::io::stdout(), "{count} publications: {holding} of {figures} figures hold; {seconds:.1} s")?;
    }
    Ok(if holding == figures { Ending::Good } else { Ending::NotAsExpected })
}

fn print(publication: &Publication, findings: &[Finding], args: &ReproduceArgs, seconds: f64) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    let holding = findings.iter().filter(|finding| finding.holds).count();
    if args.json {
        for finding in findings {
            writeln!(out, "{}", serde_json::to_string(&Line { publication: publication.name, finding })?)?;
        }
        let summary = Summary {
            publication: publication.name,
            citation: publication.citation,
            source: publication.source.words(),
            figures: findings.len(),
            holding,
            seed: args.seed,
            seconds,
        };
        writeln!(out, "{}", serde_json::to_string(&summary)?)?;
        return Ok(());
    }
    writeln!(out, "{}: {} ({})", publication.name, publication.citation, publication.source.words())?;
    writeln!(out, "  {:9} {:>18} {:>12}  {:23}", "verdict", "published or exact", "ours", "interval")?;
    for finding in findings {
        let verdict = if finding.holds { "holds" } else { "DIFFERS" };
        let interval = finding.interval.map_or(String::new(), |i| format!("{:.5} to {:.5}", i.low, i.high));
        let (published, ours) = (&finding.published, &finding.ours);
        writeln!(out, "  {verdict:9} {published:>18} {ours:>12}  {interval:23} {}", finding.what)?;
    }
    writeln!(out, "  {holding} of {} hold; seed {}, {seconds:.2} s\n", findings.len(), args.seed)?;
    Ok(())
}
