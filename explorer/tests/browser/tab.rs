//! A tab of the browser, by what people do with one: go, look, click, type. Every look waits for what it wants, with a bound.

use crate::driver::pictures;
use crate::waiting::{SOON, http, until};
use fantoccini::elements::Element;
use fantoccini::{Client, Locator};
use serde_json::{Value, json};

/// The tab, and whose pages it shows.
pub(crate) struct Tab {
    client: Client,
    /// The session at chromedriver: for what the standard does not have.
    session: String,
    origin: String,
}

impl Tab {
    pub(crate) async fn new(client: Client, driver: &str, explorer: &str) -> Self {
        let session = client.session_id().await.unwrap().unwrap();
        Self { client, session: format!("{driver}/session/{session}"), origin: format!("http://{explorer}") }
    }

    /// Goes to a page of the explorer.
    pub(crate) async fn go(&self, path: &str) {
        self.client.goto(&format!("{}{path}", self.origin)).await.unwrap();
    }

    /// The HTML of a page as the explorer sends it.
    pub(crate) async fn sent(&self, path: &str) -> String {
        http().get(format!("{}{path}", self.origin)).send().await.unwrap().text().await.unwrap()
    }

    /// Goes somewhere else.
    pub(crate) async fn leave(&self, url: &str) {
        self.client.goto(url).await.unwrap();
    }

    /// The path and query of where it is.
    pub(crate) async fn path(&self) -> String {
        let url = self.client.current_url().await.unwrap().to_string();
        url.strip_prefix(&self.origin).unwrap_or_else(|| panic!("{url} is elsewhere")).to_owned()
    }

    /// The value of an expression of the page.
    pub(crate) async fn eval(&self, expression: &str) -> Value {
        let answer = self.client.execute(&format!("return ({expression});"), Vec::new()).await;
        answer.unwrap_or_else(|error| panic!("{expression}: {error}"))
    }

    /// What a script of the page hands to the function `arguments[0]` later.
    pub(crate) async fn eval_later(&self, script: &str) -> Value {
        let answer = self.client.execute_async(script, Vec::new()).await;
        answer.unwrap_or_else(|error| panic!("{script}: {error}"))
    }

    /// Waits until an expression of the page is true.
    pub(crate) async fn wait(&self, expression: &str) {
        until(expression, async || {
            // A page that is just being left answers with an error.
            let answer = self.client.execute(&format!("return Boolean({expression});"), Vec::new()).await;
            (answer.ok()? == true).then_some(())
        })
        .await;
    }

    /// The first element of a CSS selector, once it is there and can be seen.
    pub(crate) async fn find(&self, selector: &str) -> Element {
        until(selector, async || {
            let element = self.client.find(Locator::Css(selector)).await.ok()?;
            element.is_displayed().await.ok()?.then_some(element)
        })
        .await
    }

    /// The text that is seen of an element.
    pub(crate) async fn text(&self, selector: &str) -> String {
        until(selector, async || self.find(selector).await.text().await.ok()).await
    }

    /// Waits until an element's text has `part`.
    pub(crate) async fn reads(&self, selector: &str, part: &str) {
        let mut last = String::new();
        let began = std::time::Instant::now();
        while !last.to_lowercase().contains(&part.to_lowercase()) {
            assert!(began.elapsed() < SOON, "{selector} does not say {part:?} but {last:?}");
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            let script = format!("document.querySelector({})?.innerText ?? ''", json!(selector));
            last = self.eval(&script).await.as_str().unwrap_or_default().to_owned();
        }
    }

    /// Clicks; what is replaced in that moment is looked for again.
    pub(crate) async fn click(&self, selector: &str) {
        until(&format!("{selector} can be clicked"), async || self.find(selector).await.click().await.ok()).await;
    }

