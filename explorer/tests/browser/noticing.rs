//! What no test may overlook is not overlooked: the end of `browse` fails where something was wrong.

use crate::lab::Lab;
use shared::params::LayerName;
use testkit::browser::browse;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs chromium and chromedriver"]
#[should_panic(expected = "a request left the explorer")]
async fn a_request_to_somebody_else_is_noticed() {
    let lab = Lab::quiet(LayerName::Data).await;
    browse(&lab.explorer, "noticed-request", async |tab| tab.leave(&format!("http://{}/running", lab.nodes[0])).await)
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs chromium and chromedriver"]
#[should_panic(expected = "errors in the console")]
async fn a_complaint_of_the_browser_is_noticed() {
    let lab = Lab::quiet(LayerName::Data).await;
    browse(&lab.explorer, "noticed-complaint", async |tab| {
        tab.go("/").await;
        tab.eval("console.error('a complaint')").await;
    })
    .await;
}
