//! A proxy that does not pass on the host makes the explorer refuse what pages send. The page says why, and stops.

use crate::lab::Lab;
use crate::proxy::{HostHeader, Proxy};
use crate::wallet;
use shared::params::LayerName;
use testkit::browser::browse;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs chromium and chromedriver"]
async fn a_refused_page_says_why_and_stops_asking() {
    let lab = Lab::quiet(LayerName::Transaction).await;
    let proxy = Proxy::to(&lab.explorer, HostHeader::Replaced).await;
    browse(&proxy.address, "refused", async |tab| {
        wallet::make(tab, "Mine").await;
        tab.click("#earn-mine").await;
        tab.reads("#earn-status", "may not change anything").await;
        tab.wait("document.querySelector('#earn-stop').hidden").await;
        let asked = "performance.getEntriesByType('resource').filter(e => e.name.includes('/api/work')).length";
        assert_eq!(tab.eval(asked).await, 2, "one offer, one solution that was refused");
        // A split needs a block.
        lab.mine(0, 1).await;
        tab.go("/").await;
        tab.click("[data-split=split]").await;
        tab.reads("#head .act", "may not change anything").await;
        tab.forget_refusals(403).await;
    })
    .await;
}
