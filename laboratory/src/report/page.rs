//! The report as a page and as Markdown.

use super::{Table, chart};
use crate::plan::{Plan, Summary, Verdict};
use maud::{DOCTYPE, PreEscaped, html};

const STYLE: &str = "body{font:16px/1.5 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}\
table{border-collapse:collapse}td,th{padding:.2rem .8rem;border-bottom:1px solid #ddd;text-align:left}\
pre{background:#f4f4f4;padding:1rem;overflow:auto}svg{width:100%}";

/// The whole report as one page.
pub fn html(plan: &Plan, summaries: &[Summary]) -> String {
    let scenario = plan.scenario();
    let Table { head, rows } = Table::new(plan, summaries);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (scenario.title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { (scenario.title) }
                p { strong { (scenario.question) } }
                @for sentence in setting(plan) { p { (sentence) } }
                @if let Some(chart) = chart(plan, summaries) {
                    (PreEscaped(without_namespace(&chart)))
                    p { "Bars are intervals. Dashed curves are exact." }
                }
                table {
                    tr { @for cell in &head { th { (cell) } } }
                    @for row in &rows { tr { @for cell in row { td { (cell) } } } }
                }
                p { (conclusion(plan, summaries)) }
                h2 { "Repeat it" }
                p { "Save this as " code { "experiment.toml" } " and run " code { "laboratory run experiment.toml" }
                    ". The same seed gives the same bytes on every machine." }
                pre { (plan.canonical_text()) }
            }
        }
    };
    page.into_string()
}

/// The report as Markdown, without the chart.
pub fn markdown(plan: &Plan, summaries: &[Summary]) -> String {
    let scenario = plan.scenario();
    let Table { head, rows } = Table::new(plan, summaries);
    let line = |cells: &Vec<String>| {
        format!("| {} |\n", cells.iter().map(|cell| cell.replace('|', "\\|")).collect::<Vec<_>>().join(" | "))
    };
    let rule = format!("|{}\n", "---|".repeat(head.len()));
    let table: String = std::iter::once(line(&head)).chain([rule]).chain(rows.iter().map(line)).collect();
    let setting = setting(plan).join(" ");
    let conclusion = conclusion(plan, summaries);
    format!(
        "# {}\n\n**{}**\n\n{setting}\n\n{table}\n{conclusion}\n\n```toml\n{}```\n",
        scenario.title,
        scenario.question,
        plan.canonical_text()
    )
}

/// The setting in sentences.
fn setting(plan: &Plan) -> Vec<String> {
    let scenario = plan.scenario();
    let points = plan.points().len();
    let confidence = scenario.measure.confidence * 100.0;
    vec![
        format!(
            "{points} {}, each run {} times with {} blocks and seeds of its own that follow from seed {}.",
            if points == 1 { "setting" } else { "settings" },
            scenario.repeat,
            scenario.blocks,
            scenario.seed
        ),
        format!("± is half of the {confidence} % confidence interval."),
    ]
}

fn conclusion(plan: &Plan, summaries: &[Summary]) -> String {
    let verdicts =
        summaries.iter().flat_map(|summary| summary.estimates.iter().filter_map(|estimate| estimate.verdict));
    let verdicts: Vec<Verdict> = verdicts.collect();
    let Some(expect) = &plan.scenario().expect else { return "Nothing was expected beforehand.".to_owned() };
    let holding = verdicts.iter().filter(|verdict| **verdict == Verdict::Holds).count();
    format!("{holding} of {} intervals contain the exact value ({}).", verdicts.len(), expect.curve.words())
}

/// Inside a page, SVG needs no namespace.
fn without_namespace(svg: &str) -> String {
    svg.replacen(" xmlns=\"http://www.w3.org/2000/svg\"", "", 1)
}
