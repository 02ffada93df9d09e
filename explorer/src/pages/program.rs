//! The page of a program: who made it, its code, storage, logs and calls, and a form that calls it.
//!
//! The form is a plain GET: the page then shows what the call would do now, and keeps nothing. If the browser has a
//! wallet, `assets/program-call.js` offers to sign the same call as a transaction. Ids that it and tests use:
//! `#call-form`, `#call-result`, and `#call-sign` with `data-network`, `data-program`, `data-msg` and the fields
//! `#call-wallet`, `#call-gas`, `#call-amount`, `#call-fee`, `#call-send`, `#call-status`.

mod code;
mod form;
#[cfg(test)]
pub(super) mod samples;
pub(super) mod tables;

use super::programs::check_moment;
use super::{calls, errors};
use crate::state::ExplorerState;
use crate::upstream::UpstreamError;
use crate::view::{self, Page, explained, transaction_link};
use form::{Attempt, CallForm};
use maud::{Markup, html};
use runtime::client::ListPage;
use runtime::server::{self, Request, Response};
use serde::Deserialize;
use shared::ledger::{AccountId, Address};
use shared::program::{HexBytes, Word};
use shared::wire::{CallSummary, PlacedLogEntry, Problem, ProgramInfo, StorageSlot};
use std::sync::Arc;

/// Entries of each table.
const PER_TABLE: usize = 25;

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProgramQuery {
    /// A function to try, as in `transfer(address,uint256)`. With the types that it returns, as in
    /// `balanceOf(address)(uint256)`, the page shows its result in words.
    #[param(nullable = false)]
    function: Option<String>,
    /// Its arguments, one a line. A list is written as in `[1, 2]`.
    #[param(nullable = false)]
    arguments: Option<String>,
    /// What to call the program with instead, as hex.
    #[param(nullable = false)]
    data: Option<String>,
    /// LAB that go with the call.
    #[param(nullable = false)]
    amount: Option<String>,
    /// Who calls.
    #[param(nullable = false)]
    from: Option<String>,
    /// The first slot of the table of storage.
    #[param(nullable = false, pattern = "^0x[0-9a-f]{64}$")]
    slot: Option<String>,
    /// Lists logs before this one.
    #[param(nullable = false, pattern = r"^[0-9]{1,15}\.[0-9]{1,9}\.[0-9]{1,9}$")]
    logs_before: Option<String>,
    /// Lists calls before this one.
    #[param(nullable = false, pattern = r"^[0-9]{1,15}\.[0-9]{1,9}\.[0-9]{1,9}$")]
    calls_before: Option<String>,
}

struct ProgramPage {
    program: ProgramInfo,
    code: HexBytes,
    storage: ListPage<StorageSlot>,
    logs: ListPage<PlacedLogEntry>,
    calls: ListPage<CallSummary>,
    form: CallForm,
    attempt: Option<Attempt>,
    /// What signs calls needs to know.
    network: String,
}

pub(crate) async fn page(explorer: Arc<ExplorerState>, request: Request) -> Result<Response, Problem> {
    let [name] = request.params()?;
    let query: ProgramQuery = request.query()?;
    check_moment("logs_before", query.logs_before.as_deref())?;
    check_moment("calls_before", query.calls_before.as_deref())?;
    if query.slot.as_ref().is_some_and(|slot| slot.parse::<Word>().is_err()) {
        return Err(server::bad_request("query: slot: expected 0x and 64 lower-case hex digits"));
    }
    if !explorer.params.layer.has_programs() {
        return Ok(errors::no_programs("Program", "/programs", explorer.params.layer));
    }
    let Some(address) = parse(name) else {
        return Ok(errors::not_found(
            html! { (view::sanitized(&view::short(name))) " is not the address of a program. \
            It begins with lab1q and has 63 characters, or it is 0x and the 40 digits of an account." },
        ));
    };
    match fetch(&explorer, address, query).await {
        Ok(shown) => {
            let scripts = &["program-call.js"];
            Ok(Page { title: "Program", place: "/programs", scripts, main: render(&shown) }.response())
        }
        Err(error) if error.is_not_found() => Ok(errors::not_found(html! {
            "There is no program at " code.hash { (address.account()) } ". Perhaps its transaction still waits for a \
                block, or it is the account of a key."
        })),
        Err(error) => Ok(errors::no_answer(&error)),
    }
}

fn parse(name: &str) -> Option<Address> {
    let name = name.to_ascii_lowercase();
    let of_account = name.parse::<AccountId>().ok().map(Address::of_program);
    of_account.or_else(|| name.parse::<Address>().ok().map(|address| Address::of_program(address.account())))
}

