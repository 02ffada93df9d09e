//! Every page, wide and on a phone, light and dark: it is accessible, fits the window, and a screenshot is made.

use crate::lab::{LAB, Lab, key};
use testkit::browser::Tab;
use testkit::browser::{browse, pictures};

const WIDE: u32 = 1200;
const PHONE: u32 = 390;

/// What every page must have.
pub(crate) async fn is_accessible(tab: &Tab, path: &str) {
    for (what, selector) in [
        ("fields without a label", "input:not([type=hidden]), textarea, select"),
        ("buttons and links without a name", "button, a[href]"),
    ] {
        let nameless = format!(
            "[...document.querySelectorAll('{selector}')].filter(e => !e.labels?.length && !e.ariaLabel && !e.title \
             && !e.getAttribute('aria-labelledby') && !e.textContent.trim()).map(e => e.outerHTML.slice(0, 120))"
        );
        assert_eq!(tab.eval(&nameless).await, serde_json::json!([]), "{path}: {what}");
    }
    let levels = tab
        .eval("[...document.querySelectorAll('h1,h2,h3,h4')].filter(h => h.checkVisibility()).map(h => +h.tagName[1])")
        .await;
    let levels: Vec<u64> = serde_json::from_value(levels).unwrap();
    assert_eq!(levels.iter().filter(|level| **level == 1).count(), 1, "{path}: {levels:?}");
    assert!(
        levels.windows(2).all(|pair| pair[1] <= pair[0] + 1),
        "{path}: a level of headings is left out: {levels:?}"
    );
    assert_eq!(tab.count("th:not([scope])").await, 0, "{path}: a th without scope");
    // The page as it was sent, since scripts may set styles.
    let sent = tab.sent(path).await;
    for forbidden in [" style=", "<style", " onclick=", "javascript:"] {
        assert!(!sent.contains(forbidden), "{path}: {forbidden}");
    }
    assert_eq!(tab.count("script:not([src])").await, 0, "{path}: an inline script");
    let twice = "[...document.querySelectorAll('[id]')].map(e => e.id).filter((id, i, all) => all.indexOf(id) !== i)";
    assert_eq!(tab.eval(twice).await, serde_json::json!([]), "{path}: an id is there twice");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs chromium and chromedriver"]
async fn every_page_fits_is_named_and_has_no_errors() {
    let lab = Lab::mining().await;
    println!("pictures: {}", pictures().display());
    let (ada, bob) = (key("miner 0").address(), key("bob").address());
    browse(&lab.explorer, "tour", async |tab| {
        testkit::until("the first miner has money", async || {
            let balance = crate::lab::client().balance(lab.mempool.as_ref().unwrap(), &ada, 1).await.ok()?;
            (balance >= 20 * LAB).then_some(())
        })
        .await;
        lab.split().await;
        let paid =
            lab.pay("miner 0", &bob, 3 * LAB, 100_000, "for lunch, and a very long message that goes on and on").await;
        testkit::until("the payment is in a block", async || {
            let status = crate::lab::client().transaction(lab.mempool.as_ref().unwrap(), &paid.id()).await.ok()?;
            status.block.map(|_| ())
        })
        .await;
        lab.heal().await;
        for number in 0..4 {
            lab.pay("miner 0", &bob, LAB + number, 1000 * (number + 1), "waiting").await;
        }
        testkit::until("the explorer has block 5", async || {
            let page = testkit::http().get(format!("http://{}/block/5", lab.explorer)).send().await.ok()?;
            page.status().is_success().then_some(())
        })
        .await;
        let pages = [
            ("network", "/".to_owned()),
            ("blocks", "/blocks".to_owned()),
            ("genesis", "/block/0".to_owned()),
            ("block", "/block/5".to_owned()),
            ("transactions", "/transactions".to_owned()),
            ("transaction", format!("/transaction/{}", paid.id())),
            ("address", format!("/address/{ada}")),
            ("charts", "/charts".to_owned()),
            ("learn", "/learn".to_owned()),
            ("wallet", "/wallet".to_owned()),
            ("node", format!("/node/{}", lab.nodes[0])),
            ("search", "/search?q=lab1".to_owned()),
            ("not-found", "/nothing/here".to_owned()),
        ];
        for (name, path) in &pages {
            tab.resize(WIDE, 900).await;
            tab.go(path).await;
            tab.settled().await;
            is_accessible(tab, path).await;
            tab.fits().await;
            tab.whole_picture(&format!("{name}-wide"), WIDE).await;
            tab.resize(PHONE, 844).await;
            tab.fits().await;
            tab.whole_picture(&format!("{name}-phone"), PHONE).await;
            tab.dark(true).await;
            tab.fits().await;
            tab.whole_picture(&format!("{name}-phone-dark"), PHONE).await;
            tab.dark(false).await;
            if *name == "not-found" {
                tab.forget_missing_pages().await;
            }
            tab.nothing_was_wrong().await;
        }
        tab.dark(true).await;
        tab.resize(WIDE, 900).await;
        tab.go("/").await;
        tab.settled().await;
        tab.whole_picture("network-wide-dark", WIDE).await;
    })
    .await;
}