    /// Types into an emptied field.
    pub(crate) async fn fill(&self, selector: &str, text: &str) {
        let field = self.find(selector).await;
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    /// The status that the page was answered with.
    pub(crate) async fn status(&self) -> Value {
        self.eval("performance.getEntriesByType('navigation')[0].responseStatus").await
    }

    /// The script has run and the stream of changes is open.
    pub(crate) async fn settled(&self) {
        self.wait(
            "document.readyState === 'complete' && (!document.querySelector('[data-live]') \
                   || document.querySelector('#live-state')?.dataset.state === 'live')",
        )
        .await;
    }

    /// What is new has stopped to glow.
    pub(crate) async fn still(&self) {
        self.wait("document.getAnimations().every(animation => animation.playState !== 'running')").await;
    }

    pub(crate) async fn scroll_to(&self, selector: &str) {
        self.find(selector).await;
        self.client
            .execute(&format!("document.querySelector('{selector}').scrollIntoView()"), Vec::new())
            .await
            .unwrap();
    }

    /// How many elements a selector has.
    pub(crate) async fn count(&self, selector: &str) -> usize {
        self.client.find_all(Locator::Css(selector)).await.unwrap().len()
    }

    /// A mark that a reload would wipe away.
    pub(crate) async fn mark(&self) {
        self.client.execute("window.notReloaded = true", Vec::new()).await.unwrap();
    }

    pub(crate) async fn was_not_reloaded(&self) {
        assert_eq!(self.eval("window.notReloaded").await, true, "the page was loaded again");
    }

    /// A window of so many points, as on a phone of that width.
    pub(crate) async fn resize(&self, width: u32, height: u32) {
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.devtools("Emulation.setDeviceMetricsOverride", size).await;
    }

    /// Asks pages to be dark, or light.
    pub(crate) async fn dark(&self, dark: bool) {
        let value = if dark { "dark" } else { "light" };
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": value}]});
        self.devtools("Emulation.setEmulatedMedia", features).await;
    }

    /// The page must be no wider than the window.
    pub(crate) async fn fits(&self) {
        let widest = "Array.from(document.querySelectorAll('main *')).filter(e => e.getBoundingClientRect().right > innerWidth + 1)
            .slice(0, 5).map(e => e.tagName + '.' + e.getAttribute('class') + '#' + e.id)";
        let width = self.eval("[document.documentElement.scrollWidth, innerWidth]").await;
        assert!(width[0].as_u64() <= width[1].as_u64(), "{}: {width} {}", self.path().await, self.eval(widest).await);
    }

    /// Keeps a picture of what is seen.
    pub(crate) async fn picture(&self, name: &str) {
        let file = pictures().join(format!("{name}.png"));
        std::fs::write(&file, self.client.screenshot().await.unwrap()).unwrap();
        println!("{}", file.display());
    }

    /// Keeps a picture of the whole page, however long.
    pub(crate) async fn whole_picture(&self, name: &str, width: u32) {
        let height =
            self.eval("Math.ceil(document.documentElement.scrollHeight)").await.as_u64().unwrap().clamp(600, 6000);
        self.resize(width, u32::try_from(height).unwrap()).await;
        self.picture(name).await;
    }

    /// What is there when a test has failed.
    pub(crate) async fn show_failure(&self, name: &str) {
        eprintln!("at {:?}", self.client.current_url().await.ok().map(|url| url.to_string()));
        eprintln!("console: {:?}", self.log("browser").await);
        let file = pictures().join(format!("failed-{name}.png"));
        if let Ok(picture) = self.client.screenshot().await {
            let _ = std::fs::write(&file, picture);
            eprintln!("picture: {}", file.display());
        }
    }

    /// A page that is answered with 404 is an error to the browser; where that was wanted, it is not.
    pub(crate) async fn forget_missing_pages(&self) {
        let own = |line: &Value| line["source"] == "network" && line["message"].as_str().unwrap().contains("404");
        let errors = self.errors().await;
        assert!(errors.iter().all(own), "errors in the console: {errors:#?}");
    }

    /// Work that somebody else did a moment earlier is refused with 404; the browser calls that an error.
    async fn errors(&self) -> Vec<Value> {
        let is_late = |line: &Value| {
            let message = line["message"].as_str().unwrap();
            line["source"] == "network" && message.contains("/api/work") && message.contains("404")
        };
        let lines = self.log("browser").await.into_iter();
        lines.filter(|line| line["level"] == "SEVERE" && !is_late(line)).collect()
    }

    /// No error in the console since the last call, and no request to anybody but the explorer.
    pub(crate) async fn nothing_was_wrong(&self) {
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
