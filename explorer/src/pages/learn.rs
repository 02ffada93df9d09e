//! The page to learn on: five exercises that are changed until they break. The server sends real examples, and from then
//! on everything happens in the browser (`assets/learn*.js`): nothing is sent, nothing is asked.
//!
//! What scripts and browser tests hold on to:
//! - a `<section>` an exercise: `learn-hash`, `learn-block`, `learn-chain`, `learn-peers`, `learn-signature`. The box
//!   around them, `#learn`, gets `data-ready="true"`, or `"false"` if `sha256.js` fails its self-test;
//! - `[data-out]` is what is computed (`hash`, `seal`, `rate`, `status`, …), `[data-do]` a button (`mine`, `stop`,
//!   `reset`, `add`, `repair`, `compare`, `new-key`, `sign`), both by their name within their exercise;
//! - `.learn-block` is a block: `data-index`, `data-state="good"` or `"bad"`, and a `[data-field]` for every field of
//!   docs/protocol.md §3 but the hashes. A list of them is a `[data-chain]`; a peer is a `[data-peer]`;
//! - the signature's verdict is `#learn-signature [data-state]`.

mod examples;

use crate::state::ExplorerState;
use crate::view::Page;
use examples::Signed;
use maud::{Markup, html};
use runtime::server::{Request, Response};
use shared::block::{Block, DataHash};
use shared::wire::Problem;
use std::sync::Arc;

const INTRODUCTION: &str = "A blockchain is made of a few small ideas. Here you can take each of them into your hands: \
    change something, and watch what breaks. Nothing that you do here leaves your browser.";

/// The longest text that an exercise takes.
const LONGEST_TEXT: u32 = 2000;

pub(crate) async fn page(_: Arc<ExplorerState>, _: Request) -> Result<Response, Problem> {
    Ok(Page { title: "Learn", place: "/learn", scripts: &["learn.js"], main: render() }.response())
}

fn render() -> Markup {
    let (chain, next) = examples::blocks();
    html! {
        h1 { "Learn by breaking things" }
        p { (INTRODUCTION) }
        noscript { p.card { "Without JavaScript you see the examples, but you cannot change them." } }
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
            p { "A hash is a number that is computed from a text, always the same one from the same text. Ours is SHA-256, "
                "and we write it with 64 digits, 0 to 9 and a to f. Nobody knows a way back from the hash to the text." }
            p { strong { "Try: " } "change a single letter. About half of the hash's 256 bits change, and nobody can say \
                beforehand which. Change it back, and the old hash is there again." }
            label { "Your text" textarea name="text" rows="3" maxlength=(LONGEST_TEXT) readonly autocomplete="off" { (TEXT) } }
            (value("SHA-256", "hash", &DataHash::of(TEXT).to_string()))
            output.learn-status data-out="status" {}
        }
    }
}

fn block_exercise(block: &Block) -> Markup {
    html! {
        section #learn-block {
            h2 { "2. A block: a page that was hard to write" }
            p { "A block is some data with a few numbers. All of it but the nonce is hashed into a seal; seal and nonce are \
                hashed into the block's own hash. The block is valid only if that hash is small enough, at most the target. \
                Nobody can aim at a small hash: miners try one nonce after another. The difficulty says how many tries that \
                takes on average." }
            p { strong { "Try: " } "change the data. The seal and the hash change, and the block turns red, for the new hash \
                is too large. Press “Mine”, and your browser looks for a nonce that makes it small again. Then double \
                the difficulty and mine once more." }
            (card(block, CardForm::Whole))
            (mining_bar())
        }
    }
}

fn chain_exercise(blocks: &[Block]) -> Markup {
    html! {
        section #learn-chain {
            h2 { "3. A chain: every block holds on to the one before" }
            p { "Each block has the hash of the one before it in its field prev_hash. So who changes an old block changes its \
                hash, and the next block names a block that is not there any more. Everything after it falls too." }
            p { strong { "Try: " } "change the data of block 2. Blocks 2 to 4 turn red, and each says why. Then mine them \
                again, in order: mining also writes the new hash of the block before into prev_hash. The older the block, \
                the more work its forger has to do." }
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
            p { "Everybody keeps a chain of their own and checks all that others send. Of two chains that keep the rules, \
                everybody takes the one with the most work: the sum of the difficulties of its blocks. No voting, no boss." }
            p { strong { "Try: " } "change a block at Alice's and press “Compare”: nobody believes her, and she is given Bob's chain. \
                Change it again, mine again what is broken, and compare: as much work as Bob's, so neither gives in. Now add \
                a block to hers and compare: Bob takes her chain, for it has more work. Who can out-mine everybody else can \
                rewrite the past; a large network makes that expensive." }
            div.learn-peers {
                (peer("alice", "Alice", blocks))
                (peer("bob", "Bob", blocks))
            }
            p.learn-buttons {
                button.primary type="button" data-do="compare" disabled { "Compare" }
                button type="button" data-do="reset" disabled { "Start again" }
            }
            (mining_bar())
            // Not of genesis, which cannot be changed: what is added can be.
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
                    option value="65536" selected { "65536, as the others" }
                    option value="262144" { "262144, four times as hard" }
                } }
            p.muted { "In a real network the rules say how hard the next block is." }
            p.learn-buttons {
                button type="button" data-do="add" disabled { "Add a block" }
                button type="button" data-do="repair" disabled { "Mine again what is broken" }
            }
        }
    }
}

