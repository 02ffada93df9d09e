//! The page of the wallet: forms for `assets/wallet.js`, and QR codes of addresses.
//!
//! No key ever reaches the server: keys are made, kept and used in the browser, which sends signed payments to
//! `/api/pushtx`.
//!
//! Ids that tests and scripts use:
//! - `#wallet-new` makes a wallet (inside `#wallet-add`, which is open until there is a wallet); `#wallet-name` and
//!   `#wallet-exportable` are its fields. `#wallet-import` with `#wallet-pem`, and `#wallet-from-seed` with
//!   `#wallet-seed`,
//!   import one. `#wallet-choose` switches; `#wallet-export` saves the key; `#wallet-delete`, then
//!   `#wallet-delete-yes`.
//! - `#wallet-address`, `#wallet-balance` (as in `12.5 LAB`), `#wallet-pending`, `#wallet-qr`, the rows of
//!   `#wallet-history`.
//! - `#wallet-earn` is open while the wallet is empty; it has `#earn-mine`, `#earn-stop` and the result in
//!   `#earn-status`.
//! - `#send-to`, `#send-amount`, `#send-fee`, `#send-message`; `#send-preview` is the button that opens `#preview`, and
//!   `#send-confirm` in it signs and sends. The error of a field has the field's id with `-error`.
//! - On layer `utxo`, for which `#wallet-app` has `data-layer`: `#coins-strategy`, and the boxes in `#coins-list`, the
//!   largest coin first.
//! - `#send-status` has `data-state` (`sending`, `pending`, `confirmed`, `refused`, `unknown`, `gone`) and
//!   `data-confirmations`; `#send-again` pushes the same payment once more.

mod forms;

use crate::state::ExplorerState;
use crate::view::{Page, copyable};
use http::header::{CACHE_CONTROL, HeaderValue};
use http::{StatusCode, header};
use maud::{Markup, html};
use qrcode::render::svg;
use qrcode::{EcLevel, QrCode};
use runtime::server::{self, Request, Response, reply};
use shared::block::{BlockHash, Height};
use shared::ledger::Address;
use shared::wire::Problem;
use std::sync::Arc;

struct Wallet<'a> {
    network: BlockHash,
    network_name: &'a str,
    max_msg_bytes: u64,
    /// Whether it pays from coins, not from a balance.
    has_coins: bool,
    /// The height of the best chain, if a node answers.
    tip: Option<Height>,
    /// How many payments wait for a block, if a mempool answers.
    waiting: Option<u64>,
}

pub(crate) async fn page(explorer: Arc<ExplorerState>, _: Request) -> Result<Response, Problem> {
    let main = if explorer.params.layer.has_money() {
        let state = explorer.network();
        let waiting = state
            .answering_mempools()
            .first()
            .and_then(|address| state.mempools.get(address)?.info.as_ref()?.pool.as_ref());
        render(&Wallet {
            network: explorer.network_id,
            network_name: &explorer.params.name,
            max_msg_bytes: explorer.params.max_msg_bytes,
            has_coins: explorer.params.layer.has_coins(),
            tip: state.tip().map(|tip| tip.index),
            waiting: waiting.map(|pool| pool.count),
        })
    } else {
        render_without_money(&explorer.params.name)
    };
    Ok(Page { title: "Wallet", place: "/wallet", scripts: &["wallet.js"], main }.response())
}

/// Answers `GET /qr/<address>.svg`: an address as a QR code.
pub(crate) async fn qr(_: Arc<ExplorerState>, request: Request) -> Result<Response, Problem> {
    let [file] = request.params()?;
    qr_response(file)
}

fn qr_response(file: &str) -> Result<Response, Problem> {
    let Some(name) = file.strip_suffix(".svg") else {
        return Err(server::not_found("a QR code is at /qr/<address>.svg"));
    };
    let address: Address =
        name.parse().map_err(|error| server::not_found(format!("there is no code for {name:?}: {error}")))?;
    let code = code(&address).ok_or_else(|| server::internal("the address does not fit into a code"))?;
    let mut response = reply::whole(StatusCode::OK, "image/svg+xml", code.into());
    // The code of an address never changes.
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'"));
    Ok(response)
}

