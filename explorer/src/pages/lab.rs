//! The page of experiments: choose a question, move the sliders, and see the answer with its uncertainty. The
//! experiment runs on the explorer's machine, in virtual time; the address of the page is the experiment.
//!
//! Each experiment is bounded in work by `question`, and only a few run at the same time.

mod fork_tree;
mod question;

use crate::state::ExplorerState;
use crate::view::{self, Page};
use http::StatusCode;
use laboratory::model::Step;
use laboratory::plan::{Plan, Row, Summary};
use laboratory::report;
use maud::{Markup, PreEscaped, html};
use question::{LabQuery, Question};
use runtime::server::{self, Request, Response};
use shared::wire::Problem;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

pub(crate) use question::LabQuery as Query;

/// Experiments that run at the same time.
static ROOM: Semaphore = Semaphore::const_new(2);
/// Blocks of the fork tree.
const TREE_BLOCKS: usize = 60;

/// What an experiment has shown.
struct Answer {
    plan: Plan,
    summaries: Vec<Summary>,
    /// The blocks that the first run found first.
    blocks: Vec<Step>,
}

pub(crate) async fn page(_: Arc<ExplorerState>, request: Request) -> Result<Response, Problem> {
    let query: LabQuery = match request.query() {
        Ok(query) => query,
        Err(problem) => return Ok(no_such_experiment(&problem)),
    };
    let Ok(permit) = ROOM.try_acquire() else {
        let main = html! {
            h1 { "Laboratory" }
            p { "Other experiments are running. Load this page again in a few seconds." }
        };
        let page = Page { title: "Laboratory", place: "/learn", scripts: &[], main };
        return Ok(page.with_status(StatusCode::SERVICE_UNAVAILABLE));
    };
    let scenario = query.scenario();
    let answer = spawn_blocking(move || {
        // Held until the work is done, also if nobody waits for it any more.
        let _permit = permit;
        run(&scenario)
    });
    let answer = answer.await.map_err(|error| server::internal(error.to_string()))?;
    let answer = answer.map_err(server::internal)?;
    Ok(Page { title: "Laboratory", place: "/learn", scripts: &[], main: render(&query, &answer) }.response())
}

/// The page with status 400: an address that is no experiment.
fn no_such_experiment(problem: &Problem) -> Response {
    let main = html! {
        h1 { "No such experiment" }
        p { "The address of this page is an experiment, and this one is not understood: "
            (view::sanitized(&problem.detail)) "." }
        p { "These are the questions:" }
        ul {
            @for choice in Question::ALL {
                li { a href={ "/lab?question=" (choice.name()) } { (choice.title()) } }
            }
        }
    };
    Page { title: "No such experiment", place: "/learn", scripts: &[], main }.with_status(StatusCode::BAD_REQUEST)
}

fn run(scenario: &str) -> Result<Answer, String> {
    let plan = Plan::read(scenario, &[], None).map_err(|error| error.to_string())?;
    let rows: Vec<Row> = (0..plan.runs()).filter_map(|index| plan.run(index)).collect();
    let summaries = plan.summaries(&rows);
    let mut blocks = Vec::new();
    // The point in the middle of the curve.
    let middle = plan.points().len() as u64 / 2 * plan.stride();
    plan.replay(middle, &mut |step: &Step| {
        if matches!(step, Step::Found { .. }) && blocks.len() < TREE_BLOCKS {
            blocks.push(step.clone());
        }
    });
    Ok(Answer { plan, summaries, blocks })
}

fn render(query: &LabQuery, answer: &Answer) -> Markup {
    let question = query.question();
    let (head, rows) = report::table(&answer.plan, &answer.summaries);
    html! {
        h1 { "Laboratory" }
        p { "Ask a question about proof-of-work chains. The answer is computed now, in virtual time, from the seed "
            (query.seed()) ": the address of this page is the experiment, and shows the same to everybody." }
        form #lab-form action="/lab" {
            fieldset {
                legend { "Question" }
                @for choice in Question::ALL {
                    label { input type="radio" name="question" value=(choice.name()) checked[choice == question];
                        " " (choice.title()) }
                }
            }
            fieldset {
                legend { "Setting" }
                @for slider in query.sliders() {
                    label { (slider.label) ": " output { (slider.value) } " " (slider.unit)
                        input type="range" name=(slider.name) min=(slider.least) max=(slider.most) step=(slider.step)
                            value=(slider.value); }
                }
                label { "Seed " input type="number" name="seed" min="0" max="999999" value=(query.seed()); }
            }
            button { "Run" }
        }
        section #lab-answer aria-labelledby="lab-title" {
            h2 #lab-title { (answer.plan.scenario().title) }
            p { (answer.plan.scenario().question) }
            @if let Some(chart) = report::chart(&answer.plan, &answer.summaries) {
                // Our own drawing, of numbers and of names that `question` fixes.
                figure { (PreEscaped(chart)) figcaption { (report::caption(&answer.plan, &answer.summaries)) } }
            }
            div.scroll { table {
                thead { tr { @for cell in &head { th { (cell) } } } }
                tbody { @for row in &rows { tr { @for cell in row { td { (cell) } } } } }
            } }
        }
        section #lab-tree aria-labelledby="tree-title" {
            h2 #tree-title { "The first blocks of one run" }
            p { "The best chain is the upper line; blocks below it are stale. Filled blocks are the attacker's, or the \
                first miner's." }
            figure { (fork_tree::draw(&answer.blocks)) }
        }
        p { "More questions, networks and strategies: the program " code { "laboratory" }
            " runs this experiment, and any other, from a file:" }
        pre { (answer.plan.canonical_text()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_question_is_answered_and_the_answer_is_judged_where_it_is_known() {
        for question in Question::ALL {
            let query: LabQuery = serde_json::from_value(serde_json::json!({ "question": question.name() })).unwrap();
            let answer = run(&query.scenario()).unwrap_or_else(|error| panic!("{}: {error}", question.name()));
            let page = render(&query, &answer).into_string();
            assert!(page.contains("<svg") && page.contains("lab-tree") && !page.contains("NaN"), "{page}");
            let judged = matches!(question, Question::Confirmations | Question::Selfish | Question::Links);
            assert_eq!(page.contains("holds"), judged, "{}", question.name());
            assert!(!page.contains("DIFFERS"), "{}: {page}", question.name());
        }
    }
}
