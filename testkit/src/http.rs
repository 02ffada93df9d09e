//! HTTP requests of tests, and answers with the checks that tests make.

use crate::until::DEADLINE;
use reqwest::RequestBuilder;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use runtime::client::Client;
use serde_json::Value;
use shared::wire::Problem;

/// A client that accepts answers of any network.
pub fn client() -> Client {
    Client::new(None, None).unwrap()
}

/// A new HTTP client. One for all tests of a process would tie its connections to the tokio runtime of the first test.
pub fn http() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).timeout(DEADLINE).build().unwrap()
}

/// A complete answer.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// HTTP headers.
    pub headers: HeaderMap,
    /// The body as text.
    pub body: String,
}

impl Answer {
    /// Sends a request and reads the whole answer.
    pub async fn of(request: RequestBuilder) -> Self {
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        Self { status, headers, body: answer.text().await.unwrap() }
    }

    /// The JSON of a success.
    #[track_caller]
    pub fn ok(&self) -> Value {
        assert!((200..300).contains(&self.status), "{}: {}", self.status, self.body);
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// The problem document of a refusal with this status.
    #[track_caller]
    pub fn refused(&self, status: u16) -> Problem {
        assert_eq!(self.status, status, "{}", self.body);
        assert_eq!(self.headers[CONTENT_TYPE], "application/problem+json");
        let problem: Problem = serde_json::from_str(&self.body).unwrap();
        assert_eq!(problem.status, status);
        assert!(!problem.detail.is_empty(), "a refusal without a reason: {}", self.body);
        problem
    }

    /// Checks that the answer is a refusal that names this rule.
    #[track_caller]
    pub fn breaks(&self, rule: &str) {
        assert_eq!(self.refused(422).rule.as_deref(), Some(rule), "{}", self.body);
    }
}
