//! The search of every page.

use crate::lab::{Lab, key};
use shared::params::LayerName;
use testkit::browser::Tab;
use testkit::browser::browse;

/// Types into the search, presses Enter, and returns the path of the new page.
async fn search(tab: &Tab, text: &str) -> String {
    let before = tab.eval("performance.timeOrigin").await;
    tab.fill("#search", &format!("{text}\n")).await;
    tab.wait(&format!("performance.timeOrigin !== {before} && document.readyState === 'complete'")).await;
    tab.path().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs chromium and chromedriver"]
async fn a_search_finds_a_page_or_explains_why_not() {
    let lab = Lab::quiet(LayerName::Transaction).await;
    browse(&lab.explorer, "search", async |tab| {
        let hash = lab.mine(0, 2).await.remove(0);
        lab.agree().await;
        let bob = key("bob").address();
        let id = lab.pay("miner 0", &bob, 5, 1000, "").await.id().to_string();
        let last = lab.mine(0, 1).await.remove(0);
        lab.agree().await;
        tab.go("/").await;
        tab.reads("#head h1", "block 3").await;
        assert_eq!(search(tab, " 2 ").await, "/block/2");
        for (text, path) in [
            (hash.clone(), format!("/block/{hash}")),
            (hash.to_uppercase(), format!("/block/{hash}")),
            (last[..10].to_owned(), format!("/block/{last}")),
            (id.clone(), format!("/transaction/{id}")),
            (bob.to_string(), format!("/address/{bob}")),
            ("ada".to_owned(), format!("/address/{}", key("miner 0").address())),
            ("B".to_owned(), format!("/node/{}", lab.nodes[1])),
            ("C (Cleo)".to_owned(), format!("/node/{}", lab.nodes[2])),
            (bob.as_str()[..12].to_owned(), format!("/address/{bob}")),
        ] {
            assert_eq!(search(tab, &text).await, path, "{text}");
            assert_eq!(tab.status().await, 200, "{text}");
        }
        search(tab, "lab1").await;
        tab.find(&format!("main a[href='/address/{bob}']")).await;
        tab.find(&format!("main a[href='/address/{}']", key("miner 0").address())).await;
        for nonsense in ["999", "<script>alert(1)</script>", "a cat", &"0".repeat(64), "lab1qqqq"] {
            search(tab, nonsense).await;
            assert_eq!(tab.status().await, 404, "{nonsense}");
            tab.reads("h1", "Not found").await;
            tab.reads("main", "Try the search").await;
        }
        tab.forget_missing_pages().await;
    })
    .await;
}
