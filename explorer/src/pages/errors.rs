//! Pages for what does not exist, and for services that do not answer.

use crate::upstream::UpstreamError;
use crate::view::{self, Page};
use http::StatusCode;
use maud::{Markup, html};
use runtime::server::Response;
use shared::params::LayerName;

pub(crate) fn no_such_page(path: &str) -> Response {
    not_found(html! { "There is no page " code { (path) } "." })
}

/// The page with status 404; `what` is a sentence that says what does not exist.
pub(crate) fn not_found(what: Markup) -> Response {
    let main = html! {
        h1 { "Not found" }
        p { (what) }
        p { "Try the search above: it takes the height or hash of a block, the id of a transaction, or the beginning \
            of an address. Or go back to "
            a href="/" { "the network" } "." }
    };
    Page { title: "Not found", place: "", scripts: &[], main }.with_status(StatusCode::NOT_FOUND)
}

/// The page with status 503.
pub(crate) fn no_answer(error: &UpstreamError) -> Response {
    let main = no_answer_part(error);
    Page { title: "No answer", place: "", scripts: &[], main }.with_status(StatusCode::SERVICE_UNAVAILABLE)
}

fn no_answer_part(error: &UpstreamError) -> Markup {
    html! {
        h1 { "No answer" }
        p { (view::sanitized(&error.to_string())) }
        p { "This page will work again when a service answers. See which services there are: " a href="/" { "the \
            network" } "." }
    }
}

/// A page about money on a network that has none.
pub(crate) fn no_money(title: &str, place: &str) -> Response {
    let main = html! {
        h1 { (title) }
        p { "This network has no money: its blocks contain plain text (layer " code { "data" } ")." }
        p { "Read the " a href="/blocks" { "blocks" } ". A network with layer " code { "transaction" } " has payments, \
            addresses and wallets." }
    };
    Page { title, place, scripts: &[], main }.response()
}

/// A page about programs on a network that has none.
pub(crate) fn no_programs(title: &str, place: &str, layer: LayerName) -> Response {
    let main = html! {
        h1 { (title) }
        p { "This network has no programs: it is of layer "
            code { (if layer.has_money() { "transaction" } else { "data" }) }
            ", and only networks of layer "
            code { "program" } " have them." }
        p { "To start one, run " code { "user --layer program network new > Config.toml" }
            " in an empty folder, and then a tracker, a mempool, a node and an explorer there." }
    };
    Page { title, place, scripts: &[], main }.response()
}

/// A page about coins on a network that has none.
pub(crate) fn no_coins() -> Response {
    let main = html! {
        h1 { "Coin" }
        p { "This network has no coins: if it has money, it keeps a balance for each address. Only networks of layer "
            code { "utxo" } " have coins." }
        p { "What coins are can be tried on any network: " a href="/learn/coins" { "a coin is spent whole" } "." }
    };
    Page { title: "Coin", place: "/transactions", scripts: &[], main }.response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use runtime::client::Error;
    use shared::wire::Problem;

    #[test]
    fn the_refusal_of_a_service_stays_text_and_keeps_its_direction() {
        let problem = Problem::new(400, "\u{202e}", "<script>alert(1)</script>");
        let error = UpstreamError::Failed { address: "m:1".to_owned(), error: Error::Refused(Box::new(problem)) };
        let shown = no_answer_part(&error).into_string();
        assert!(shown.contains("&lt;script&gt;") && !shown.contains("\u{202e}"), "{shown}");
    }
}
