//! The form that calls a program, and what the call would do.

use super::calls;
use super::tables;
use crate::functions::{self, Returned};
use crate::upstream::{Upstream, UpstreamError};
use crate::view;
use maud::{Markup, html};
use runtime::client::Error;
use runtime::sanitize;
use serde_json::Value;
use shared::ledger::{AccountId, Address, Amount};
use shared::program::HexBytes;
use shared::wire::{CallRequest, CallResult, ProgramInfo};

/// Functions that a reader can choose from; any other can be typed.
const SUGGESTIONS: [&str; 9] = [
    "name()(string)",
    "symbol()(string)",
    "totalSupply()(uint256)",
    "balanceOf(address)(uint256)",
    "transfer(address,uint256)",
    "approve(address,uint256)",
    "deposit()",
    "withdraw()",
    "claim()",
];

/// Longest text of a returned value that is shown, in characters.
const MAX_VALUE: usize = 2000;

/// What a reader typed.
#[derive(Debug, Default)]
pub(super) struct CallForm {
    is_sent: bool,
    function: String,
    arguments: String,
    data: String,
    amount: String,
    from: String,
}

/// The result of a call that was tried.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "a page has one")]
pub(super) enum Attempt {
    /// The form has an error.
    Wrong(String),
    /// It ran; with the gas that it needs, if it can succeed.
    Ran { call: CallRequest, result: CallResult, gas: Option<u64> },
}

impl CallForm {
    pub(super) fn new(
        function: Option<String>,
        arguments: Option<String>,
        data: Option<String>,
        amount: Option<String>,
        from: Option<String>,
    ) -> Self {
        let is_sent = function.is_some() || data.is_some();
        let text = Option::unwrap_or_default;
        Self {
            is_sent,
            function: text(function),
            arguments: text(arguments),
            data: text(data),
            amount: text(amount),
            from: text(from),
        }
    }

    /// The call that it describes.
    fn call(&self, to: Address) -> Result<CallRequest, String> {
        let (function, data) = (self.function.trim(), self.data.trim());
        let data = match (function, data) {
            ("", "") => Vec::new(),
            ("", data) => functions::hex(data)?,
            (function, "") => functions::encode(function, &self.arguments, &account)?,
            _ => return Err("Give a function or hex, not both.".to_owned()),
        };
        let amount = match self.amount.trim() {
            "" => Amount::ZERO,
            text => Amount::from_lab(text).map_err(|error| format!("The amount: {error}."))?,
        };
        let from = match self.from.trim() {
            "" => None,
            text => Some(caller(text).ok_or_else(|| "The caller is neither an address nor a known name.".to_owned())?),
        };
        Ok(CallRequest { from, to: Some(to), data: HexBytes(data), amount, gas: None, confirmations: None })
    }

    /// Runs the call on the newest block, and keeps nothing. `None` if nothing was asked.
    pub(super) async fn attempt(&self, upstream: &Upstream, to: Address) -> Option<Attempt> {
        if !self.is_sent {
            return None;
        }
        let call = match self.call(to) {
            Ok(call) => call,
            Err(wrong) => return Some(Attempt::Wrong(wrong)),
        };
        let (sent, estimated) = (call.clone(), call.clone());
        let result = upstream.mempool(async move |client, mempool| client.call_program(mempool, &sent).await).await;
        let result = match result {
            Ok(result) => result,
            Err(error) => return Some(Attempt::Wrong(in_words(error))),
        };
        let gas = match result.status.as_str() {
            "succeeded" => {
                let estimate = async move |client: &runtime::client::Client, mempool: &str| {
                    client.estimate_gas(mempool, &estimated).await
                };
                upstream.mempool(estimate).await.ok().map(|estimate| estimate.gas)
            }
            _ => None,
        };
        Some(Attempt::Ran { call, result, gas })
    }
}

/// The account of an argument that is not `0x` and hex.
fn account(text: &str) -> Result<AccountId, String> {
    let address = caller(text).ok_or_else(|| "it is neither an address nor a known name".to_owned())?;
    Ok(address.account())
}

fn caller(text: &str) -> Option<Address> {
    let lower = text.to_ascii_lowercase();
    lower.parse::<Address>().ok().or_else(|| view::cast().find(text))
}

fn in_words(error: UpstreamError) -> String {
    match error {
        UpstreamError::Failed { error: Error::Refused(problem), .. } => {
            format!("The call cannot begin: {}.", problem.detail)
        }
        other => other.to_string(),
    }
}

