//! What is shown where nothing is, and where nobody answers.

use crate::upstream::UpstreamError;
use crate::view::{self, Page};
use http::StatusCode;
use maud::{Markup, html};
use runtime::server::Response;

/// A path that is no page.
pub(crate) fn no_such_page(path: &str) -> Response {
    not_found(html! { "There is no page " code { (path) } "." })
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
pub(crate) fn no_answer(error: &UpstreamError) -> Response {
    let main = no_answer_part(error);
    Page { title: "No answer", place: "", scripts: &[], main }.with_status(StatusCode::SERVICE_UNAVAILABLE)
}

fn no_answer_part(error: &UpstreamError) -> Markup {
    html! {
        h1 { "No answer" }
        p { (view::sanitized(&error.to_string())) }
        p { "This page works again as soon as somebody answers: " a href="/" { "the network" } " shows who is there." }
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use runtime::client::Error;
    use shared::wire::Problem;

    #[test]
    fn what_a_stranger_refuses_with_stays_text_and_cannot_turn_the_writing() {
        let problem = Problem::new(400, "\u{202e}", "<script>alert(1)</script>");
        let error = UpstreamError::Failed { address: "m:1".to_owned(), error: Error::Refused(problem) };
        let shown = no_answer_part(&error).into_string();
        assert!(shown.contains("&lt;script&gt;") && !shown.contains("\u{202e}"), "{shown}");
    }
}
