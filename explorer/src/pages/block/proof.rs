//! The proof of work, drawn: the block before, the header, and the hash of the header under its target.

use crate::view::{self, explained};
use maud::{Markup, html};
use shared::block::{Block, Height};

/// The width of the bar, in units of its drawing.
const BAR: f64 = 1000.0;

pub(super) fn draw(block: &Block) -> Markup {
    let header = block.header();
    let is_genesis = header.index == Height::GENESIS;
    html! {
        section.proof aria-labelledby="header" {
            h2 #header { "Header and hash" }
            p.before {
                @if is_genesis { "There is no block before." } @else {
                    "Block " (header.index.minus(1)) ": " a.hash href={ "/block/" (header.prev_hash) } {
                        (header.prev_hash) }
                }
            }
            @if !is_genesis { (arrow("is named in")) }
            div.card { (fields(block)) }
            (arrow("SHA-256"))
            div.card.result {
                @if is_genesis { (given(block)) } @else { (under_target(block)) }
            }
        }
    }
}

fn arrow(words: &str) -> Markup {
    html! { p.arrow { span aria-hidden="true" { "↓ " } (words) } }
}

fn fields(block: &Block) -> Markup {
    let header = block.header();
    html! {
        dl.fields {
            dt { (explained("index", "The height of the block: the number of blocks before it.")) }
            dd { (header.index) }
            dt { (explained("prev_hash", "The hash of the block before. These hashes link the blocks into a chain.")) }
            dd { code.hash { (header.prev_hash) } }
            dt { (explained("timestamp", "The time of mining, as the miner states it. It must be later than that of \
                the block before and not far in the future.")) }
            dd { (view::exact_time(header.timestamp)) }
            dt { (explained("difficulty", "How many hashes it takes on average to find such a block. The network \
                adjusts it to keep the time between blocks steady.")) }
            dd { (view::number(header.difficulty.value())) }
            dt { (explained("data_hash", "The SHA-256 hash of the contents. If one letter changes, the hash is \
                different.")) }
            dd { code.hash { (header.data_hash) } }
            dt { (explained("nonce", "The number that the miner searched for. It makes the hash small enough; finding \
                it is the work.")) }
            dd { code.hash { (header.nonce()) } }
        }
    }
}

/// The hash of genesis, which has no target.
fn given(block: &Block) -> Markup {
    html! {
        dl.fields {
            dt { (explained("hash", "The SHA-256 hash of all fields above: the name of the block, and the id of this \
                network.")) }
            dd { code.hash { (block.hash()) } }
        }
        p { "Nobody mined this block: every program of this network computes it from the rules below, so it needs no \
            small hash." }
    }
}

fn under_target(block: &Block) -> Markup {
    let difficulty = block.header().difficulty;
    let (hash, target) = (block.hash().to_string(), difficulty.target().to_string());
    let share = share(block);
    let percent = format!("{:.0} %", (share * 100.0).max(1.0));
    html! {
        dl.fields {
            dt { (explained("hash", "The SHA-256 hash of all fields above: the name of the block and its proof of \
                work. It must not be larger than the target.")) }
            dd { (with_zeros(&hash)) }
            dt { (explained("target", "The largest hash that is valid: the largest 256-bit number, divided by the \
                difficulty.")) }
            dd { (with_zeros(&target)) }
        }
        svg.under viewBox=(format!("0 0 {BAR} 24")) preserveAspectRatio="none" role="img"
            aria-label=(format!("The hash is at {percent} of the target")) {
            rect.target x="0" y="0" width=(BAR) height="24" {}
            rect.hash x="0" y="0" width=(format!("{:.1}", (share * BAR).max(2.0))) height="24" {}
        }
        p.scale aria-hidden="true" { span { "0" } span { "hash: at " (percent) " of the target" } span { "target" } }
        p { strong { "1 in " (view::number(difficulty.value())) " hashes" } " is this small: on average, that many \
            nonces are tried for such a block." }
    }
}

/// A hash with the zeros at its beginning in a colour.
fn with_zeros(digits: &str) -> Markup {
    let (zeros, rest) = digits.split_at(digits.len() - digits.trim_start_matches('0').len());
    html! { code.hash { @if !zeros.is_empty() { b.zeros { (zeros) } } (rest) } }
}

/// The hash as a part of its target, from 0 to 1.
fn share(block: &Block) -> f64 {
    let number = |bytes: &[u8; 32]| bytes.iter().rev().fold(0.0, |sum, byte| (sum + f64::from(*byte)) / 256.0);
    let target = number(block.header().difficulty.target().as_bytes());
    (number(block.hash().as_bytes()) / target).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::super::super::samples;
    use super::*;

    #[test]
    fn zeros_are_told_apart_and_the_digits_stay_the_same() {
        for (digits, shown) in [
            ("00a0", "<code class=\"hash\"><b class=\"zeros\">00</b>a0</code>"),
            ("a000", "<code class=\"hash\">a000</code>"),
            ("00", "<code class=\"hash\"><b class=\"zeros\">00</b></code>"),
        ] {
            assert_eq!(with_zeros(digits).into_string(), shown);
        }
    }

    #[test]
    fn the_bar_is_the_hash_as_a_part_of_the_target() {
        // The sample was not mined: its hash is above its target, and the bar ends at the target.
        let [genesis, block] = samples::blocks("");
        assert_eq!(share(&block), 1.0);
        // The target of genesis is the largest number, and its hash begins with 0x99.
        assert!((share(&genesis) - 0.598).abs() < 0.001, "{}", share(&genesis));
    }
}
