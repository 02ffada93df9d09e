//! Reports: what was asked, in which setting, what the answer is, how to repeat it and what to try next, as one HTML
//! page that needs nothing else, as Markdown, and the chart alone as SVG.

mod answer;
mod axis;
mod chart;
mod graphml;
mod next;
mod page;
mod scale;
mod setting;
mod words;

pub use answer::few_runs;
pub use chart::{caption, chart, picture};
pub use next::command;
pub use page::{html, markdown};
pub use setting::setting;

use crate::measure::Interval;
use crate::plan::{Estimate, Plan, Summary, Verdict};
use crate::scenario::Quantity;

/// The table of results: a head, and one row a point.
struct Table {
    head: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    fn new(plan: &Plan, summaries: &[Summary]) -> Self {
        let keys = summaries.first().into_iter().flat_map(|summary| summary.point.iter().map(|(key, _)| key.clone()));
        let mut head: Vec<String> = keys.collect();
        // Where no miner is named, nobody has a share.
        let needs_miner = |quantity: Quantity| {
            matches!(quantity, Quantity::Share | Quantity::ShareError | Quantity::RevenuePerInterval | Quantity::Gamma)
        };
        let has_miner = summaries.iter().any(|summary| summary.hash_rate.is_some());
        let is_shown = |quantity: Quantity| has_miner || !needs_miner(quantity);
        let columns: Vec<usize> =
            (0..plan.quantities().len()).filter(|column| is_shown(plan.quantities()[*column])).collect();
        head.extend(columns.iter().map(|column| plan.quantities()[*column].name().to_owned()));
        if plan.scenario().expect.is_some() {
            head.extend(["expected".to_owned(), "verdict".to_owned()]);
        }
        Self { head, rows: summaries.iter().map(|summary| row(plan, summary, &columns)).collect() }
    }
}

/// The table of results: its head, and one row a point.
pub fn table(plan: &Plan, summaries: &[Summary]) -> (Vec<String>, Vec<Vec<String>>) {
    let Table { head, rows } = Table::new(plan, summaries);
    (head, rows)
}

fn row(plan: &Plan, summary: &Summary, columns: &[usize]) -> Vec<String> {
    let mut row: Vec<String> = summary.point.iter().map(|(_, value)| value.clone()).collect();
    let estimates = columns.iter().map(|column| estimate(plan.quantities()[*column], &summary.estimates[*column]));
    row.extend(estimates);
    if let Some(judged) = summary.estimates.iter().find(|estimate| estimate.expected.is_some()) {
        row.push(judged.expected.map_or(String::new(), |expected| format!("{expected:.5}")));
        row.push(verdict(judged.verdict).to_owned());
    }
    row
}

fn estimate(quantity: Quantity, estimate: &Estimate) -> String {
    let Some(value) = estimate.value else { return "–".to_owned() };
    let digits = if value.abs() >= 100.0 { 1 } else { 5 };
    let Some(interval) = estimate.interval else { return format!("{value:.digits$}") };
    let Interval { low, high, .. } = interval;
    let half = interval.half_width();
    // Half of the width says nothing about an interval that ends where values end.
    if quantity.is_rate() && half > 0.0 && (value - half < 0.0 || value + half > 1.0) {
        return format!("{value:.digits$} ({low:.digits$} to {high:.digits$})");
    }
    format!("{value:.digits$} ± {half:.digits$}")
}

/// A verdict in one word.
const fn verdict(verdict: Option<Verdict>) -> &'static str {
    match verdict {
        Some(Verdict::Holds) => "holds",
        Some(Verdict::Fails) => "DIFFERS",
        Some(Verdict::Unknown) | None => "unknown",
    }
}

