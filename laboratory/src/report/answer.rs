//! What the figures answer, in sentences that claim no more than the intervals do.

use super::words;
use crate::measure::Interval;
use crate::plan::{Plan, Summary, Verdict};
use crate::scenario::{Curve, Quantity};

/// The answer, sentence by sentence; at least one.
pub(super) fn answer(plan: &Plan, summaries: &[Summary]) -> Vec<String> {
    let mut sentences = Vec::new();
    sentences.extend(extremes(plan, summaries));
    sentences.extend(compared_with_hash_rate(plan, summaries));
    sentences.push(conclusion(plan, summaries));
    sentences.extend(few_runs(plan, summaries));
    sentences
}

/// Why there are no intervals, or none that say anything; `None` where there is nothing to explain.
pub fn few_runs(plan: &Plan, summaries: &[Summary]) -> Option<String> {
    let fewest = summaries.iter().map(|summary| summary.runs).min()?;
    if fewest == 1 {
        let reason = "Each setting was run once, so most quantities have no interval: it comes from the differences \
                      between runs.";
        return Some(format!("{reason} --set repeat=20 gives one."));
    }
    let says_nothing = |interval: &Interval| interval.low <= 0.0 && interval.high >= 1.0;
    let rates = plan.quantities().iter().enumerate().filter(|(_, quantity)| quantity.is_rate());
    let mut intervals = rates.flat_map(|(column, _)| summaries.iter().map(move |s| s.estimates[column].interval));
    let is_empty = intervals.any(|interval| interval.is_some_and(|interval| says_nothing(&interval)));
    is_empty.then(|| {
        format!(
            "With {fewest} runs a setting some intervals cover all that is possible, 0 to 1, and say nothing. \
             --set repeat=20 narrows them."
        )
    })
}

/// Where the main quantity is low and where it is high, if intervals keep the two apart.
fn extremes(plan: &Plan, summaries: &[Summary]) -> Option<String> {
    let (quantity, points) = main_intervals(plan, summaries)?;
    let (name, kind) = words::quantity(quantity);
    let at = |(summary, interval): &(&Summary, Interval)| {
        let value = kind.text(interval.estimate);
        if summary.point.is_empty() { value } else { format!("{value} ({})", words::point(summary)) }
    };
    if let [only] = &*points {
        let Interval { low, high, .. } = only.1;
        return Some(format!("The {name} is {}, between {} and {}.", at(only), kind.text(low), kind.text(high)));
    }
    let least = |by: fn(&Interval) -> f64| points.iter().min_by(|one, other| by(&one.1).total_cmp(&by(&other.1)));
    let pairs = [
        (least(|interval| interval.estimate)?, least(|interval| -interval.estimate)?),
        (least(|interval| interval.high)?, least(|interval| -interval.low)?),
    ];
    Some(match pairs.into_iter().find(|(low, high)| low.1.high < high.1.low) {
        Some((low, high)) => format!("The {name} goes from {} to {}.", at(low), at(high)),
        None => format!("No difference in the {name} is certain: all intervals overlap."),
    })
}

/// In how many settings the first miner earns more, or less, than its share of the hash rate.
fn compared_with_hash_rate(plan: &Plan, summaries: &[Summary]) -> Option<String> {
    let (quantity, points) = main_intervals(plan, summaries)?;
    let is_fair = plan.scenario().expect.as_ref().is_some_and(|expect| expect.curve == Curve::Fair);
    if is_fair || !matches!(quantity, Quantity::Share | Quantity::RevenuePerInterval) {
        return None;
    }
    let with_share = points.iter().map(|(summary, interval)| Some((summary.hash_rate?, *interval)));
    let points: Vec<(f64, Interval)> = with_share.collect::<Option<_>>()?;
    let more = points.iter().filter(|(share, interval)| interval.low > *share).count();
    let less = points.iter().filter(|(share, interval)| interval.high < *share).count();
    let name = plan.scenario().miner.first().map_or("the first miner", |miner| miner.name.as_str());
    let within = points.len() - more - less;
    let parts = [(more, "clearly more"), (less, "clearly less"), (within, "as much (within the interval)")];
    let parts = parts.into_iter().filter(|(count, _)| *count > 0).map(|(count, words)| format!("{words} in {count}"));
    let (all, parts) = (points.len(), parts.collect::<Vec<_>>().join(", "));
    Some(format!("Compared with its share of the hash rate, {name} earns {parts} of {all} settings."))
}

/// The main quantity, with its interval wherever there is one.
fn main_intervals<'a>(plan: &Plan, summaries: &'a [Summary]) -> Option<(Quantity, Vec<(&'a Summary, Interval)>)> {
    let quantity = plan.main_quantity()?;
    let column = plan.quantities().iter().position(|known| *known == quantity)?;
    let point = |summary: &'a Summary| Some((summary, summary.estimates[column].interval?));
    Some((quantity, summaries.iter().filter_map(point).collect()))
}

fn conclusion(plan: &Plan, summaries: &[Summary]) -> String {
    let verdicts =
        summaries.iter().flat_map(|summary| summary.estimates.iter().filter_map(|estimate| estimate.verdict));
    let verdicts: Vec<Verdict> = verdicts.collect();
    let Some(expect) = &plan.scenario().expect else {
        return "The scenario names no exact curve, so these are measurements without a theory beside them.".to_owned();
    };
    let count = |wanted| verdicts.iter().filter(|verdict| **verdict == wanted).count();
    let unknown = match count(Verdict::Unknown) {
        0 => String::new(),
        unknown => format!(" {unknown} have none that is narrow enough to tell."),
    };
    let (holding, all) = (count(Verdict::Holds), verdicts.len());
    format!("{holding} of {all} intervals contain the exact value ({}).{unknown}", expect.curve.words())
}
