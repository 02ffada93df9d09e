//! A tab of the browser, with the actions of a person: go, look, click, type. Every look waits for what it expects,
//! with a bound.

use crate::{DEADLINE, http, until};
use fantoccini::elements::Element;
use fantoccini::{Client, Locator};
use serde_json::{Value, json};
use std::path::PathBuf;

/// A tab that shows pages of one explorer.
pub struct Tab {
    client: Client,
    /// URL of the session at chromedriver, for commands beyond the standard.
    session: String,
    origin: String,
}

impl Tab {
    pub async fn new(client: Client, driver: &str, explorer: &str) -> Self {
        let session = client.session_id().await.unwrap().unwrap();
        Self { client, session: format!("{driver}/session/{session}"), origin: format!("http://{explorer}") }
    }

    /// Goes to a page of the explorer.
    pub async fn go(&self, path: &str) {
        self.client.goto(&format!("{}{path}", self.origin)).await.unwrap();
    }

    /// The HTML of a page as the explorer sends it.
    pub async fn sent(&self, path: &str) -> String {
        http().get(format!("{}{path}", self.origin)).send().await.unwrap().text().await.unwrap()
    }

    /// Goes to a page that is not the explorer's.
    pub async fn leave(&self, url: &str) {
        self.client.goto(url).await.unwrap();
    }

    /// The path and query of the current page.
    pub async fn path(&self) -> String {
        let url = self.client.current_url().await.unwrap().to_string();
        url.strip_prefix(&self.origin).unwrap_or_else(|| panic!("{url} is elsewhere")).to_owned()
    }

    /// The value of an expression of the page.
    pub async fn eval(&self, expression: &str) -> Value {
        let answer = self.client.execute(&format!("return ({expression});"), Vec::new()).await;
        answer.unwrap_or_else(|error| panic!("{expression}: {error}"))
    }

    /// The value that a script of the page passes to the function `arguments[0]` later.
    pub async fn eval_later(&self, script: &str) -> Value {
        let answer = self.client.execute_async(script, Vec::new()).await;
        answer.unwrap_or_else(|error| panic!("{script}: {error}"))
    }

    /// Waits until an expression of the page is true.
    pub async fn wait(&self, expression: &str) {
        until(expression, async || {
            // While the browser leaves a page, the page returns an error.
            let answer = self.client.execute(&format!("return Boolean({expression});"), Vec::new()).await;
            (answer.ok()? == true).then_some(())
        })
        .await;
    }

    /// The first element that matches a CSS selector, once it is visible.
    pub async fn find(&self, selector: &str) -> Element {
        until(selector, async || {
            let element = self.client.find(Locator::Css(selector)).await.ok()?;
            element.is_displayed().await.ok()?.then_some(element)
        })
        .await
    }

    /// The visible text of an element.
    pub async fn text(&self, selector: &str) -> String {
        until(selector, async || self.find(selector).await.text().await.ok()).await
    }

    /// Waits until an element's text has `part`.
    pub async fn reads(&self, selector: &str, part: &str) {
        let mut last = String::new();
        let began = std::time::Instant::now();
        while !last.to_lowercase().contains(&part.to_lowercase()) {
            assert!(began.elapsed() < DEADLINE, "{selector} does not say {part:?} but {last:?}");
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            let script = format!("document.querySelector({})?.innerText ?? ''", json!(selector));
            last = self.eval(&script).await.as_str().unwrap_or_default().to_owned();
        }
    }

    /// Clicks an element; finds it again if the page replaces it in that moment.
    pub async fn click(&self, selector: &str) {
        until(&format!("{selector} can be clicked"), async || self.find(selector).await.click().await.ok()).await;
    }

