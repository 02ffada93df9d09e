//! chromedriver as a child process, and one browser. Both end with the test, however it ends.

use super::tab::Tab;
use crate::{http, until};
use fantoccini::{Client, ClientBuilder};
use futures_util::FutureExt;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use std::net::TcpListener;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::process::{Child, Command, Stdio};

/// chromedriver; when it is dropped, it is killed and its browser ends with it.
struct Driver {
    child: Child,
    url: String,
}

impl Driver {
    async fn start() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Command::new("chromedriver")
            .arg(format!("--port={port}"))
            .arg("--log-level=OFF")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver starts: is chromium-driver installed?");
        let driver = Self { child, url: format!("http://127.0.0.1:{port}") };
        until("chromedriver answers", async || {
            let status = http().get(format!("{}/status", driver.url)).send().await.ok()?;
            let status: Value = status.json().await.ok()?;
            (status["value"]["ready"] == true).then_some(())
        })
        .await;
        driver
    }

    async fn session(&self) -> Client {
        let capabilities = json!({
            "browserName": "chrome",
            "goog:chromeOptions": {"args": [
                "--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--window-size=1200,900",
                "--no-first-run", "--no-proxy-server", "--hide-scrollbars",
            ]},
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
        });
        let Value::Object(capabilities) = capabilities else { panic!("not an object") };
        ClientBuilder::new(HttpConnector::new()).capabilities(capabilities).connect(&self.url).await.unwrap()
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // The browser ends with its parent.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a test in a browser of its own, with the explorer at `host:port`. At the end the console must have no errors; a
/// failure leaves a screenshot.
pub async fn browse(explorer: &str, name: &str, test: impl AsyncFnOnce(&Tab)) {
    let driver = Driver::start().await;
    let client = driver.session().await;
    let tab = Tab::new(client.clone(), &driver.url, explorer).await;
    let result = AssertUnwindSafe(async {
        test(&tab).await;
        tab.nothing_was_wrong().await;
    })
    .catch_unwind()
    .await;
    if let Err(panic) = result {
        tab.show_failure(name).await;
        let _ = client.close().await;
        resume_unwind(panic);
    }
    client.close().await.unwrap();
}