/// Black on white on every theme, with a margin, so that cameras can read it.
fn code(address: &Address) -> Option<String> {
    // A QR code stores capitals and digits in 5.5 bits each, and bech32 allows capitals.
    let text = address.as_str().to_ascii_uppercase();
    let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
    Some(code.render::<svg::Color<'_>>().quiet_zone(true).module_dimensions(8, 8).build())
}

fn render_without_money(network_name: &str) -> Markup {
    html! {
        h1 { "Wallet" }
        p { "The network " strong { (network_name) } " has no money: its blocks contain plain text (layer " code {
            "data" } "). So there is nothing to keep in a wallet." }
        p { "On a network of layer " code { "transaction" } " you could pay and be paid here. On this one, " a
            href="/blocks" { "look at the blocks" } "." }
    }
}

fn render(wallet: &Wallet<'_>) -> Markup {
    html! {
        @if wallet.has_coins { link rel="stylesheet" href=(crate::assets::path("coins.css")); }
        h1 { "Wallet" }
        p { "A wallet is a secret number, the " strong { "key" } ", and an " strong { "address" } " that is computed \
            from it. Give your address to people who want to pay you. Sign your own payments with the key. The key is \
            made and kept in your browser; this server never sees it." }
        (without_scripts())
        p #wallet-trouble .card.bad role="alert" hidden {}
        div #wallet-app data-network=(wallet.network) data-most-bytes=(wallet.max_msg_bytes)
            data-layer=[wallet.has_coins.then_some("utxo")] hidden {
            (home(wallet.network_name))
            (forms::earn())
            (forms::send(wallet.max_msg_bytes, wallet.has_coins))
            (forms::history())
            (forms::name())
            (forms::add())
            (forms::keep())
            (forms::delete_dialog())
        }
        div #wallet-live { p #wallet-chain .muted data-live="nodes blocks pool" { (chain(wallet)) } }
    }
}

fn without_scripts() -> Markup {
    html! {
        noscript {
            div.card {
                p { strong { "The wallet needs JavaScript." } " Keys are made and payments are signed in your browser, \
                    so that nobody else has the keys. Without scripts, the server would have to do that. The program "
                    code { "user" } " does the same in a terminal:" }
                (copyable("user new                                        # a key, in wallet.pem\n\
                           user address -f wallet.pem                      # its address\n\
                           user balance <address>\n\
                           user send 1.5 <address> -f wallet.pem --wait 1"))
            }
        }
    }
}

/// The shown wallet: its name, address and balance.
fn home(network_name: &str) -> Markup {
    html! {
        section #wallet-home .card aria-labelledby="wallet-title" hidden {
            div.wallet-head {
                h2 #wallet-title { "Wallet" }
                div { label for="wallet-choose" { "Switch to " } select #wallet-choose autocomplete="off" {} }
            }
            div.wallet-receive {
                img #wallet-qr alt="The address as a code to scan" width="180" height="180";
                div {
                    h3 { "Balance" }
                    p.wallet-balance #wallet-balance role="status" { "not known" }
                    p #wallet-pending .muted {}
                    h3 { "Your address (share it to get paid)" }
                    p { code #wallet-address .hash {} }
                    p {
                        button #wallet-copy type="button" { "Copy the address" } " "
                        a #wallet-link href="/wallet" { "Its page" } " "
                        span #wallet-copied .muted role="status" {}
                    }
                    p.muted { "Money of the network " strong { (network_name) } "." }
                }
            }
        }
    }
}

/// The line about the chain. `live.js` replaces it after each block, which makes the wallet refresh. Without
/// `#wallet-waiting` the wallet sends no requests.
fn chain(wallet: &Wallet<'_>) -> Markup {
    html! {
        @match wallet.tip {
            Some(index) => { "The newest block is " a #wallet-tip href={ "/block/" (index) } { (index) } ". " }
            None => { "No node answers at the moment. " }
        }
        @match wallet.waiting {
            Some(count) => {
                span #wallet-waiting { (count) @if count == 1 { " payment is" } @else { " payments are" } " waiting \
                    for a block." }
            }
            None => { "No mempool answers at the moment, so balances are unknown and payments are not possible." }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::snapshot;

    const ALICE: &str = "lab1qw3a092402y9t2zw3vrxdlgl3j6c3gvfm4zu09kmfz6rencp3cz6sj7943p";

    fn wallet(network_name: &str) -> Wallet<'_> {
        let network = shared::params::Params::default().network_id();
        let (max_msg_bytes, has_coins) = (256, false);
        Wallet { network, network_name, max_msg_bytes, has_coins, tip: Some(Height(12)), waiting: Some(1) }
    }

    #[test]
    fn the_page_is_as_reviewed() {
        snapshot("wallet", &render(&wallet("chainlab")));
        snapshot("wallet_coins", &forms::send(256, true));
        snapshot("wallet_nobody", &chain(&Wallet { tip: None, waiting: None, ..wallet("chainlab") }));
        snapshot("wallet_no_money", &render_without_money("notes"));
    }

    #[test]
    fn a_hostile_name_stays_text() {
        let name = "<script>alert(1)</script>\"'";
        for page in [render(&wallet(name)), render_without_money(name)] {
            assert!(!page.0.contains("<script"), "{}", page.0);
            assert!(page.0.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "{}", page.0);
        }
    }

    #[test]
    fn every_label_and_description_points_to_a_part() {
        let page = render(&Wallet { has_coins: true, ..wallet("chainlab") }).0;
        for attribute in [" for=\"", " aria-labelledby=\"", " aria-describedby=\""] {
            for names in page.split(attribute).skip(1).filter_map(|rest| rest.split('"').next()) {
                for name in names.split(' ') {
                    assert_eq!(page.matches(&format!(" id=\"{name}\"")).count(), 1, "{attribute}{name}");
                }
            }
        }
    }

    #[test]
    fn scripts_find_every_part_that_they_name() {
        let of_coins = ["coins-list", "coins-table", "coins-more", "coins-sum", "coins-strategy"];
        let (of_accounts, page) = (render(&wallet("chainlab")).0, render(&Wallet { has_coins: true, ..wallet("") }).0);
        let scripts = [
            include_str!("../../assets/wallet-coins.js"),
            include_str!("../../assets/wallet.js"),
            include_str!("../../assets/wallet-earn.js"),
            include_str!("../../assets/wallet-history.js"),
            include_str!("../../assets/wallet-keeping.js"),
            include_str!("../../assets/wallet-send.js"),
        ];
        for name in
            scripts.iter().flat_map(|script| script.split("part(\"").skip(1)).filter_map(|rest| rest.split('"').next())
        {
            let id = format!(" id=\"{name}\"");
            assert!(page.contains(&id), "#{name} is not on the page");
            assert_eq!(of_accounts.contains(&id), !of_coins.contains(&name), "#{name} without coins");
        }
    }

    #[test]
    fn a_code_is_black_on_white_with_a_margin() {
        let code = code(&ALICE.parse().unwrap()).unwrap();
        // 33 modules and 4 on each side, 8 pixels each.
        assert!(code.contains(r#"viewBox="0 0 328 328""#), "{code}");
        assert!(code.contains(r##"<rect x="0" y="0" width="328" height="328" fill="#fff"/>"##), "{code}");
        assert!(code.contains(r##"fill="#000" d="M32 32h"##), "{code}");
    }

    #[test]
    fn only_addresses_have_a_code() {
        assert_eq!(qr_response(&format!("{ALICE}.svg")).unwrap().status(), StatusCode::OK);
        let mistyped = ALICE.replace("7943p", "7943q");
        for file in [ALICE, "x.svg", ".svg", &format!("{mistyped}.svg"), "<script>.svg"] {
            assert_eq!(qr_response(file).unwrap_err().status, 404, "{file}");
        }
    }
}
