//! Reads pages and listens to `/live`.

use std::collections::BTreeSet;
use testkit::{http, until};

/// A page's HTML.
pub(crate) async fn page(explorer: &str, path: &str) -> Option<String> {
    http().get(format!("http://{explorer}{path}")).send().await.ok()?.text().await.ok()
}

/// Waits until the first page contains all of `words`, and returns it.
pub(crate) async fn shows(explorer: &str, words: &[&str]) -> String {
    until(&format!("the page contains {words:?}"), async || {
        page(explorer, "/").await.filter(|page| words.iter().all(|words| page.contains(words)))
    })
    .await
}

/// A subscriber of `/live`.
pub(crate) struct Listener {
    answer: reqwest::Response,
    heard: String,
}

impl Listener {
    pub(crate) async fn of(explorer: &str) -> Self {
        let answer = http().get(format!("http://{explorer}/live")).send().await.unwrap();
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        Self { answer, heard: String::new() }
    }

    /// Waits until there was an event for each of these changes.
    pub(crate) async fn hears(&mut self, changes: &[&str]) {
        let wanted: BTreeSet<_> = changes.iter().map(|change| format!("event: {change}\ndata: {{}}\n\n")).collect();
        while !wanted.iter().all(|event| self.heard.contains(event)) {
            let chunk = self.answer.chunk().await.unwrap().unwrap();
            self.heard.push_str(std::str::from_utf8(&chunk).unwrap());
        }
        self.heard.clear();
    }
}
