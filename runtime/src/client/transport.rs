//! What every call does: sends one request, reads an answer within bounds of time and size, and checks its status.

use super::{Client, Error};
use crate::plain_words;
use bytes::{Bytes, BytesMut};
use http::StatusCode;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use reqwest::{Method, RequestBuilder, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use shared::sync::{BadPeerAddress, PeerAddress};
use shared::wire::Problem;
use std::time::Duration;

/// Bounds of an answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// From the first byte sent to the last byte received.
    pub(super) time: Duration,
    /// Of the body.
    pub(super) bytes: usize,
}

impl Bounds {
    /// For answers that are always small.
    pub(super) const SMALL: Self = Self { time: Duration::from_secs(5), bytes: 64 * 1024 };
    /// For bounded lists.
    pub(super) const LIST: Self = Self { time: Duration::from_secs(10), bytes: 4 * 1024 * 1024 };

    pub(super) const fn time(self, time: Duration) -> Self {
        Self { time, ..self }
    }
}

/// Longest refusal that is read.
const PROBLEM_BYTES: usize = 64 * 1024;

impl Client {
    /// `GET` with a JSON answer.
    pub(super) async fn get<T: DeserializeOwned>(&self, address: &str, path: &str, bounds: Bounds) -> Result<T, Error> {
        let answer = self.send(self.request(Method::GET, address, path)?, bounds).await?;
        from_json(&read_body(answer, bounds.bytes).await?)
    }

    /// `POST` of JSON with a JSON answer.
    pub(super) async fn post<T: DeserializeOwned>(
        &self,
        address: &str,
        path: &str,
        token: Option<&str>,
        body: Bytes,
        bounds: Bounds,
    ) -> Result<T, Error> {
        let answer = self.send(self.post_request(address, path, token, body)?, bounds).await?;
        from_json(&read_body(answer, bounds.bytes).await?)
    }

    /// `POST` of JSON whose answer does not matter beyond its status.
    pub(super) async fn post_quietly(
        &self,
        address: &str,
        path: &str,
        token: Option<&str>,
        body: Bytes,
    ) -> Result<(), Error> {
        let answer = self.send(self.post_request(address, path, token, body)?, Bounds::SMALL).await?;
        read_body(answer, Bounds::LIST.bytes).await.map(drop)
    }

    pub(super) fn post_request(
        &self,
        address: &str,
        path: &str,
        token: Option<&str>,
        body: Bytes,
    ) -> Result<RequestBuilder, Error> {
        let request = self.request(Method::POST, address, path)?.header(CONTENT_TYPE, "application/json").body(body);
        Ok(match token {
            Some(token) => request.header(AUTHORIZATION, format!("Bearer {token}")),
            None => request,
        })
    }

    /// A request to `address`, which is checked. `path` is trusted: callers escape what they put into it.
    pub(super) fn request(&self, method: Method, address: &str, path: &str) -> Result<RequestBuilder, Error> {
        let address: PeerAddress =
            address.parse().map_err(|error: BadPeerAddress| Error::Malformed(error.to_string()))?;
        Ok(self.http.request(method, format!("http://{address}{path}")))
    }

    /// Sends a request and waits for the head of the answer; a refusal becomes an error.
    pub(super) async fn send(&self, request: RequestBuilder, bounds: Bounds) -> Result<Response, Error> {
        let answer = request.timeout(bounds.time).send().await.map_err(|error| Error::of(&error))?;
        if !answer.status().is_success() {
            return Err(refusal_error(answer).await);
        }
        if let Some(observer) = &self.observer {
            observer.note(answer.headers());
        }
        Ok(answer)
    }
}

/// The error of an answer without a status of success.
pub(super) async fn refusal_error(answer: Response) -> Error {
    let status = answer.status();
    if !(status.is_client_error() || status.is_server_error()) {
        return Error::Malformed(format!("status {status}: neither success nor a refusal"));
    }
    match read_body(answer, PROBLEM_BYTES).await {
        Ok(body) => Error::Refused(Box::new(refusal(status, &body))),
        Err(error) => error,
    }
}

/// The problem in a refusal; its status is that of the status line, not that of the body.
fn refusal(status: StatusCode, body: &[u8]) -> Problem {
    let title = status.canonical_reason().unwrap_or("Error");
    match serde_json::from_slice::<Problem>(body) {
        Ok(problem) => Problem { status: status.as_u16(), ..problem },
        Err(_) => Problem::new(status.as_u16(), title, ""),
    }
}

/// The whole body, if it has at most `limit` bytes.
pub(super) async fn read_body(answer: Response, limit: usize) -> Result<Bytes, Error> {
    read_body_watched(answer, limit, &|_| {}).await
}

/// The whole body, if it has at most `limit` bytes. `on_progress` is called with the number of bytes so far.
pub(super) async fn read_body_watched(
    mut answer: Response,
    limit: usize,
    on_progress: &(dyn Fn(usize) + Sync),
) -> Result<Bytes, Error> {
    if answer.content_length().is_some_and(|length| length > limit as u64) {
        return Err(Error::Oversized { limit });
    }
    let mut body = BytesMut::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| Error::of(&error))? {
        if body.len() + chunk.len() > limit {
            return Err(Error::Oversized { limit });
        }
        body.extend_from_slice(&chunk);
        on_progress(body.len());
    }
    Ok(body.freeze())
}

/// Reads an answer leniently: unknown fields are ignored.
pub(super) fn from_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(body).map_err(|error| Error::Malformed(plain_words::parser(&error.to_string())))
}

pub(super) fn to_json(value: &impl Serialize) -> Result<Bytes, Error> {
    serde_json::to_vec(value).map(Bytes::from).map_err(|error| Error::Malformed(error.to_string()))
}

/// Runs work that hashes megabytes on a blocking thread, so that it does not delay other tasks.
pub(super) async fn spawn_blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(Error::Malformed(format!("could not be read: {error}"))))
}