fn signature_exercise(signed: &Signed) -> Markup {
    let public_key: String = signed.public_key.iter().map(|byte| format!("{byte:02x}")).collect();
    html! {
        section #learn-signature {
            h2 { "5. A signature: only you can say it, everybody can check it" }
            p { "A key pair is two numbers that belong together. With the private key, which its owner keeps, a message is \
                signed; with the public key, which everybody may know, anybody can check who signed it. In this network your \
                address is your public key, and a payment counts only with your signature." }
            p { strong { "Try: " } "change one letter of the message, or one digit of the signature: the check says no. Sign \
                again, and it says yes. Make another key pair: your old signature is not from this one." }
            div.card.learn-signed data-state="good" {
                (value("Public key", "public-key", &public_key))
                label { "Message"
                    textarea name="message" rows="2" maxlength=(LONGEST_TEXT) readonly autocomplete="off" { (signed.message) } }
                label { "Signature"
                    textarea name="signature" rows="4" maxlength="200" readonly autocomplete="off" spellcheck="false" {
                        (signed.signature.to_string())
                    } }
                output.learn-status data-out="status" { "✓ Yes: who has the private key has signed exactly this message." }
                p.learn-buttons {
                    button.primary type="button" data-do="sign" disabled { "Sign the message" }
                    button type="button" data-do="new-key" disabled { "Make another key pair" }
                }
            }
        }
    }
}

/// How much of a block can be changed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum CardForm {
    /// Every field.
    Whole,
    /// Its data only; what matters less is folded away.
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
                (value("Target: the largest hash that will do", "target", &target.to_string()))
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
            (input("index", &header.index.to_string(), 16, "how many blocks came before"))
            (input("timestamp", &header.timestamp.to_string(), 24, "when its miner says that it was made"))
            (input("difficulty", &header.difficulty.to_string(), 16, "how many tries it takes on average"))
            (input("nonce", &header.nonce().to_string(), 16, "the number that miners vary"))
        }
        (input("prev_hash", &header.prev_hash.to_string(), 64, "the hash of the block before"))
        label { "data" textarea data-field="data" rows="2" maxlength=(LONGEST_TEXT) readonly autocomplete="off" { (block.data()) } }
        (value("data_hash: SHA-256 of the data", "data-hash", &header.data_hash.to_string()))
        (value("seal: SHA-256 of index, prev_hash, timestamp, difficulty and data_hash", "seal", &header.seal().to_string()))
    }
}

fn compact(block: &Block) -> Markup {
    let header = block.header();
    // Genesis is given: who changes it is in another network.
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

/// A field of a block that can be changed.
fn input(field: &str, content: &str, longest: u32, hint: &str) -> Markup {
    html! {
        div.learn-field {
            label { (field) input.hash data-field=(field) value=(content) maxlength=(longest) readonly autocomplete="off" spellcheck="false"; }
            small.muted { (hint) }
        }
    }
}

/// A field of a block that only mining changes.
fn fixed(field: &str, content: &str) -> Markup {
    html! { div.learn-value { span.muted { (field) } " " code.hash data-field=(field) { (content) } } }
}

/// What is computed.
fn value(name: &str, out: &str, content: &str) -> Markup {
    html! { div.learn-value { span.muted { (name) } " " code.hash data-out=(out) { (content) } } }
}

/// How the search goes on, how to end it, and what came of it.
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
    fn the_page_is_what_was_looked_at() {
        snapshot("learn", &render());
    }

    /// The scripts hash by themselves: their known answers are ours.
    #[test]
    fn the_known_hashes_of_the_script_are_right() {
        let script = include_str!("../../assets/sha256.js");
        let (_, table) = script.split_once("const KNOWN = ").unwrap();
        let (table, _) = table.split_once(";\n").unwrap();
        // The table of a script is JSON but for the comma at its end.
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
        let shown = keys::Signed { text: message, from: &signer, to: &signer, signature: &signature };
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