pub(super) fn render(form: &CallForm, attempt: Option<&Attempt>, program: &ProgramInfo, network: &str) -> Markup {
    html! {
        section aria-labelledby="call" {
            h2 #call { "Read or call it" }
            p { "Try a call: the page shows what it would do on top of the newest block, and nothing is kept." }
            form #call-form .call-form action={ "/program/" (program.address) "#call-result" } {
                label { "Function. To read its result in words, add the types that it returns"
                    input name="function" value=(sanitize::line(&form.function)) list="functions" maxlength="1000"
                    placeholder="balanceOf(address)(uint256)" autocomplete="off" spellcheck="false"; }
                datalist #functions { @for suggestion in SUGGESTIONS { option value=(suggestion); } }
                label { "Arguments, one a line. A list is written [1, 2]"
                    textarea name="arguments" rows="2" maxlength="2000" spellcheck="false" {
                    (sanitize::text(&form.arguments)) } }
                label { "Or the call's data as hex" input name="data" value=(sanitize::line(&form.data))
                    maxlength="100000"
                    placeholder="0x" autocomplete="off" spellcheck="false"; }
                label { "Amount in LAB that goes with it" input name="amount" value=(sanitize::line(&form.amount))
                    maxlength="20"
                    placeholder="0" inputmode="decimal" autocomplete="off"; }
                label { "Caller, an address or a name" input name="from" value=(sanitize::line(&form.from))
                    maxlength="70"
                    placeholder="nobody in particular" autocomplete="off" spellcheck="false"; }
                p { button.primary { "Try it" } }
            }
            div #call-result {
                @match attempt {
                    None => {},
                    Some(Attempt::Wrong(words)) => p.bad role="alert" { (view::sanitized(words)) },
                    Some(Attempt::Ran { call, result, gas }) => (ran(form, call, result, *gas, network)),
                }
            }
        }
    }
}

