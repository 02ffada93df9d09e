//! `browse` notices what no test may overlook: requests to other servers, and errors of the browser.

use crate::lab::Lab;
use shared::params::LayerName;
use testkit::browser::browse;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs chromium and chromedriver"]
#[should_panic(expected = "a request left the explorer")]
async fn a_request_to_another_server_is_noticed() {
    let lab = Lab::quiet(LayerName::Data).await;
    browse(&lab.explorer, "noticed-request", async |tab| tab.leave(&format!("http://{}/running", lab.nodes[0])).await)
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs chromium and chromedriver"]
#[should_panic(expected = "errors in the console")]
async fn an_error_in_the_console_is_noticed() {
    let lab = Lab::quiet(LayerName::Data).await;
    browse(&lab.explorer, "noticed-complaint", async |tab| {
        tab.go("/").await;
        tab.eval("console.error('a complaint')").await;
    })
    .await;
}
