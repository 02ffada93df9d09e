//! What is shown where nothing is, and where nobody answers.

use crate::service::Explorer;
use crate::sources::NoAnswer;
use crate::view::Page;
use http::StatusCode;
use maud::{Markup, html};
use runtime::server::Response;
use shared::wire::Problem;

/// A path that is no page.
pub(crate) fn page(_: &Explorer, path: &str) -> Result<Response, Problem> {
    Ok(not_found(html! { "There is no page " code { (path) } "." }))
}

/// A thing that is not there; `what` is a sentence that names it.
pub(crate) fn not_found(what: Markup) -> Response {
    let main = html! {
        h1 { "Not found" }
        p { (what) }
        p { "Try the search above: it takes a block's height or hash, a transaction's id, or the beginning of an address. Or go back to "
            a href="/" { "the network" } "." }
    };
    Page { title: "Not found", place: "", scripts: &[], main }.with_status(StatusCode::NOT_FOUND)
}

/// Nobody could be asked.
pub(crate) fn no_answer(error: &NoAnswer) -> Response {
    let main = html! {
        h1 { "No answer" }
        p { (error.to_string()) }
        p { "This page works again as soon as somebody answers: " a href="/" { "the network" } " shows who is there." }
    };
    Page { title: "No answer", place: "", scripts: &[], main }.with_status(StatusCode::SERVICE_UNAVAILABLE)
}

/// A page of money on a network that has none.
pub(crate) fn no_money(title: &str, place: &str) -> Response {
    let main = html! {
        h1 { (title) }
        p { "This network has no money: its blocks carry plain text (layer " code { "data" } "), and nobody owns anything." }
        p { "See what the " a href="/blocks" { "blocks" } " say. A network with layer " code { "transaction" } " has payments, addresses and wallets." }
    };
    Page { title, place, scripts: &[], main }.response()
}
