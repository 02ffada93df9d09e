//! Hostile text in blocks and messages stays text.

use crate::lab::{Lab, key};
use shared::params::LayerName;
use testkit::browser::Tab;
use testkit::browser::browse;

const HOSTILE: &str = "</pre></script><script>window.hacked=1</script><img src=x onerror=window.hacked=1>\"' \
    onload=\"window.hacked=1 \u{202e}txet \u{2066}x";

/// Checks that a page shows the hostile text, and only as text.
async fn is_only_text(tab: &Tab, path: &str) {
    tab.go(path).await;
    // Long texts are folded, so their text is not visible.
    tab.wait("document.querySelector('main').textContent.includes('<script>window.hacked=1</script>')").await;
    is_harmless(tab, path).await;
}

async fn is_harmless(tab: &Tab, path: &str) {
    assert_eq!(tab.eval("typeof window.hacked").await, "undefined", "{path}");
    assert_eq!(tab.count("main img[src=x], main script, [onload], [onerror]").await, 0, "{path}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs chromium and chromedriver"]
async fn hostile_data_of_blocks_stays_text() {
    let lab = Lab::quiet(LayerName::Data).await;
    browse(&lab.explorer, "hostile-data", async |tab| {
        let hash = lab.mine_data(0, 1, Some(HOSTILE)).await.remove(0);
        let long = format!("{HOSTILE}{}", "wide ".repeat(20_000));
        lab.mine_data(0, 1, Some(&long)).await;
        lab.mine_data(0, 1, Some("\u{7}bell \u{1b}[31mred")).await;
        lab.agree().await;
        for path in ["/block/1", "/block/2", &format!("/block/{hash}")] {
            is_only_text(tab, path).await;
            tab.fits().await;
        }
        for path in ["/", "/blocks", "/block/3", "/charts", &format!("/node/{}", lab.nodes[0])] {
            tab.go(path).await;
            is_harmless(tab, path).await;
            tab.fits().await;
        }
        for (path, words) in [
            ("/transactions", "no money"),
            ("/wallet", "no money"),
            (&*format!("/address/{}", key("bob").address()), "no money"),
        ] {
            tab.go(path).await;
            tab.reads("main", words).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs chromium and chromedriver"]
async fn hostile_messages_of_payments_stay_text() {
    let lab = Lab::quiet(LayerName::Transaction).await;
    browse(&lab.explorer, "hostile-message", async |tab| {
        lab.mine(0, 1).await;
        lab.agree().await;
        let bob = key("bob").address();
        let id = lab.pay("miner 0", &bob, 5, 1000, HOSTILE).await.id();
        is_only_text(tab, "/transactions").await;
        lab.mine(0, 1).await;
        lab.agree().await;
        for path in ["/block/2", &format!("/transaction/{id}"), &format!("/address/{bob}")] {
            is_only_text(tab, path).await;
            assert!(!tab.text("main").await.contains('\u{202e}'), "{path}: a control character turns the text around");
            tab.fits().await;
        }
    })
    .await;
}
