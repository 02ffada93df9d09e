//! The five exercises of the page to learn on, done as their texts ask.

use crate::lab::Lab;
use shared::block::DataHash;
use shared::params::LayerName;
use testkit::browser::Tab;
use testkit::browser::browse;

const CHAIN: &str = "#learn-chain [data-chain]";

/// Opens the page and waits for its scripts.
async fn learn(tab: &Tab) {
    tab.go("/learn").await;
    tab.wait("document.querySelector('#learn')?.dataset.ready === 'true'").await;
}

/// Waits until the blocks of a chain are good or bad as `expected` says, a letter each.
async fn states(tab: &Tab, chain: &str, expected: &str) {
    let states =
        format!("[...document.querySelectorAll('{chain} .learn-block')].map(b => b.dataset.state[0]).join('')");
    tab.wait(&format!("{states} === '{expected}'")).await;
}

/// Presses the button of a block of a chain that mines it.
async fn mine(tab: &Tab, chain: &str, index: usize) {
    tab.click(&format!("{chain} .learn-block[data-index='{index}'] [data-do=mine]")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs chromium and chromedriver"]
async fn a_hash_follows_what_is_typed() {
    let lab = Lab::quiet(LayerName::Data).await;
    browse(&lab.explorer, "learn-hash", async |tab| {
        learn(tab).await;
        for text in ["Hello, World", "<b>naïve</b> ☃ & \"quoted\""] {
            tab.fill("#learn-hash textarea", text).await;
            tab.reads("#learn-hash [data-out=hash]", &DataHash::of(text).to_string()).await;
        }
        let known = "import('/assets/sha256.js').then(module => arguments[0](module.selfTest()))";
        assert_eq!(tab.eval_later(known).await, true, "the script's own test of its hashes");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs chromium and chromedriver"]
async fn a_block_that_was_changed_is_mined_again() {
    let lab = Lab::quiet(LayerName::Data).await;
    browse(&lab.explorer, "learn-block", async |tab| {
        learn(tab).await;
        states(tab, "#learn-block", "g").await;
        tab.fill("#learn-block [data-field=data]", "<script>alert(1)</script>").await;
        states(tab, "#learn-block", "b").await;
        tab.reads("#learn-block [data-out=verdict]", "too large").await;
        tab.click("#learn-block [data-do=mine]").await;
        states(tab, "#learn-block", "g").await;
        // A difficulty that nobody finds a nonce for: the search goes on until it is stopped.
        tab.fill("#learn-block [data-field=difficulty]", "9007199254740991").await;
        tab.click("#learn-block [data-do=mine]").await;
        tab.reads("#learn-block [data-out=rate]", "per second").await;
        tab.click("#learn-block [data-do=stop]").await;
        tab.reads("#learn-block [data-out=status]", "stopped").await;
        states(tab, "#learn-block", "b").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs chromium and chromedriver"]
async fn a_changed_block_breaks_all_blocks_after_it() {
    let lab = Lab::quiet(LayerName::Data).await;
    browse(&lab.explorer, "learn-chain", async |tab| {
        learn(tab).await;
        states(tab, CHAIN, "ggggg").await;
        tab.fill(&format!("{CHAIN} .learn-block[data-index='2'] [data-field=data]"), "all to me").await;
        states(tab, CHAIN, "ggbbb").await;
        tab.reads(&format!("{CHAIN} .learn-block[data-index='3'] [data-out=verdict]"), "prev_hash").await;
        tab.reads("#learn-chain [data-out=status]", "broken at block 2").await;
        tab.scroll_to("#learn-chain h2").await;
        tab.picture("story-5-a-broken-chain").await;
        for (index, after) in [(2, "gggbb"), (3, "ggggb"), (4, "ggggg")] {
            mine(tab, CHAIN, index).await;
            states(tab, CHAIN, after).await;
        }
        tab.reads("#learn-chain [data-out=status]", "whole chain is valid").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs chromium and chromedriver"]
async fn the_chain_with_more_work_wins() {
    let lab = Lab::quiet(LayerName::Data).await;
    let (alice, bob) = ("#learn-peers [data-peer=alice]", "#learn-peers [data-peer=bob]");
    let status = "#learn-peers [data-out=status]";
    browse(&lab.explorer, "learn-peers", async |tab| {
        learn(tab).await;
        // An invalid chain does not win.
        tab.fill(&format!("{alice} .learn-block[data-index='1'] [data-field=data]"), "all to Alice").await;
        states(tab, alice, "gbb").await;
        // With the same work, each keeps their own chain.
        tab.click(&format!("{alice} [data-do=repair]")).await;
        states(tab, alice, "ggg").await;
        tab.click("#learn-peers [data-do=compare]").await;
        tab.reads(status, "same work").await;
        // With more work, her chain wins.
        tab.click(&format!("{alice} [data-do=add]")).await;
        states(tab, alice, "gggg").await;
        tab.click("#learn-peers [data-do=compare]").await;
        tab.reads(status, "reorganisation").await;
        states(tab, bob, "gggg").await;
        let script = format!("document.querySelector(\"{bob} .learn-block[data-index='1'] [data-field=data]\").value");
        assert_eq!(tab.eval(&script).await, "all to Alice");
        // A broken chain is replaced, even if it has more work.
        tab.fill(&format!("{alice} .learn-block[data-index='3'] [data-field=data]"), "and more").await;
        states(tab, alice, "gggb").await;
        tab.click("#learn-peers [data-do=compare]").await;
        tab.reads(status, "does not count").await;
        states(tab, alice, "gggg").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs chromium and chromedriver"]
async fn a_signature_is_of_one_message_by_one_key() {
    let lab = Lab::quiet(LayerName::Data).await;
    let verdict =
        |state| format!("document.querySelector('#learn-signature [data-state]').dataset.state === '{state}'");
    browse(&lab.explorer, "learn-signature", async |tab| {
        learn(tab).await;
        tab.wait(&verdict("good")).await;
        for (field, change) in [("message", "x"), ("signature", "0")] {
            tab.find(&format!("#learn-signature [name={field}]")).await.send_keys(change).await.unwrap();
            tab.wait(&verdict("bad")).await;
            tab.click("#learn-signature [data-do=sign]").await;
            tab.wait(&verdict("good")).await;
        }
        tab.click("#learn-signature [data-do=new-key]").await;
        tab.wait(&verdict("bad")).await;
    })
    .await;
}
