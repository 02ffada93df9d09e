//! Buttons that copy, cards instead of tables on a phone, and the drawing of a block.

use crate::lab::{LAB, Lab, key};
use shared::params::LayerName;
use testkit::browser::browse;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs chromium and chromedriver"]
async fn every_hash_and_address_has_a_button_that_copies_the_whole_of_it() {
    let lab = Lab::quiet(LayerName::Transaction).await;
    browse(&lab.explorer, "copying", async |tab| {
        lab.mine(0, 1).await;
        lab.agree().await;
        let to = key("bob").address();
        let id = lab.pay("miner 0", &to, LAB, 1000, "for lunch").await.id();
        let tip = lab.tip(0).await.hash;
        let lacking = "[...document.querySelectorAll('main :is(a.hash, code.hash, a.who)')].filter(e => \
             /^([0-9a-f]{64}|lab1.{59})$/.test(e.title || e.textContent) && !e.closest('.copyable') && \
             !e.nextElementSibling?.matches('.copy-beside')).map(e => e.textContent)";
        for path in [
            "/blocks".to_owned(),
            format!("/block/{tip}"),
            "/transactions".to_owned(),
            format!("/transaction/{id}"),
            "/".to_owned(),
            "/learn".to_owned(),
            format!("/address/{to}"),
        ] {
            tab.go(&path).await;
            tab.wait("document.querySelector('.copy-beside') !== null").await;
            assert_eq!(tab.eval(lacking).await, serde_json::json!([]), "{path}");
            // Without scripts, there is no button.
            assert!(!tab.sent(&path).await.contains("copy-beside"), "{path}");
        }
        // The clipboard is out of reach of a test, so it is watched.
        tab.eval("navigator.clipboard.writeText = async (text) => { window.copied = text; }").await;
        tab.click("code.hash + .copy-beside").await;
        tab.wait(&format!("window.copied === '{to}'")).await;
        tab.reads(".copy-beside.done", "copied").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs chromium and chromedriver"]
async fn people_and_blocks_of_the_first_page_are_copied_without_moving_anything() {
    let lab = Lab::quiet(LayerName::Transaction).await;
    browse(&lab.explorer, "copying-stage", async |tab| {
        lab.mine(0, 2).await;
        let tip = lab.agree().await.hash;
        tab.go("/").await;
        // It is seen only under the pointer.
        tab.wait("document.querySelector('#people .copy-beside') !== null").await;
        tab.wait("document.querySelectorAll('#chain .copy-block').length === 3").await;
        let boxes = "[...document.querySelectorAll('#people li, #people .balance, #chain')].map(e => \
             JSON.stringify(e.getBoundingClientRect()))";
        let with = tab.eval(boxes).await;
        tab.eval("document.querySelectorAll('.copy-beside, .copy-block').forEach(e => e.remove())").await;
        assert_eq!(tab.eval(boxes).await, with, "a button takes room");
        // New blocks have theirs too.
        lab.mine(1, 1).await;
        tab.wait("document.querySelectorAll('#chain .copy-block').length === 4").await;
        tab.eval("navigator.clipboard.writeText = async (text) => { window.copied = text; }").await;
        let press = format!(
            "document.querySelector('#chain a[data-key=\"{tip}\"] + .copy-block').dispatchEvent(new \
             MouseEvent('click', {{ bubbles: true }}))"
        );
        tab.eval(&press).await;
        tab.wait(&format!("window.copied === '{tip}'")).await;
        assert_eq!(tab.path().await, "/", "the block's link was not followed");
        let ada = key("miner 0").address();
        let beside = format!("document.querySelector('#people [data-key=\"{ada}\"] .copy-beside')");
        // People are drawn again when their balances change.
        tab.wait(&format!("{beside} !== null")).await;
        tab.eval(&format!("{beside}.click()")).await;
        tab.wait(&format!("window.copied === '{ada}'")).await;
        // A browser that gives no clipboard, as on an address without TLS, has the older way.
        tab.eval("navigator.clipboard.writeText = async () => { throw 0; }").await;
        tab.eval(
            "document.execCommand = (what) => { window.copied = [what, getSelection().toString()]; return true; }",
        )
        .await;
        tab.eval(&press).await;
        tab.wait("window.copied[0] === 'copy'").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs chromium and chromedriver"]
async fn on_a_phone_rows_are_cards_and_nothing_is_beyond_the_edge() {
    let lab = Lab::quiet(LayerName::Transaction).await;
    browse(&lab.explorer, "phone-pages", async |tab| {
        lab.mine(0, 1).await;
        lab.agree().await;
        lab.pay("miner 0", &key("miner 1").address(), LAB, 1000, "for lunch").await;
        tab.resize(360, 740).await;
        let beyond = "[...document.querySelectorAll('main :is(td, th, dd, p, h1, h2, a, button, input)')].filter(e => \
             e.checkVisibility() && !e.closest('.scroll, .top, pre, ol, svg') && e.getBoundingClientRect().right > \
             innerWidth + 1).map(e => `${e.localName} ${e.textContent.slice(0, 40)}`)";
        for path in [
            "/".to_owned(),
            "/blocks".to_owned(),
            "/block/1".to_owned(),
            "/block/0".to_owned(),
            "/transactions".to_owned(),
            format!("/address/{}", key("miner 0").address()),
            format!("/node/{}", lab.nodes[0]),
            "/charts".to_owned(),
        ] {
            tab.go(&path).await;
            tab.wait("document.readyState === 'complete'").await;
            tab.fits().await;
            assert_eq!(tab.eval(beyond).await, serde_json::json!([]), "{path}");
        }
        tab.go("/transactions").await;
        assert_eq!(tab.eval("getComputedStyle(document.querySelector('.table thead')).display").await, "none");
        tab.picture("phone-transactions").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs chromium and chromedriver"]
async fn a_block_is_drawn_before_its_contents_are_listed() {
    let lab = Lab::quiet(LayerName::Transaction).await;
    browse(&lab.explorer, "block", async |tab| {
        lab.mine(0, 2).await;
        lab.agree().await;
        tab.go("/block/2").await;
        tab.reads("h1", "after block 1").await;
        tab.reads(".proof", "hashes is this small").await;
        let order = "[...document.querySelectorAll('main h2')].map(h => h.textContent)";
        let expected =
            ["Header and hash", "Contents", "The same bytes at three levels", "Check it yourself", "For programs"];
        assert_eq!(tab.eval(order).await, serde_json::json!(expected));
        let width = "document.querySelector('.under .hash').getBoundingClientRect().width <= \
                     document.querySelector('.under .target').getBoundingClientRect().width";
        assert_eq!(tab.eval(width).await, true);
        // An open explanation does not move the value.
        let left = "document.querySelector('.proof dd').getBoundingClientRect().left";
        let before = tab.eval(left).await;
        tab.click(".proof dt summary").await;
        assert_eq!(tab.eval(left).await, before);
        tab.picture("block").await;
        tab.go("/block/0").await;
        tab.reads("#data + p", "rules of this network").await;
        tab.reads("main", "for finding a block").await;
        tab.picture("genesis").await;
        tab.go(&format!("/address/{}", key("miner 0").address())).await;
        tab.reads("#balances", "of which 100.00").await;
        tab.picture("address").await;
    })
    .await;
}