async fn fetch(explorer: &ExplorerState, address: Address, query: ProgramQuery) -> Result<ProgramPage, UpstreamError> {
    let upstream = &explorer.upstream;
    let ProgramQuery { function, arguments, data, amount, from, slot, logs_before, calls_before } = query;
    let form = CallForm::new(function, arguments, data, amount, from);
    let program = upstream.mempool(async move |client, mempool| client.program(mempool, &address).await);
    let code = upstream.mempool(async move |client, mempool| client.code(mempool, &address).await);
    let storage = upstream
        .mempool(async move |client, mempool| client.storage(mempool, &address, slot.as_deref(), PER_TABLE).await);
    let logs = upstream.mempool(async move |client, mempool| {
        client.logs(mempool, &address, None, logs_before.as_deref(), PER_TABLE).await
    });
    let calls = upstream.mempool(async move |client, mempool| {
        client.calls(mempool, &address, calls_before.as_deref(), PER_TABLE).await
    });
    let (program, code, storage, logs, calls) = tokio::try_join!(program, code, storage, logs, calls)?;
    let attempt = form.attempt(upstream, address).await;
    Ok(ProgramPage { program, code, storage, logs, calls, form, attempt, network: explorer.network_id.to_string() })
}

fn render(shown: &ProgramPage) -> Markup {
    let ProgramPage { program, code, storage, logs, calls, form, attempt, network } = shown;
    html! {
        link rel="stylesheet" href=(crate::assets::path("programs.css"));
        h1 { "Program " (view::program_name(&program.address)) }
        div #standing data-live="blocks" { (facts(program)) }
        (form::render(form, attempt.as_ref(), program, network))
        section aria-labelledby="storage" {
            h2 #storage { (explained("Storage", "Each program has numbered slots that stay from call to call. A slot \
                that is not listed is 0.")) }
            (tables::storage(storage, &program.address))
        }
        section aria-labelledby="logs" {
            h2 #logs { (explained("Logs", "What the program wrote down for people while it ran. By convention the \
                first topic is the hash of the event's signature.")) }
            (tables::logs(logs, &program.address))
        }
        section aria-labelledby="calls" {
            h2 #calls { "Transactions to it" }
            (tables::calls(calls, &program.address))
        }
        section aria-labelledby="code" {
            h2 #code { "Code" }
            (code::render(&code.0))
        }
    }
}

fn facts(program: &ProgramInfo) -> Markup {
    html! {
        dl.fields {
            dt { (explained("account", "The 20 bytes by which programs know it.")) }
            dd { code.hash { (program.account) } }
            dt { (explained("address", "The same 20 bytes with a checksum. The command line takes it.")) }
            dd { code.hash { (program.address) } }
            dt { "balance" }
            dd { (view::amount(program.balance)) ", "
                a href={ "/address/" (program.address) } { "how it changed" } }
            dt { "made by" }
            dd { (view::address(&program.maker)) " with " (transaction_link(program.transaction)) " in "
                a href={ "/block/" (program.index) } { "block " (program.index) } }
            dt { "code" }
            dd { @if program.code_bytes == 0 { "none any more" } @else { (view::number(program.code_bytes)) " bytes, \
                Keccak-256 " code.hash { (program.code_hash) } } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples as blocks;
    use super::*;
    use crate::view::snapshot;

    #[test]
    fn a_program_that_was_called() {
        snapshot("program", &render(&samples::page(CallForm::default(), None)));
    }

    #[test]
    fn an_address_an_account_and_a_key_name_the_same_account() {
        let program = samples::program();
        assert_eq!(parse(program.address.as_str()), Some(program.address));
        assert_eq!(parse(&program.account.to_string().to_uppercase().replacen("0X", "0x", 1)), Some(program.address));
        let key = blocks::address("alice");
        assert_eq!(parse(key.as_str()), Some(Address::of_program(key.account())));
        assert_eq!(parse("0x12"), None);
    }

    #[test]
    fn what_programs_and_callers_write_stays_text() {
        let form = CallForm::new(
            Some(blocks::HOSTILE.to_owned()),
            Some(blocks::HOSTILE.to_owned()),
            Some(blocks::HOSTILE.to_owned()),
            Some(blocks::HOSTILE.to_owned()),
            Some(blocks::HOSTILE.to_owned()),
        );
        let attempt = Attempt::Wrong(blocks::HOSTILE.to_owned());
        blocks::assert_harmless(&render(&samples::page(form, Some(attempt))).into_string());
    }
}
