//! The page with exercises: five small ideas that readers change until they break. The server sends real examples;
//! after that everything happens in the browser (`assets/learn*.js`), without requests.
//!
//! What scripts and browser tests use:
//! - each exercise is a `<section>`: `learn-hash`, `learn-block`, `learn-chain`, `learn-peers`, `learn-signature`. The
//!   box around them, `#learn`, gets `data-ready="true"`, or `"false"` if `sha256.js` fails its self-test;
//! - `[data-out]` is a computed value (`hash`, `seal`, `rate`, `status`, …), `[data-do]` a button (`mine`, `stop`,
//!   `reset`, `add`, `repair`, `compare`, `new-key`, `sign`), both by their name within their exercise;
//! - `.learn-block` is a block: `data-index`, `data-state="good"` or `"bad"`, and a `[data-field]` for every field of
//!   docs/protocol.md §3 but the hashes. A list of them is a `[data-chain]`; a peer is a `[data-peer]`;
//! - the signature's verdict is `#learn-signature [data-state]`.

pub(crate) mod change;
mod examples;
pub(crate) mod spending;

use crate::state::ExplorerState;
use crate::view::{End, Note, Page};
use examples::Signed;
use maud::{Markup, html};
use runtime::server::{Request, Response};
use shared::block::{Block, DataHash};
use shared::ledger::Amount;
use shared::wire::Problem;
use std::sync::Arc;

const INTRODUCTION: &str = "A blockchain is built from a few small ideas. Try each one yourself: change something and \
    see what breaks. Nothing that you do here leaves your browser.";

/// Most characters of a text field.
const LONGEST_TEXT: u32 = 2000;

pub(crate) async fn page(_: Arc<ExplorerState>, _: Request) -> Result<Response, Problem> {
    Ok(Page { title: "Learn", place: "/learn", scripts: &["learn.js"], main: render() }.response())
}

fn render() -> Markup {
    let (chain, next) = examples::blocks();
    html! {
        h1 { "Learn by breaking things" }
        p { (INTRODUCTION) }
        p { "Or ask a question about whole networks: " a href="/lab" { "the laboratory" } "." }
        p { "Money made of coins: " a href="/learn/coins" { "a coin is spent whole" } ", and " a href="/learn/change" {
            "which output is the change?" } }
        p { "On a network with programs: run a few instructions on " a href="/learn/machine" { "the machine" } ", or \
            break and repair " a href="/learn/programs" { "whole programs" } "." }
        noscript { p.card { "Without JavaScript you can see the examples but not change them." } }
        nav aria-label="Exercises" {
            ol {
                li { a href="#learn-hash" { "A hash" } }
                li { a href="#learn-block" { "A block" } }
                li { a href="#learn-chain" { "A chain" } }
                li { a href="#learn-peers" { "Two peers" } }
                li { a href="#learn-signature" { "A signature" } }
            }
        }
        div #learn {
            (hash_exercise())
            (block_exercise(&next))
            (chain_exercise(&chain))
            (peers_exercise(&chain[..3]))
            (signature_exercise(&examples::signed()))
        }
    }
}

fn hash_exercise() -> Markup {
    const TEXT: &str = "Hello, world";
    html! {
        section #learn-hash {
            h2 { "1. A hash: the fingerprint of a text" }
            p { "A hash is a number that is computed from a text. The same text always gives the same hash. We use the \
                hash function SHA-256 and write a hash with 64 digits, 0 to 9 and a to f. Nobody knows how to get from \
                a hash back to the text." }
            p { strong { "Try: " } "change a single letter. About half of the 256 bits of the hash change, and nobody \
                can predict which. Change the letter back, and the old hash returns." }
            label { "Your text" textarea name="text" rows="3" maxlength=(LONGEST_TEXT) readonly autocomplete="off" {
                (TEXT) } }
            (value("SHA-256", "hash", &DataHash::of(TEXT).to_string()))
            output.learn-status data-out="status" {}
        }
    }
}

