//! The level ladder of a block: the same bytes as text (level 1), as payments (level 2) and as runs of programs
//! (level 3).

use super::calls;
use super::content::Content;
use crate::view::{self, transaction_link};
use maud::{Markup, html};
use shared::block::Block;
use shared::ledger::{Amount, Transfer};
use shared::params::{LayerName, Params};
use shared::wire::CallSummary;

/// Characters of the text that are shown.
const MAX_CHARS: usize = 600;
/// Payments and runs that are shown.
const MAX_LINES: usize = 6;

/// `calls` are those of the block, if a mempool said them.
pub(super) fn render(block: &Block, content: &Content, calls: Option<&[CallSummary]>, params: &Params) -> Markup {
    html! {
        link rel="stylesheet" href=(crate::assets::path("programs.css"));
        section aria-labelledby="levels" {
            h2 #levels { "The same bytes at three levels" }
            p { "A block carries bytes. What they mean is up to the layer of the network: each level reads what the \
                level below it leaves open, and keeps all that the level below says." }
            ol.ladder {
                (text(block))
                (payments(content, params))
                (runs(content, calls, params))
            }
        }
    }
}

/// The gas that the calls of a block used and declared.
pub(super) fn gas(calls: &[CallSummary], params: &Params) -> Markup {
    let sum = |each: fn(&CallSummary) -> u64| calls.iter().map(each).fold(0, u64::saturating_add);
    let (used, declared) = (sum(|call| call.gas_used), sum(|call| call.gas));
    let allowed = shared::layer::program::block_gas(params);
    html! {
        (view::number(used)) " used, " (view::number(declared)) " declared of " (view::number(allowed)) " allowed "
        meter min="0" max=(allowed) value=(declared) aria-label="Declared gas of allowed" {}
    }
}

fn text(block: &Block) -> Markup {
    let shown: String = block.data().chars().take(MAX_CHARS).collect();
    html! {
        li.card {
            h3 { "Level 1: text" }
            p { (view::bytes(block.data().len())) " of text, whose hash is in the header." }
            pre tabindex="0" { (runtime::sanitize::text(&shown)) @if shown.len() < block.data().len() { "…" } }
        }
    }
}

fn payments(content: &Content, params: &Params) -> Markup {
    html! {
        li.card.unread[!params.layer.has_money()] {
            h3 { "Level 2: payments" }
            @match content {
                Content::Bundle(bundle) => {
                    @let count = bundle.transactions.len();
                    @let amounts = bundle.transactions.iter().map(|each| u128::from(each.transfer().amount.grains()));
                    @let moved = amounts.sum::<u128>();
                    p { (view::number(count as u64))
                        @if count == 1 { " transaction sends " } @else { " transactions send " }
                        (view::amount(u64::try_from(moved).ok().and_then(Amount::new).unwrap_or(Amount::MAX)))
                        ", and " (view::address(&bundle.miner_address)) " is paid for the block." }
                    ul.words {
                        @for each in bundle.transactions.iter().take(MAX_LINES) {
                            @let Transfer { from, to, amount, .. } = each.transfer();
                            li { (view::address(&from)) " pays " (calls::receiver(&to)) " " (view::amount(amount)) }
                        }
                        @if count > MAX_LINES { li.muted { "and " (count - MAX_LINES) " more" } }
                    }
                },
                Content::Text(_) if params.layer.has_money() => p { "Genesis pays nobody: it contains the rules." },
                Content::Text(_) => p { "On this network, of layer " code { "data" } ", nobody reads payments in it." },
            }
        }
    }
}

fn runs(content: &Content, calls: Option<&[CallSummary]>, params: &Params) -> Markup {
    html! {
        li.card.unread[!params.layer.has_programs()] {
            h3 { "Level 3: runs" }
            @match (params.layer, calls) {
                (LayerName::Program, None) => p { "What its calls did is not known here: the block is not on the best \
                    chain, or no mempool answers." },
                (LayerName::Program, Some([])) => p { "No transaction of this block calls a program." },
                (LayerName::Program, Some(calls)) => {
                    p { (view::number(calls.len() as u64)) @if calls.len() == 1 { " call" } @else { " calls" }
                        @if let Content::Bundle(bundle) = content { @if let Some(outcome) = &bundle.outcome {
                            ". The hash of their results, the outcome, is "
                            code.hash { (view::short(&outcome.to_string())) }
                        } } "." }
                    ul.words {
                        @for call in calls.iter().take(MAX_LINES) { li { (run(call)) } }
                        @if calls.len() > MAX_LINES { li.muted { "and " (calls.len() - MAX_LINES) " more" } }
                    }
                },
                _ => p { "On this network nobody runs programs: that needs layer " code { "program" } "." },
            }
        }
    }
}

fn run(call: &CallSummary) -> Markup {
    html! {
        (view::address(&call.from)) @if call.is_deployment { " makes " } @else { " calls " }
        (view::program(&call.program))
        ": " (calls::status(&call.status, call.reason.as_deref())) " with " (view::number(call.gas_used)) " gas, "
        a href={ "/transaction/" (call.id) "/trace" } { "its steps" } " (" (transaction_link(call.id)) ")"
    }
}

#[cfg(test)]
mod tests {
    use super::super::program::samples as programs;
    use super::super::samples;
    use super::*;
    use crate::view::snapshot;

    fn shown(block: &Block, calls: Option<&[CallSummary]>, params: &Params) -> Markup {
        render(block, &Content::of(block, params.layer), calls, params)
    }

    #[test]
    fn a_block_at_three_levels() {
        let [_, block] = samples::blocks("for lunch");
        snapshot("ladder", &shown(&block, Some(&[programs::summary()]), &Params::of_programs()));
    }

    #[test]
    fn levels_that_nobody_reads_say_so() {
        let [_, block] = samples::blocks("");
        let data = Params { layer: LayerName::Data, ..Params::default() };
        let of_data = shown(&block, None, &data).into_string();
        assert!(of_data.contains("nobody reads payments") && of_data.contains("nobody runs programs"), "{of_data}");
        let of_money = shown(&block, None, &Params::default()).into_string();
        assert!(of_money.contains("1 transaction sends") && of_money.contains("nobody runs programs"), "{of_money}");
        assert!(shown(&block, None, &Params::of_programs()).into_string().contains("not known here"));
        assert!(shown(&block, Some(&[]), &Params::of_programs()).into_string().contains("No transaction"));
    }

    #[test]
    fn hostile_data_stays_text_at_all_levels() {
        let [_, block] = samples::blocks(&samples::HOSTILE.replace('\u{202e}', "\u{2066}"));
        let failed = CallSummary {
            status: "reverted".to_owned(),
            reason: Some(samples::HOSTILE.to_owned()),
            ..programs::summary()
        };
        samples::assert_harmless(&shown(&block, Some(&[failed]), &Params::of_programs()).into_string());
    }

    #[test]
    fn gas_is_summed() {
        let calls = [programs::summary(), programs::summary()];
        let shown = gas(&calls, &Params::of_programs()).into_string();
        assert!(shown.contains("86,252 used, 100,000 declared of 15,000,000 allowed"), "{shown}");
    }
}
