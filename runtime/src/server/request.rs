//! A request as handlers get it, with strict parsers of its query and body.
//!
//! The kit has checked host, origin, media type and network before a handler runs.

use super::ServerContext;
use super::path::RequestPath;
use super::places::{Place, Places, Source};
use super::problem::{bad_request, internal, not_found, problem, unavailable};
use crate::plain_words;
use bytes::{Buf, Bytes, BytesMut};
use futures_util::{Stream, StreamExt};
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH};
use http::{HeaderMap, HeaderName, Method, StatusCode};
use serde::de::DeserializeOwned;
use shared::json::ObjectOnly;
use shared::wire::{NODE_HEADER, Problem};
use std::fmt;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// KiB that bodies above [`BODY_LIMIT`] may take together, over all requests: 256 MiB.
pub(super) const LARGE_BODIES_KIB: usize = 256 << 10;
/// Longest body unless the protocol names another limit, in bytes (docs/protocol.md §8).
pub const BODY_LIMIT: usize = 64 * 1024;

pub(super) type BodyStream = Pin<Box<dyn Stream<Item = Result<Bytes, warp::Error>> + Send + Sync>>;

/// A request that passed the kit's checks.
pub struct Request {
    /// The method; `HEAD` arrives as `GET`.
    pub method: Method,
    /// The address that the request came from; IPv4 is never mapped to IPv6.
    pub remote: SocketAddr,
    /// Where it came from, as far as shares of pools are concerned.
    pub source: Source,
    /// All headers.
    pub headers: HeaderMap,
    pub(super) path: RequestPath,
    /// Bit `n` is set where piece `n` of the path is a parameter; `None` if no route has the path.
    pub(super) params: Option<u8>,
    pub(super) query: String,
    pub(super) body: BodyStream,
    /// The memory that a large body has reserved, until the request is answered.
    pub(super) body_room: Option<Place>,
    pub(super) context: Arc<ServerContext>,
}

impl Request {
    /// The path.
    pub fn path(&self) -> RequestPath {
        self.path.clone()
    }

    /// The parameters of the path, in its order: `let [node, action] = request.params()?;`.
    ///
    /// # Errors
    /// 500 if the route has another number of parameters, which is a defect of its handler.
    pub fn params<const N: usize>(&self) -> Result<[&str; N], Problem> {
        self.path.params(self.params.unwrap_or(0)).ok_or_else(|| internal("a handler expects other parameters"))
    }

    /// The query as it was sent, without the question mark.
    pub fn raw_query(&self) -> &str {
        &self.query
    }

