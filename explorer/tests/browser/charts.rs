//! The page of charts: its axis, the values under the pointer, the marks of a split, and the files.

use crate::lab::{LAB, Lab, key};
use shared::params::LayerName;
use testkit::browser::{Tab, browse};
use testkit::{http, until};

const NAMES: [&str; 9] =
    ["difficulty", "interval", "hashrate", "spread", "forks", "transactions", "pool", "fees", "finders"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs chromium and chromedriver"]
async fn a_chart_is_by_height_or_by_clock_and_has_values_and_files() {
    let lab = Lab::quiet(LayerName::Transaction).await;
    busy(&lab).await;
    browse(&lab.explorer, "charts", async |tab| {
        tab.go("/charts?blocks=500").await;
        for name in NAMES.iter().filter(|name| **name != "finders") {
            tab.find(&format!("#{name}-chart svg.chart")).await;
        }
        axis_is(tab, "difficulty", "height").await;
        // The switch keeps the range, and the range keeps the axis.
        tab.click("main nav a[href*='by=clock'][href*='blocks=500']").await;
        tab.wait("location.search === '?blocks=500&by=clock'").await;
        axis_is(tab, "difficulty", "time (UTC)").await;
        tab.click("main nav a[href*='blocks=1000']").await;
        tab.wait("location.search === '?blocks=1000&by=clock'").await;
        values_and_bands(tab).await;
        tab.picture("charts-by-clock").await;
        tab.click("main nav a[href$='blocks=1000']:not([href*='by='])").await;
        tab.wait("location.search === '?blocks=1000'").await;
        axis_is(tab, "fees", "height").await;
        tab.picture("charts-by-height").await;
        files(tab).await;
        // The chart's own links lead to blocks.
        let link = "document.querySelector('#transactions-chart a:has(.hit)').getAttribute('href')";
        assert_eq!(tab.eval(link).await, "/block/1");
    })
    .await;
}

/// A payment, a split with a block on either side, and its healing.
async fn busy(lab: &Lab) {
    lab.mine(0, 2).await;
    lab.agree().await;
    lab.pay("miner 0", &key("bob").address(), LAB, 1000, "for bob").await;
    until("the payment is in a block", async || {
        lab.mine(1, 1).await;
        lab.agree().await;
        let page = http().get(format!("http://{}/charts/fees.csv", lab.explorer)).send().await.ok()?;
        (page.text().await.ok()?.lines().count() > 1).then_some(())
    })
    .await;
    lab.split().await;
    lab.mine(0, 1).await;
    lab.mine(2, 2).await;
    lab.heal().await;
    lab.agree().await;
    lab.mine(3, 1).await;
    lab.agree().await;
    let table = async |name: &str| {
        let sent = http().get(format!("http://{}/charts/{name}.csv?blocks=500", lab.explorer)).send().await.ok()?;
        sent.text().await.ok()
    };
    until("the explorer has seen it heal", async || {
        table("splits").await?.lines().nth(1).is_some_and(|line| !line.ends_with(',')).then_some(())
    })
    .await;
    // It asks the mempool every two seconds, and all this may have taken less.
    until("the explorer has asked the mempool since the first block", async || {
        (table("pool").await?.lines().count() > 1).then_some(())
    })
    .await;
}

async fn axis_is(tab: &Tab, name: &str, label: &str) {
    let shown = format!("[...document.querySelectorAll('#{name}-chart text.label')].map(e => e.textContent)[0]");
    assert_eq!(tab.eval(&shown).await, label, "{name}");
}

async fn values_and_bands(tab: &Tab) {
    let title =
        |name: &str| format!("[...document.querySelectorAll('#{name}-chart .hit title')].map(e => e.textContent)");
    for (name, part) in [
        ("difficulty", "block 1: 1,000 hashes"),
        ("transactions", "1 transactions"),
        ("fees", "grains per byte"),
        ("pool", " wait, "),
        ("spread", " ms"),
    ] {
        let shown = tab.eval(&title(name)).await;
        let shown: Vec<&str> = shown.as_array().unwrap().iter().map(|title| title.as_str().unwrap()).collect();
        assert!(shown.iter().any(|title| title.contains(part)), "{name}: {shown:?}");
    }
    // What is under the pointer is the part that has the value.
    tab.scroll_to("#difficulty-chart svg").await;
    let hit = "(() => { const box = document.querySelector('#difficulty-chart .hit').getBoundingClientRect(); return \
        document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2)?.classList.contains('hit'); })()";
    assert_eq!(tab.eval(hit).await, true);
    for name in ["difficulty", "transactions", "pool", "spread"] {
        tab.find(&format!("#{name}-chart .band")).await;
    }
    assert_eq!(tab.eval("document.querySelector('#interval-chart .band')").await, serde_json::Value::Null);
    tab.reads("#splits", "when the network was split: 1 time").await;
}

/// Every chart is a table and a drawing, and the drawing is shown by a browser on its own.
async fn files(tab: &Tab) {
    for name in NAMES {
        let csv = tab.sent(&format!("/charts/{name}.csv?blocks=1000&by=clock")).await;
        assert!(csv.lines().count() > 1 && csv.lines().next().unwrap().contains(','), "{name}: {csv}");
        let svg = tab.sent(&format!("/charts/{name}.svg?blocks=1000&by=clock")).await;
        assert!(svg.starts_with("<svg xmlns="), "{svg}");
        let parsed = format!(
            "(() => {{ const file = new DOMParser().parseFromString({}, 'image/svg+xml'); return \
             [file.querySelector('parsererror') === null, file.documentElement.localName]; }})()",
            serde_json::json!(svg)
        );
        assert_eq!(tab.eval(&parsed).await, serde_json::json!([true, "svg"]), "{name}");
    }
    let linked = "[...document.querySelectorAll('.charts a[href*=\".svg\"]')].length";
    assert_eq!(tab.eval(linked).await, NAMES.len());
}
