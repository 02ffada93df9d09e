//! The page of all programs, newest first.

use super::errors;
use crate::state::ExplorerState;
use crate::view::{self, Page, transaction_link};
use maud::{Markup, html};
use runtime::client::ListPage;
use runtime::server::{self, Request, Response};
use serde::Deserialize;
use shared::wire::{Problem, ProgramInfo};
use std::sync::Arc;

/// Programs per page.
const PER_PAGE: usize = 50;

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProgramsQuery {
    /// Lists the programs before this one; a link on the page has the value.
    #[param(nullable = false, pattern = r"^[0-9]{1,15}\.[0-9]{1,9}\.[0-9]{1,9}$")]
    before: Option<String>,
}

pub(crate) async fn page(explorer: Arc<ExplorerState>, request: Request) -> Result<Response, Problem> {
    let ProgramsQuery { before } = request.query()?;
    check_moment("before", before.as_deref())?;
    if !explorer.params.layer.has_programs() {
        return Ok(errors::no_programs("Programs", "/programs", explorer.params.layer));
    }
    let is_first = before.is_none();
    let found = explorer
        .upstream
        .mempool(async move |client, mempool| client.programs(mempool, before.as_deref(), PER_PAGE).await)
        .await;
    Ok(match found {
        Ok(list) => {
            Page { title: "Programs", place: "/programs", scripts: &[], main: render(&list, is_first) }.response()
        }
        Err(error) => errors::no_answer(&error),
    })
}

/// Refuses what is no place in a list of a mempool, `<index>.<position>.<number>`.
pub(super) fn check_moment(name: &str, text: Option<&str>) -> Result<(), Problem> {
    if text.is_none_or(is_moment) {
        return Ok(());
    }
    Err(server::bad_request(format!("query: {name}: expected a height and two positions, as in 7.2.0")))
}

pub(super) fn is_moment(text: &str) -> bool {
    let parts: Vec<_> = text.split('.').collect();
    let is_number = |part: &str| (1..=15).contains(&part.len()) && part.bytes().all(|c| c.is_ascii_digit());
    parts.len() == 3 && parts.iter().all(|part| is_number(part)) && parts[1..].iter().all(|part| part.len() < 10)
}

fn render(list: &ListPage<ProgramInfo>, is_first: bool) -> Markup {
    html! {
        link rel="stylesheet" href=(crate::assets::path("programs.css"));
        h1 { "Programs" }
        p { "A program is code that everybody runs in the same way. Somebody made it with a transaction, and every \
            transaction to it is a call. What a call did is part of its block, so every node checks it." }
        div #programs data-live=[is_first.then_some("blocks")] {
            @if list.entries.is_empty() {
                p { "Nobody has made a program yet. " code { "user deploy" } " makes one, as docs/programs.md shows; \
                    and " a href="/learn/machine" { "the machine" } " runs a few instructions without making one." }
            } @else {
                (table(&list.entries))
            }
            nav.paging aria-label="More programs" {
                @if !is_first { a.button href="/programs" { "Newest" } }
                @if let Some(next) = list.next.as_deref().filter(|next| is_moment(next)) {
                    a.button href={ "/programs?before=" (next) } rel="next" { "Older" }
                }
            }
        }
    }
}

fn table(programs: &[ProgramInfo]) -> Markup {
    html! {
        div.table tabindex="0" role="region" aria-label="Programs, newest first" {
            table {
                caption { "Newest first" }
                thead { tr { th scope="col" { "Program" } th scope="col" { "Address for the command line" }
                    th scope="col" { "Made by" } th scope="col" { "Where" }
                    th.number scope="col" { "Code" } th.number scope="col" { "Balance" } } }
                tbody {
                    @for program in programs {
                        tr {
                            th scope="row" { (view::program(&program.address)) }
                            td.wide { code.hash { (program.address) } }
                            td { (view::address(&program.maker)) ", " (transaction_link(program.transaction)) }
                            td { a href={ "/block/" (program.index) } { "block " (program.index) } }
                            td.number { (view::number(program.code_bytes)) " B" }
                            td.number { (view::amount(program.balance)) }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::program::samples;
    use super::*;
    use crate::view::snapshot;

    #[test]
    fn programs_with_their_makers() {
        let list = ListPage { entries: vec![samples::program()], next: Some("7.2.0".to_owned()) };
        snapshot("programs", &render(&list, true));
    }

    #[test]
    fn no_programs_is_no_error() {
        let shown = render(&ListPage { entries: Vec::new(), next: None }, true).into_string();
        assert!(shown.contains("Nobody has made a program yet") && !shown.contains("Older"), "{shown}");
    }

    #[test]
    fn only_places_in_lists_are_accepted() {
        for (text, expected) in [
            ("7.2.0", true),
            ("7.2", false),
            ("7.2.0.1", false),
            ("", false),
            ("7..0", false),
            ("-7.2.0", false),
            ("7.1234567890.0", false),
            ("7.2.0&x=y", false),
        ] {
            assert_eq!(is_moment(text), expected, "{text}");
        }
    }
}