    /// Parses the query; `T` should have `deny_unknown_fields`.
    ///
    /// # Errors
    /// 400 that names the parameter.
    pub fn query<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        let pairs = form_urlencoded::parse(self.query.as_bytes());
        serde_path_to_error::deserialize(serde_urlencoded::Deserializer::new(pairs))
            .map_err(|error| bad_request(format!("query: {}", at_path(&error))))
    }

    /// The whole body, at most `limit` bytes.
    ///
    /// # Errors
    /// 413 if the body is longer, 408 if it takes too long, 400 if it breaks off, 503 if too many large bodies are
    /// read.
    pub async fn bytes(&mut self, limit: usize) -> Result<Bytes, Problem> {
        let too_large = || problem(StatusCode::PAYLOAD_TOO_LARGE, format!("a body here has at most {limit} bytes"));
        let announced = self.header(&CONTENT_LENGTH).and_then(|length| length.parse::<u64>().ok());
        if announced.is_some_and(|length| length > limit as u64) {
            return Err(too_large());
        }
        let allowed = self.context.limits.body;
        let collect = async {
            let mut body = BytesMut::new();
            while let Some(chunk) = self.body.next().await {
                let chunk = chunk.map_err(|error| bad_request(format!("the body broke off: {error}")))?;
                if body.len() + chunk.remaining() > limit {
                    return Err(too_large());
                }
                body.extend_from_slice(&chunk);
                take_room(&self.context.large_bodies, self.source, &mut self.body_room, body.len())?;
            }
            Ok(body.freeze())
        };
        timeout(allowed, collect).await.unwrap_or_else(|_| {
            Err(problem(StatusCode::REQUEST_TIMEOUT, format!("the body was not complete within {allowed:?}")))
        })
    }

    /// Parses the body as one JSON object with nothing after it (docs/protocol.md §1).
    ///
    /// # Errors
    /// As [`Request::bytes`], and 400 that names the field.
    pub async fn json<T: DeserializeOwned>(&mut self, limit: usize) -> Result<T, Problem> {
        let body = self.bytes(limit).await?;
        let mut json = serde_json::Deserializer::from_slice(&body);
        let value = serde_path_to_error::deserialize(ObjectOnly(&mut json))
            .map_err(|error| bad_request(format!("body: {}", at_path(&error))))?;
        json.end().map_err(|error| bad_request(format!("body: {}", plain_words::parser(&error.to_string()))))?;
        Ok(value)
    }

    /// The `host:port` that the request claims to come from, in the header `Chainlab-Node`.
    pub fn claimed_node(&self) -> Option<&str> {
        self.header(&HeaderName::from_static(NODE_HEADER))
    }

    /// # Errors
    /// 401 unless the request carries the token of the service.
    pub(super) fn require_token(&self) -> Result<(), Problem> {
        let unauthorized = |detail: &str| Err(problem(StatusCode::UNAUTHORIZED, detail));
        let Some(expected) = &self.context.token else {
            return unauthorized("this service was started without a token, so it cannot be steered");
        };
        let given = self.header(&AUTHORIZATION).and_then(|value| value.split_once(' '));
        match given {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => {
                if same_secret(token.trim().as_bytes(), expected.as_bytes()) {
                    Ok(())
                } else {
                    unauthorized("this is not the token of this service; it is in the file token of its data folder")
                }
            }
            _ => unauthorized(
                "send Authorization: Bearer and the token, which is in the file token of the service's data folder",
            ),
        }
    }

    /// The refusal of a request that no route takes: 405 if its path has routes of other methods (the kit adds
    /// `Allow`), else 404.
    pub fn no_route(&self) -> Problem {
        let (method, path) = (&self.method, self.path.as_str());
        if self.params.is_none() {
            return not_found(format!("there is nothing at {path}; GET /docs shows what there is"));
        }
        let detail = format!("{path} does not take {method}; GET /docs shows what it takes");
        problem(StatusCode::METHOD_NOT_ALLOWED, detail)
    }

    /// A token that is cancelled when the service is to stop.
    pub fn shutdown(&self) -> CancellationToken {
        self.context.shutdown.clone()
    }

    /// A header, if it is text.
    pub fn header(&self, name: &HeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Whether the client names this media type among those that it accepts; `*/*` names none.
    pub fn names_type(&self, media_type: &str) -> bool {
        names_type(&self.headers, media_type)
    }
}

fn names_type(headers: &HeaderMap, media_type: &str) -> bool {
    let accepted = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepted
        .flat_map(|value| value.split(','))
        .any(|range| range.split(';').next().is_some_and(|accepted| accepted.trim().eq_ignore_ascii_case(media_type)))
}

/// Reserves memory for a large body as it grows.
fn take_room(
    large_bodies: &Arc<Places>,
    source: Source,
    room: &mut Option<Place>,
    bytes: usize,
) -> Result<(), Problem> {
    if bytes <= BODY_LIMIT {
        return Ok(());
    }
    let kib = bytes.div_ceil(1024);
    let taken = match room {
        Some(room) => room.grow_to(kib),
        None => large_bodies.try_take(source, kib).map(|taken| *room = Some(taken)),
    };
    taken.map_err(|full| unavailable(format!("too many large bodies at the moment ({full}); try again")))
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} from {}", self.method, self.path.as_str(), self.remote)
    }
}

/// The error with its place in the input, unless its text contains that already.
fn at_path<E: fmt::Display>(error: &serde_path_to_error::Error<E>) -> String {
    let (path, inner) = (error.path().to_string(), plain_words::parser(&error.inner().to_string()));
    if path == "." || path == "?" || inner.contains(&format!("`{path}`")) { inner } else { format!("{path}: {inner}") }
}

/// Compares in a time that does not depend on how much of the secret is right.
fn same_secret(given: &[u8], expected: &[u8]) -> bool {
    let difference =
        given.iter().zip(expected).fold(0, |difference, (a, b)| std::hint::black_box(difference | (a ^ b)));
    given.len() == expected.len() && difference == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn only_a_media_type_that_is_named_counts() {
        let names = |accept: &'static str, media_type| {
            names_type(&[(ACCEPT, HeaderValue::from_static(accept))].into_iter().collect(), media_type)
        };
        assert!(names("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html"));
        assert!(names("application/json, TEXT/HTML;q=0.1", "text/html"));
        assert!(!names("*/*", "text/html") && !names("application/json", "text/html"));
        assert!(!names_type(&HeaderMap::new(), "text/html"));
    }
}