fn block_exercise(block: &Block) -> Markup {
    html! {
        section #learn-block {
            h2 { "2. A block: a page that is hard to write" }
            p { "A block is some data and a few numbers. Everything except the nonce is hashed into a seal. The seal \
                and the nonce are hashed into the hash of the block. The block is valid only if this hash is small \
                enough: not larger than the target, the largest hash allowed. There is no way to compute a nonce that \
                gives a small hash, so miners try one nonce after another. The difficulty is how many tries that takes \
                on average." }
            p { strong { "Try: " } "change the data. The seal and the hash change, and the block turns red because the \
                new hash is too large. Press “Mine”, and your browser searches for a nonce that makes it small again. \
                Then double the difficulty and mine again." }
            (card(block, CardForm::Whole))
            (mining_bar())
        }
    }
}

fn chain_exercise(blocks: &[Block]) -> Markup {
    html! {
        section #learn-chain {
            h2 { "3. A chain: every block is tied to the one before" }
            p { "Each block contains the hash of the block before, in the field prev_hash. If you change an old block, \
                its hash changes, so the next block points at a block that no longer exists. All blocks after it \
                become invalid too." }
            p { strong { "Try: " } "change the data of block 2. Blocks 2 to 4 turn red, and each says why. Then mine \
                them again, in order; mining also writes the new hash of the block before into prev_hash. The older \
                the block, the more work a forger has to do." }
            div.learn-chain data-chain { @for block in blocks { (card(block, CardForm::Compact)) } }
            p { button type="button" data-do="reset" disabled { "Start again" } }
            (mining_bar())
        }
    }
}

fn peers_exercise(blocks: &[Block]) -> Markup {
    html! {
        section #learn-peers {
            h2 { "4. Two peers: whose chain is the right one?" }
            p { "Each peer keeps its own chain and checks every block that others send. If two chains both follow the \
                rules, every peer chooses the chain with the most work: the sum of the difficulties of its blocks. \
                Nobody votes, and nobody is in charge." }
            p { strong { "Try: " } "change a block in Alice's chain and press “Compare”. Her chain is now invalid, so \
                she takes Bob's. Change a block again, mine the broken blocks again, and compare: her chain has as \
                much work as Bob's, so neither switches. Now add a block to her chain and compare: it has more \
                work, so Bob takes it. Anyone who can out-mine everybody else can rewrite the past. In a large network \
                that is expensive." }
            div.learn-peers {
                (peer("alice", "Alice", blocks))
                (peer("bob", "Bob", blocks))
            }
            p.learn-buttons {
                button.primary type="button" data-do="compare" disabled { "Compare" }
                button type="button" data-do="reset" disabled { "Start again" }
            }
            (mining_bar())
            // A copy of block 1, since the card of genesis has no fields to change.
            template { (card(&blocks[1], CardForm::Compact)) }
        }
    }
}

fn peer(id: &str, name: &str, blocks: &[Block]) -> Markup {
    let work: u64 = blocks.iter().map(|block| block.header().difficulty.value()).sum();
    html! {
        div.learn-peer data-peer=(id) role="group" aria-label={ (name) "'s chain" } {
            h3 { (name) "'s chain" }
            p { "Total work: " strong data-out="work" { (work) } }
            div.learn-stack data-chain { @for block in blocks { (card(block, CardForm::Compact)) } }
            label { "Data of the next block"
                input name="next" value={ (name) "'s block" } maxlength=(LONGEST_TEXT) readonly autocomplete="off"; }
            label { "Its difficulty"
                select name="difficulty" disabled autocomplete="off" {
                    option value="65536" selected { "65536, like the others" }
                    option value="262144" { "262144, four times as hard" }
                } }
            p.muted { "In a real network, the rules decide the difficulty of the next block." }
            p.learn-buttons {
                button type="button" data-do="add" disabled { "Add a block" }
                button type="button" data-do="repair" disabled { "Mine broken blocks again" }
            }
        }
    }
}