    /// Types into an emptied field.
    pub async fn fill(&self, selector: &str, text: &str) {
        let field = self.find(selector).await;
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    /// The HTTP status of the page.
    pub async fn status(&self) -> Value {
        self.eval("performance.getEntriesByType('navigation')[0].responseStatus").await
    }

    /// Waits until the page's script has run and the event stream is open.
    pub async fn settled(&self) {
        self.wait(
            "document.readyState === 'complete' && (!document.querySelector('[data-live]') \
                   || document.querySelector('#live-state')?.dataset.state === 'live')",
        )
        .await;
    }

    /// Waits until all animations have ended.
    pub async fn still(&self) {
        self.wait("document.getAnimations().every(animation => animation.playState !== 'running')").await;
    }

    pub async fn scroll_to(&self, selector: &str) {
        self.find(selector).await;
        self.client
            .execute(&format!("document.querySelector('{selector}').scrollIntoView()"), Vec::new())
            .await
            .unwrap();
    }

    /// The number of elements that match a selector.
    pub async fn count(&self, selector: &str) -> usize {
        self.client.find_all(Locator::Css(selector)).await.unwrap().len()
    }

    /// Sets a mark that a reload would remove.
    pub async fn mark(&self) {
        self.client.execute("window.notReloaded = true", Vec::new()).await.unwrap();
    }

    pub async fn was_not_reloaded(&self) {
        assert_eq!(self.eval("window.notReloaded").await, true, "the page was loaded again");
    }

    /// Sets the size of the window in CSS pixels.
    pub async fn resize(&self, width: u32, height: u32) {
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.devtools("Emulation.setDeviceMetricsOverride", size).await;
    }

    /// Sets the preferred colour scheme.
    pub async fn dark(&self, dark: bool) {
        let value = if dark { "dark" } else { "light" };
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": value}]});
        self.devtools("Emulation.setEmulatedMedia", features).await;
    }

    /// Checks that the page is no wider than the window.
    pub async fn fits(&self) {
        let widest = "Array.from(document.querySelectorAll('main *'))
            .filter(e => e.getBoundingClientRect().right > innerWidth + 1)
            .slice(0, 5).map(e => e.tagName + '.' + e.getAttribute('class') + '#' + e.id)";
        let width = self.eval("[document.documentElement.scrollWidth, innerWidth]").await;
        assert!(width[0].as_u64() <= width[1].as_u64(), "{}: {width} {}", self.path().await, self.eval(widest).await);
    }

    /// Saves a screenshot of the visible part.
    pub async fn picture(&self, name: &str) {
        let file = pictures().join(format!("{name}.png"));
        std::fs::write(&file, self.client.screenshot().await.unwrap()).unwrap();
        println!("{}", file.display());
    }

    /// Saves a screenshot of the whole page, up to 6000 pixels.
    pub async fn whole_picture(&self, name: &str, width: u32) {
        let height =
            self.eval("Math.ceil(document.documentElement.scrollHeight)").await.as_u64().unwrap().clamp(600, 6000);
        self.resize(width, u32::try_from(height).unwrap()).await;
        self.picture(name).await;
    }

    /// Prints the state of the browser after a failure, and saves a screenshot.
    pub async fn show_failure(&self, name: &str) {
        eprintln!("at {:?}", self.client.current_url().await.ok().map(|url| url.to_string()));
        eprintln!("console: {:?}", self.log("browser").await);
        let file = pictures().join(format!("failed-{name}.png"));
        if let Ok(picture) = self.client.screenshot().await {
            let _ = std::fs::write(&file, picture);
            eprintln!("picture: {}", file.display());
        }
    }

    /// Removes the errors of expected 404 answers from the console; any other error fails.
    pub async fn forget_missing_pages(&self) {
        self.forget_refusals(404).await;
    }

    /// Removes the errors of expected refusals with this status from the console; any other error fails.
    pub async fn forget_refusals(&self, status: u16) {
        let status = status.to_string();
        let own = |line: &Value| line["source"] == "network" && line["message"].as_str().unwrap().contains(&status);
        let errors = self.errors().await;
        assert!(errors.iter().all(own), "errors in the console: {errors:#?}");
    }

    /// The errors in the console. Work that another miner has finished is refused with 404, which is no error.
    async fn errors(&self) -> Vec<Value> {
        let is_late = |line: &Value| {
            let message = line["message"].as_str().unwrap();
            line["source"] == "network" && message.contains("/api/work") && message.contains("404")
        };
        let lines = self.log("browser").await.into_iter();
        lines.filter(|line| line["level"] == "SEVERE" && !is_late(line)).collect()
    }

    /// Checks that the console has no errors since the last call, and that all requests went to the explorer.
    pub async fn nothing_was_wrong(&self) {
        let errors = self.errors().await;
        assert!(errors.is_empty(), "errors in the console: {errors:#?}");
        let own = format!("{}/", self.origin);
        let mut requests = 0;
        for line in self.log("performance").await {
            let message: Value = serde_json::from_str(line["message"].as_str().unwrap()).unwrap();
            let message = &message["message"];
            let url = message["params"]["request"]["url"].as_str().unwrap_or_default();
            if message["method"] == "Network.requestWillBeSent" && !url.starts_with("data:") {
                assert!(url.starts_with(&own), "a request left the explorer: {url}");
                requests += 1;
            }
        }
        assert!(requests > 0, "the browser tells of no requests");
    }

    /// Lines of a log of the browser since the last call.
    async fn log(&self, kind: &str) -> Vec<Value> {
        let answer = self.post("se/log", json!({"type": kind})).await;
        answer["value"].as_array().cloned().unwrap_or_else(|| panic!("no log: {answer}"))
    }

    async fn devtools(&self, command: &str, params: Value) {
        let answer = self.post("goog/cdp/execute", json!({"cmd": command, "params": params})).await;
        assert!(answer["value"]["error"].is_null(), "{answer}");
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        http().post(format!("{}/{path}", self.session)).json(&body).send().await.unwrap().json().await.unwrap()
    }
}

/// The folder for screenshots.
pub fn pictures() -> PathBuf {
    let folder = match std::env::var_os("CHAINLAB_SCREENSHOTS") {
        Some(folder) => folder.into(),
        None => PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../target/screenshots")),
    };
    std::fs::create_dir_all(&folder).unwrap();
    folder
}
