//! The report as a page and as Markdown.

use super::answer::answer;
use super::next::next;
use super::setting::{runs, setting};
use super::{Table, caption, chart};
use crate::plan::{Plan, Summary};
use maud::{DOCTYPE, PreEscaped, html};

const STYLE: &str = "body{font:16px/1.5 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222;\
background:#fff}table{border-collapse:collapse}td,th{padding:.2rem .8rem;border-bottom:1px solid #ddd;\
text-align:left;white-space:nowrap}.scroll,pre{overflow-x:auto}pre{background:#f4f4f4;padding:1rem}\
svg{max-width:100%}";

/// What the commands of a report call the scenario.
const FILE: &str = "experiment.toml";

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
                p { (answer(plan, summaries).join(" ")) }
                @if let Some(chart) = chart(plan, summaries) {
                    (PreEscaped(chart))
                    p { (caption(plan, summaries)) }
                }
                div.scroll { table {
                    tr { @for cell in &head { th { (cell) } } }
                    @for row in &rows { tr { @for cell in row { td { (cell) } } } }
                } }
                h2 { "The setting" }
                ul { @for sentence in setting(plan) { li { (sentence) } } }
                p { (runs(plan)) }
                h2 { "Repeat it" }
                p { "Save this as " code { (FILE) } " and run " code { "laboratory run " (FILE) }
                    ". The same seed gives the same bytes on every machine." }
                pre { (plan.canonical_text()) }
                h2 { "What to try next" }
                @for (words, command) in next(plan, FILE) { p { (words) } pre { (command) } }
            }
        }
    };
    page.into_string()
}

/// The report as Markdown, with the chart as a file beside it.
pub fn markdown(plan: &Plan, summaries: &[Summary]) -> String {
    let scenario = plan.scenario();
    let Table { head, rows } = Table::new(plan, summaries);
    let line = |cells: &Vec<String>| {
        format!("| {} |\n", cells.iter().map(|cell| cell.replace('|', "\\|")).collect::<Vec<_>>().join(" | "))
    };
    let rule = format!("|{}\n", "---|".repeat(head.len()));
    let table: String = std::iter::once(line(&head)).chain([rule]).chain(rows.iter().map(line)).collect();
    let picture = match chart(plan, summaries) {
        Some(_) => format!("![chart](chart.svg)\n\n{}\n\n", caption(plan, summaries)),
        None => String::new(),
    };
    let setting: String = setting(plan).iter().map(|sentence| format!("- {sentence}\n")).collect();
    let next: String =
        next(plan, FILE).iter().map(|(words, command)| format!("{words}\n\n```sh\n{command}\n```\n\n")).collect();
    format!(
        "# {}\n\n**{}**\n\n{}\n\n{picture}{table}\n## The setting\n{setting}\n{}\n\n## Repeat it\nSave this as \
         `{FILE}` and run `laboratory run {FILE}`. The same seed gives the same bytes on every machine.\n\n\
         ```toml\n{}```\n\n## What to try next\n{}\n",
        scenario.title,
        scenario.question,
        answer(plan, summaries).join(" "),
        runs(plan),
        plan.canonical_text(),
        next.trim_end()
    )
}