fn signature_exercise(signed: &Signed) -> Markup {
    let public_key: String = signed.public_key.iter().map(|byte| format!("{byte:02x}")).collect();
    html! {
        section #learn-signature {
            h2 { "5. A signature: only you can make it, everyone can check it" }
            p { "A key pair is two numbers that belong together. The owner keeps the private key secret and signs \
                messages with it. Everyone may know the public key, and can check with it who signed a message. In \
                this network your address is your public key, and your payments are valid only with your signature." }
            p { strong { "Try: " } "change one letter of the message, or one digit of the signature: the check fails. \
                Sign again, and it succeeds. Make another key pair: your old signature does not match it." }
            div.card.learn-signed data-state="good" {
                (value("Public key", "public-key", &public_key))
                label { "Message"
                    textarea name="message" rows="2" maxlength=(LONGEST_TEXT) readonly autocomplete="off" {
                        (signed.message) } }
                label { "Signature"
                    textarea name="signature" rows="4" maxlength="200" readonly autocomplete="off" spellcheck="false" {
                        (signed.signature.to_string())
                    } }
                output.learn-status data-out="status" { "✓ Yes: the owner of the private key has signed exactly this \
                    message." }
                p.learn-buttons {
                    button.primary type="button" data-do="sign" disabled { "Sign the message" }
                    button type="button" data-do="new-key" disabled { "Make another key pair" }
                }
            }
        }
    }
}

/// Which fields of a block readers can change.
#[derive(Clone, Copy, PartialEq, Eq)]
enum CardForm {
    /// All fields.
    Whole,
    /// The data only. Less important fields are folded.
    Compact,
}

fn card(block: &Block, form: CardForm) -> Markup {
    let header = block.header();
    let target = header.difficulty.target();
    let is_good = target.is_met_by(&header.hash());
    html! {
        fieldset.card.learn-block data-index=(header.index) data-state=(if is_good { "good" } else { "bad" }) {
            legend { "Block " span data-out="name" { (header.index) } }
            p.learn-verdict data-out="verdict" { (if is_good { "✓ Valid" } else { "✗ Not valid" }) }
            @if form == CardForm::Whole {
                (whole(block))
                (value("Target: the largest valid hash", "target", &target.to_string()))
            } @else {
                (compact(block))
            }
            (value("hash", "hash", &header.hash().to_string()))
            @if form == CardForm::Whole || header.index.0 > 0 {
                p { button type="button" data-do="mine" disabled { "Mine" } }
            }
        }
    }
}

fn whole(block: &Block) -> Markup {
    let header = block.header();
    html! {
        div.learn-fields {
            (input("index", &header.index.to_string(), 16, "the number of blocks before"))
            (input("timestamp", &header.timestamp.to_string(), 24, "the time of mining, as the miner states it"))
            (input("difficulty", &header.difficulty.to_string(), 16, "how many tries mining takes on average"))
            (input("nonce", &header.nonce().to_string(), 16, "the number that miners try out"))
        }
        (input("prev_hash", &header.prev_hash.to_string(), 64, "the hash of the block before"))
        label { "data" textarea data-field="data" rows="2" maxlength=(LONGEST_TEXT) readonly autocomplete="off" {
            (block.data()) } }
        (value("data_hash: SHA-256 of the data", "data-hash", &header.data_hash.to_string()))
        (value("seal: SHA-256 of index, prev_hash, timestamp, difficulty and data_hash", "seal",
            &header.seal().to_string()))
    }
}

fn compact(block: &Block) -> Markup {
    let header = block.header();
    // Genesis is given: another genesis would be another network.
    let is_changeable = header.index.0 > 0;
    html! {
        label { "data" input data-field="data" value=(block.data()) maxlength=(LONGEST_TEXT) readonly
            data-fixed[!is_changeable] autocomplete="off"; }
        (fixed("prev_hash", &header.prev_hash.to_string()))
        (fixed("nonce", &header.nonce().to_string()))
        details {
            summary { "The other fields" }
            (fixed("index", &header.index.to_string()))
            (fixed("timestamp", &header.timestamp.to_string()))
            (fixed("difficulty", &header.difficulty.to_string()))
            (value("data_hash", "data-hash", &header.data_hash.to_string()))
            (value("seal", "seal", &header.seal().to_string()))
        }
    }
}