fn ran(form: &CallForm, call: &CallRequest, result: &CallResult, gas: Option<u64>, network: &str) -> Markup {
    let is_success = result.status == "succeeded";
    let values = functions::results(&form.function, &result.output.0).filter(|_| is_success);
    html! {
        h3 { "What it would do" }
        dl.fields {
            dt { "result" }
            dd { (calls::status(&result.status, result.reason.as_deref())) }
            @if let Some(values) = values {
                dt { "returned" }
                dd { ul.words #returned { @for value in &values { li { (returned(value)) } } } }
            }
            dt { "output" }
            dd { (tables::data(&result.output.0)) }
            dt { "gas used" }
            dd { (view::number(result.gas_used)) }
            dt { "data of the call" }
            dd { code.hash { (call.data) } }
            @if !result.logs.is_empty() {
                dt { "logs" }
                dd { @for log in &result.logs { (tables::log(log)) } }
            }
        }
        @if let (Some(gas), Some(to)) = (gas, call.to) { (sign(call, gas, &to, network)) }
    }
}

/// A result by its type; an account by its owner's name where it is known.
fn returned(Returned { kind, value }: &Returned) -> Markup {
    html! {
        span.muted { (kind) } " "
        @match value {
            Value::String(text) if kind == "address" => {
                @match text.parse() { Ok(account) => (calls::account(&account)), Err(_) => (view::sanitized(text)) }
            }
            Value::String(text) => b { (view::sanitized(&shortened(text.clone()))) },
            value => b { (view::sanitized(&shortened(value.to_string()))) },
        }
    }
}

fn shortened(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(MAX_VALUE) {
        text.truncate(end);
        text.push('…');
    }
    text
}

/// The form that signs the call with a wallet of this browser; its script shows it.
fn sign(call: &CallRequest, gas: u64, to: &Address, network: &str) -> Markup {
    // What others do first may change what it needs.
    let declared = (gas + gas / 4).min(shared::program::MAX_CALL_GAS);
    html! {
        form #call-sign .call-form hidden data-network=(network) data-to=(to) data-kind="call" data-data=(call.data) {
            h3 { "Call it with a transaction" }
            p { "The fee is spent whatever happens. If the call fails, the amount stays with you." }
            label { "Wallet of this browser" select #call-wallet {} }
            label { "Gas, at most" input #call-gas type="number" min="21000" max="16777216" value=(declared); }
            label { "Amount in LAB" input #call-amount value=(call.amount) inputmode="decimal" autocomplete="off"; }
            label { "Fee in LAB, for the miner" input #call-fee value="0.0001" inputmode="decimal" autocomplete="off"; }
            p { button.primary #call-send { "Sign and send" } }
            p #call-status role="status" {}
        }
        p.no-wallet hidden { "To call it with a transaction, make a " a href="/wallet" { "wallet" } " in this \
            browser, or run:" }
        (view::copyable(&format!("user call {to} {} --amount {} -s YOUR-SEED", call.data, call.amount)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;
    use crate::pages::samples::assert_harmless;
    use crate::view::snapshot;

    fn form(function: &str, arguments: &str, data: &str) -> CallForm {
        let text = |text: &str| Some(text.to_owned());
        CallForm::new(text(function), text(arguments), text(data), text(""), text(""))
    }

    fn data_of(form: &CallForm) -> Result<String, String> {
        form.call(samples::program().address).map(|call| call.data.to_string())
    }

    #[test]
    fn a_form_is_a_call_or_says_what_is_wrong() {
        assert_eq!(data_of(&form("", "", "")), Ok("0x".to_owned()));
        assert_eq!(data_of(&form("", "", " 0xAB ")), Ok("0xab".to_owned()));
        assert_eq!(data_of(&form("totalSupply()", "", "")), Ok("0x18160ddd".to_owned()));
        for (wrong, words) in [
            (form("f()", "", "0x12"), "not both"),
            (form("", "", "12"), "no hex"),
            (form("f(uint8)", "300", ""), "a number of type uint8"),
            (form("f(address)", "nobody known", ""), "neither an address nor a known name"),
            (CallForm { amount: "-1".to_owned(), ..CallForm::default() }, "amount"),
            (CallForm { from: "nobody known".to_owned(), ..CallForm::default() }, "caller"),
        ] {
            let error = data_of(&wrong).unwrap_err();
            assert!(error.contains(words), "{error}");
        }
    }

    #[test]
    fn what_a_call_returns_is_shown_by_its_types() {
        let shown = |function: &str, output: &[u8], status: &str| {
            let form = form(function, "", "");
            let call = CallForm::default().call(samples::program().address).unwrap();
            let result = CallResult { output: HexBytes(output.to_vec()), ..samples::result(status) };
            let attempt = Attempt::Ran { call, result, gas: None };
            render(&form, Some(&attempt), &samples::program(), "abc").into_string()
        };
        let word = shared::program::Word::from(300).0;
        let page = shown("balanceOf(address)(uint256)", &word, "succeeded");
        assert!(page.contains("uint256") && page.contains("<bdi class=\"said\">300</bdi>"), "{page}");
        let page = shown("owner()(address)", &word, "succeeded");
        assert!(page.contains("href=\"/program/0x000000000000000000000000000000000000012c\""), "{page}");
        for (function, status) in [("f()", "succeeded"), ("f()(uint256)", "reverted"), ("f()(string)", "succeeded")] {
            assert!(!shown(function, &word, status).contains("id=\"returned\""), "{function}, {status}");
        }
        let hostile = functions::encode("f(string)", "<script>alert(1)</script>", &account).unwrap();
        let page = shown("f()(string)", &hostile[4..], "succeeded");
        assert!(page.contains("id=\"returned\""), "{page}");
        assert_harmless(&page);
    }

    #[test]
    fn a_call_that_would_succeed_can_be_signed() {
        let call = form("", "", "0x12").call(samples::program().address).unwrap();
        let result = samples::result("succeeded");
        let attempt = Attempt::Ran { call, result, gas: Some(40_000) };
        let shown = render(&CallForm::default(), Some(&attempt), &samples::program(), "abc");
        assert!(shown.0.contains("value=\"50000\""), "a quarter more gas: {}", shown.0);
        snapshot("program_call", &shown);
    }

    #[test]
    fn a_call_that_would_fail_says_why_and_is_not_offered() {
        let call = form("", "", "").call(samples::program().address).unwrap();
        let result = CallResult { reason: Some("too poor <b>".to_owned()), ..samples::result("reverted") };
        let attempt = Attempt::Ran { call, result, gas: None };
        let shown = render(&CallForm::default(), Some(&attempt), &samples::program(), "abc").into_string();
        assert!(shown.contains("too poor &lt;b&gt;") && !shown.contains("call-sign"), "{shown}");
    }
}