/// The table as lines of text, with columns as wide as they need.
pub fn text(plan: &Plan, summaries: &[Summary]) -> Vec<String> {
    let Table { head, rows } = Table::new(plan, summaries);
    let lines: Vec<Vec<String>> = std::iter::once(head).chain(rows).collect();
    let columns = lines.iter().map(Vec::len).max().unwrap_or(0);
    let longest =
        |column: usize| lines.iter().filter_map(|line| line.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| longest(column).unwrap_or(0)).collect();
    let padded = |line: &Vec<String>| -> String {
        line.iter().zip(&widths).map(|(cell, &width)| format!("{cell:width$}  ")).collect()
    };
    lines.iter().map(|line| padded(line).trim_end().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Row;
    use crate::scenario::EXAMPLE;

    fn example() -> (Plan, Vec<Summary>) {
        let settings = [("blocks".to_owned(), "300".to_owned()), ("repeat".to_owned(), "8".to_owned())];
        let plan =
            Plan::read(&EXAMPLE.replace("selfish mining pay", "a <b> & \\\"c\\\" pay"), &settings, None).unwrap();
        let rows: Vec<Row> = (0..plan.runs()).filter_map(|index| plan.run(index)).collect();
        let summaries = plan.summaries(&rows);
        (plan, summaries)
    }

    #[test]
    fn a_page_needs_nothing_else_and_is_safe_against_its_own_scenario() {
        let (plan, summaries) = example();
        let page = html(&plan, &summaries);
        assert!(page.contains("a &lt;b&gt; &amp; &quot;c&quot; pay") && !page.contains("<b>"), "{page}");
        assert!(!page.contains("http://") && !page.contains("https://") && !page.contains("src="), "loads nothing");
        assert_eq!(page.matches("<tr>").count(), 28);
    }

    #[test]
    fn a_chart_has_one_series_for_each_other_value_with_its_curve_dashed() {
        let (plan, summaries) = example();
        let svg = chart(&plan, &summaries).unwrap();
        assert_eq!(svg.matches("stroke-dasharray=\"6 4\"").count(), 3, "one curve for each gamma");
        assert_eq!(svg.matches("stroke-dasharray=\"2 4\"").count(), 2, "the share of the hash rate, and its legend");
        assert!(svg.contains(">share of the hash rate of pool<") && svg.contains(">gamma 0.5<"), "{svg}");
        assert_eq!(svg.matches("<circle").count(), 27);
        assert!(!svg.contains("NaN"));
    }

    #[test]
    fn a_chart_over_words_has_them_side_by_side() {
        let scenario = "title = \"t\"\nmodel = \"race\"\nblocks = 300\nrepeat = 3\n[consensus]\n\
            block_interval_ms = 1000\n[[miner]]\nname = \"m\"\nshare = 0.3\n[sweep]\n\
            \"consensus.retarget\" = [\"fixed\", \"epoch\", \"lwma\"]\n[expect]\ncurve = \"fair\"\n";
        let plan = Plan::read(scenario, &[], None).unwrap();
        let rows: Vec<Row> = (0..plan.runs()).filter_map(|index| plan.run(index)).collect();
        let svg = chart(&plan, &plan.summaries(&rows)).unwrap();
        let places: Vec<_> = ["fixed", "epoch", "lwma"].map(|rule| svg.find(&format!(">{rule}<"))).to_vec();
        assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{svg}");
        assert_eq!((svg.matches("<circle").count(), svg.matches("stroke-dasharray").count()), (3, 3));
    }

    fn small(rest: &str) -> (Plan, Vec<Summary>) {
        let head = "title = \"t\"\nmodel = \"race\"\nblocks = 300\n[[miner]]\nname = \"m\"\nshare = 0.1\n";
        let plan = Plan::read(&format!("repeat = 3\n{head}{rest}"), &[], None).unwrap();
        let rows: Vec<Row> = (0..plan.runs()).filter_map(|index| plan.run(index)).collect();
        let summaries = plan.summaries(&rows);
        (plan, summaries)
    }

    #[test]
    fn switches_stand_side_by_side_and_a_share_never_lies_below_zero() {
        let (plan, summaries) = small(
            "strategy = \"stubborn\"\n[sweep]\n\"miner.m.lead\" = [false, true]\n\
             \"miner.m.equal_fork\" = [false, true]\n\"miner.m.trail\" = [0, 1]\n",
        );
        let svg = chart(&plan, &summaries).unwrap();
        for label in [">none<", ">lead<", ">equal fork<", ">equal fork + lead<", ">trail 1<", ">0.0<"] {
            assert!(svg.contains(label), "{label}: {svg}");
        }
        assert!(!svg.contains(">-"), "{svg}");
        assert!(!caption(&plan, &summaries).contains("exact"), "{}", caption(&plan, &summaries));
    }

    #[test]
    fn a_scenario_chooses_what_its_chart_draws_and_times_have_units() {
        let (plan, summaries) = small(
            "[sweep]\n\"consensus.block_interval_ms\" = [2000, 60_000, 600_000]\n[measure]\n\
             quantities = [\"share\", \"interval_ms\"]\n[report]\nquantity = \"interval_ms\"\n",
        );
        let svg = picture(&plan, &summaries).unwrap();
        assert!(svg.contains(">time between blocks, in s<") && svg.contains(">600<"), "{svg}");
        assert!(svg.contains("fill=\"#ffffff\"") && svg.contains("xmlns"), "a dark viewer shows it, too");
        let refused = Plan::read(&plan.canonical_text(), &[("report.quantity".into(), "theft".into())], None);
        assert!(refused.unwrap_err().to_string().contains("which the chart is about"));
    }

    #[test]
    fn a_report_has_its_setting_its_answer_and_what_to_try_next() {
        let (plan, summaries) = example();
        let text = markdown(&plan, &summaries);
        for sentence in [
            "![chart](chart.svg)",
            "Miner pool: selfish, with a swept share of the hash rate.",
            "retarget rule fixed",
            "The share of the main chain goes from",
            "pool earns clearly more in",
            "laboratory run experiment.toml --set 'sweep={ \"miner.pool.share\" = [0.075, ",
            "--out out/lwma",
        ] {
            assert!(text.contains(sentence), "{sentence}: {text}");
        }
        assert!(html(&plan, &summaries).contains("Dashed curves are exact."));
    }

    #[test]
    fn too_few_runs_are_explained_and_judged_by_nobody() {
        for (repeat, explained) in [("1", "was run once"), ("2", "say nothing")] {
            let settings = [("blocks".to_owned(), "200".to_owned()), ("repeat".to_owned(), repeat.to_owned())];
            let plan = Plan::read(EXAMPLE, &settings, None).unwrap();
            let rows: Vec<Row> = (0..plan.runs()).filter_map(|index| plan.run(index)).collect();
            let summaries = plan.summaries(&rows);
            assert!(few_runs(&plan, &summaries).is_some_and(|words| words.contains(explained)), "{repeat}");
            let lines = text(&plan, &summaries);
            let wide = lines.iter().filter(|line| line.contains("0.00000 to 1.00000") || repeat == "1");
            assert!(wide.clone().count() > 0 && wide.skip(1).all(|line| !line.contains("holds")), "{lines:?}");
            assert!(lines.iter().all(|line| !line.contains("–")), "{lines:?}");
        }
    }

    #[test]
    fn markdown_has_a_row_a_point_and_text_has_straight_columns() {
        let (plan, summaries) = example();
        assert_eq!(markdown(&plan, &summaries).lines().filter(|line| line.starts_with("| ")).count(), 28);
        let lines = text(&plan, &summaries);
        assert_eq!((lines.len(), lines[0].find("share  ")), (28, lines[0].find("share")));
    }
}