/// A field that readers can change.
fn input(field: &str, content: &str, longest: u32, hint: &str) -> Markup {
    html! {
        div.learn-field {
            label { (field) input.hash data-field=(field) value=(content) maxlength=(longest) readonly
                autocomplete="off" spellcheck="false"; }
            small.muted { (hint) }
        }
    }
}

/// A field that only mining changes.
fn fixed(field: &str, content: &str) -> Markup {
    html! { div.learn-value { span.muted { (field) } " " code.hash data-field=(field) { (content) } } }
}

/// A computed value.
fn value(name: &str, out: &str, content: &str) -> Markup {
    html! { div.learn-value { span.muted { (name) } " " code.hash data-out=(out) { (content) } } }
}

/// A coin of an exercise: it is on no network.
fn owned_by(owner: &str, amount: Amount, note: Option<Note>) -> End {
    End { name: owner.to_owned(), address: None, holding: html! { "a coin" }, owner: html! { (owner) }, amount, note }
}

/// The progress of a search, the button that stops it, and its result.
fn mining_bar() -> Markup {
    html! {
        p.learn-buttons {
            button type="button" data-do="stop" disabled { "Stop mining" }
            span.muted data-out="rate" {}
        }
        output.learn-status data-out="status" {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::snapshot;
    use shared::block::{BlockHash, HeaderFields, Height, Nonce, Timestamp};
    use shared::keys::{self, Verifier};
    use shared::ledger::Address;
    use shared::work::Difficulty;

    #[test]
    fn the_page_is_as_reviewed() {
        snapshot("learn", &render());
    }

    /// The scripts have their own SHA-256: its known hashes must be ours.
    #[test]
    fn the_known_hashes_of_the_script_are_right() {
        let script = include_str!("../../assets/sha256.js");
        let (_, table) = script.split_once("const KNOWN = ").unwrap();
        let (table, _) = table.split_once(";\n").unwrap();
        // The table of a script is JSON, except for the comma at its end.
        let known: Vec<(String, DataHash)> = serde_json::from_str(&table.replace(",\n]", "\n]")).unwrap();
        assert!(known.len() >= 4);
        for (text, hash) in known {
            assert_eq!(DataHash::of(&text), hash, "{text:?}");
        }
    }

    #[test]
    fn the_signature_that_is_shown_is_right() {
        let Signed { public_key, message, signature } = examples::signed();
        let signer = Address::of_public_key(&public_key).unwrap();
        let shown = keys::Signed { text: message, signer: &signer, named: &[], signature: &signature };
        assert!(keys::PlainVerifier.verify(&shown).is_ok());
    }

    fn block(data: &str, difficulty: u128) -> Block {
        let fields = HeaderFields {
            index: Height(1),
            prev_hash: BlockHash::ZERO,
            timestamp: Timestamp::EPOCH,
            difficulty: Difficulty::clamped(difficulty),
            data_hash: DataHash::of(data),
        };
        Block::new(fields, Nonce(0), data.to_owned())
    }

    #[test]
    fn hostile_data_stays_text() {
        let hostile = block("\"><script>alert(1)</script>'\u{202e}", 1);
        for form in [CardForm::Whole, CardForm::Compact] {
            let shown = card(&hostile, form).0;
            assert!(!shown.contains("<script"), "{shown}");
            assert!(shown.contains("&quot;&gt;&lt;script&gt;"), "{shown}");
        }
    }

    #[test]
    fn a_block_that_misses_its_target_is_shown_as_bad() {
        assert!(card(&block("x", 1), CardForm::Compact).0.contains("data-state=\"good\""));
        assert!(card(&block("x", 1 << 50), CardForm::Compact).0.contains("data-state=\"bad\""));
    }
}
