//! Reports: what was asked, what came out and how to repeat it, as one HTML page that needs nothing else, as Markdown,
//! and the chart alone as SVG.

mod chart;
mod graphml;
mod page;

pub use chart::chart;
pub use page::{html, markdown};

use crate::plan::{Estimate, Plan, Summary, Verdict};

/// The table of results: a head, and one row a point.
struct Table {
    head: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    fn new(plan: &Plan, summaries: &[Summary]) -> Self {
        let keys = summaries.first().into_iter().flat_map(|summary| summary.point.iter().map(|(key, _)| key.clone()));
        let mut head: Vec<String> = keys.collect();
        head.extend(plan.quantities().iter().map(|quantity| quantity.name().to_owned()));
        if plan.scenario().expect.is_some() {
            head.extend(["expected".to_owned(), "verdict".to_owned()]);
        }
        Self { head, rows: summaries.iter().map(row).collect() }
    }
}

/// The table of results: its head, and one row a point.
pub fn table(plan: &Plan, summaries: &[Summary]) -> (Vec<String>, Vec<Vec<String>>) {
    let Table { head, rows } = Table::new(plan, summaries);
    (head, rows)
}

fn row(summary: &Summary) -> Vec<String> {
    let mut row: Vec<String> = summary.point.iter().map(|(_, value)| value.clone()).collect();
    row.extend(summary.estimates.iter().map(estimate));
    if let Some(judged) = summary.estimates.iter().find(|estimate| estimate.expected.is_some()) {
        row.push(judged.expected.map_or(String::new(), |expected| format!("{expected:.5}")));
        row.push(verdict(judged.verdict).to_owned());
    }
    row
}

fn estimate(estimate: &Estimate) -> String {
    match estimate.interval {
        Some(interval) => {
            let digits = if interval.estimate.abs() >= 100.0 { 1 } else { 5 };
            format!("{:.digits$} ± {:.digits$}", interval.estimate, interval.half_width())
        }
        None => "–".to_owned(),
    }
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
        let settings = [("blocks".to_owned(), "300".to_owned()), ("repeat".to_owned(), "3".to_owned())];
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
        assert_eq!(svg.matches("stroke-dasharray").count(), 3, "one curve for each gamma");
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

    #[test]
    fn markdown_has_a_row_a_point_and_text_has_straight_columns() {
        let (plan, summaries) = example();
        assert_eq!(markdown(&plan, &summaries).lines().filter(|line| line.starts_with("| ")).count(), 28);
        let lines = text(&plan, &summaries);
        assert_eq!((lines.len(), lines[0].find("share  ")), (28, lines[0].find("share")));
    }
}
