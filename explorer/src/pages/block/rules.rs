//! The contents of genesis: the rules of the network, in words.

use super::super::content;
use crate::view;
use maud::{Markup, html};
use shared::ledger::Amount;
use shared::params::{LayerName, Params, RetargetRule};

/// The rules that `data` spells, and the text that is hashed. Only the text, if this version cannot read it.
pub(super) fn draw(data: &str) -> Markup {
    html! {
        p { "Block 0, genesis, contains the rules of this network. Another rule would mean another genesis, and so \
            another network." }
        @match serde_json::from_str::<Params>(data) {
            Ok(params) => {
                (rules(&params))
                details { summary { "The text that is hashed" } (content::text(data)) }
            }
            Err(_) => (content::text(data)),
        }
    }
}

fn rules(params: &Params) -> Markup {
    let grains = |grains: u64| view::amount(Amount::new(grains).unwrap_or(Amount::MAX));
    html! {
        dl.fields {
            dt { "name" }
            dd { (params.name) }
            dt { "blocks contain" }
            dd { (layer(params.layer)) }
            dt { "a block every" }
            dd { (seconds(params.block_interval_ms)) ", on average" }
            dt { "difficulty" }
            dd { (view::number(params.initial_difficulty.value())) " hashes at first; " (retarget(params)) }
            @if params.layer.has_money() {
                dt { "reward" }
                dd {
                    (grains(params.reward)) " for finding a block"
                    @if params.halving_blocks > 0 { ", half as much after every " (view::number(params.halving_blocks))
                        " blocks" }
                }
                dt { "a new address holds" }
                dd { (grains(params.new_address_balance)) }
                dt { "room in a block" }
                dd { (view::number(params.max_transactions)) " transactions, each with a message of up to "
                    (bytes(params.max_msg_bytes)) "; " (bytes(params.max_data_bytes)) " together" }
            } @else {
                dt { "room in a block" }
                dd { (bytes(params.max_data_bytes)) }
            }
            @if let Some(gas) = params.max_block_gas {
                dt { "programs" }
                dd { "may use " (view::number(gas)) " gas in a block" }
            }
            dt { "clocks" }
            dd { "a block may be dated at most " (seconds(params.max_future_ms)) " ahead" }
        }
    }
}

const fn layer(layer: LayerName) -> &'static str {
    match (layer.has_money(), layer.has_programs()) {
        (_, true) => "payments, calls of programs, and a reward for their miner",
        (true, false) => "payments, and a reward for their miner",
        (false, false) => "a text of their miner",
    }
}

fn retarget(params: &Params) -> Markup {
    let window = params.retarget_window;
    html! {
        @match params.retarget {
            RetargetRule::Fixed => "it never changes",
            RetargetRule::Epoch => { "it is adjusted after every " (view::number(window)) " blocks" }
            // Every other rule looks at the last blocks.
            _ => {
                "it is adjusted after every block, by the times of the last " (view::number(window))
            }
        }
    }
}

fn bytes(count: u64) -> Markup {
    view::bytes(usize::try_from(count).unwrap_or(usize::MAX))
}

fn seconds(ms: u64) -> String {
    format!("{} s", ms as f64 / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_layer_has_its_rules_and_rules_that_cannot_be_read_stay_a_text() {
        let shown = |params: &Params| draw(&params.canonical_json()).into_string();
        let money = shown(&Params::default());
        for words in
            ["chainlab", "5 s, on average", "65,536 hashes at first", "50.00 LAB", "after every 210,000 blocks"]
        {
            assert!(money.contains(words), "{words}: {money}");
        }
        let text = shown(&Params { layer: LayerName::Data, retarget: RetargetRule::Fixed, ..Params::default() });
        assert!(text.contains("never changes") && !text.contains("reward</dt>"), "{text}");
        assert!(shown(&Params::of_programs()).contains("15,000,000 gas"));
        let unknown = draw("{\"layer\":\"<b>other\"}").into_string();
        assert!(unknown.contains("&lt;b&gt;other") && !unknown.contains("<dl"), "{unknown}");
    }
}
