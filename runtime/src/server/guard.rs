//! Checks of every request before its handler runs (docs/protocol.md §8): host, origin, media type, network.
//!
//! They protect a node from the web pages that its owner visits. No rule of the chain is here.

use super::problem::{bad_request, conflict, forbidden, problem};
use http::header::{CONTENT_TYPE, HOST, ORIGIN};
use http::{HeaderMap, Method, StatusCode};
use shared::block::BlockHash;
use shared::wire::{NETWORK_HEADER, Problem};
use std::net::IpAddr;

/// The names of a service, in lower case and without ports.
#[derive(Debug)]
pub(super) struct Hosts(Vec<String>);

impl Hosts {
    pub(super) fn new(names: &[String]) -> Self {
        Self(names.iter().map(|name| without_port(name).to_ascii_lowercase()).collect())
    }

    /// Refuses a `Host` that is not a name of the service: a foreign name that resolves to it means DNS rebinding.
    pub(super) fn check(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let mut all = headers.get_all(HOST).iter();
        let (Some(Ok(host)), None) = (all.next().map(|host| host.to_str()), all.next()) else {
            return Err(bad_request("a request needs exactly one Host header"));
        };
        let name = without_port(host);
        let address = name.trim_start_matches('[').trim_end_matches(']');
        let ours = address.parse::<IpAddr>().is_ok()
            || name.eq_ignore_ascii_case("localhost")
            || self.0.iter().any(|ours| ours.eq_ignore_ascii_case(name));
        if ours {
            return Ok(());
        }
        Err(forbidden(format!(
            "Host {host:?} is not a name of this service; if it should be, add it to hosts in [http] of Config.toml"
        )))
    }
}

/// `host` of `host`, `host:port`, `[v6]` and `[v6]:port`; a bare IPv6 address stays whole.
fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port))
            if port.bytes().all(|c| c.is_ascii_digit()) && (!name.contains(':') || name.ends_with(']')) =>
        {
            name
        }
        _ => host,
    }
}

/// Whether requests with this method may change state.
pub(super) fn is_write(method: &Method) -> bool {
    matches!(*method, Method::POST | Method::PUT | Method::PATCH | Method::DELETE)
}

/// Refuses a request that a page of another origin made a browser send.
pub(super) fn check_origin(headers: &HeaderMap) -> Result<(), Problem> {
    let text = |name| headers.get(name).map(|value: &http::HeaderValue| value.to_str().unwrap_or("?"));
    if let Some(origin) = text(ORIGIN) {
        let host = text(HOST).unwrap_or_default();
        let same = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
        if !same.is_some_and(|same| same.eq_ignore_ascii_case(host)) {
            return Err(forbidden(format!("a page of {origin:?} may not change anything here")));
        }
    }
    // `same-site` is refused: another port of the same host is another origin.
    match text(http::HeaderName::from_static("sec-fetch-site")) {
        None | Some("same-origin" | "none") => Ok(()),
        Some(site) => Err(forbidden(format!("a page of another origin ({site}) may not change anything here"))),
    }
}

/// Refuses a body that is not declared as JSON: without the service's consent, foreign pages can send forms and plain
/// text only.
pub(super) fn check_media_type(headers: &HeaderMap) -> Result<(), Problem> {
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err(problem(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        format!("send Content-Type: application/json (also without a body); got {media_type:?}"),
    ))
}

/// Refuses a request for another network.
pub(super) fn check_network(headers: &HeaderMap, ours: Option<BlockHash>) -> Result<(), Problem> {
    let (Some(ours), Some(theirs)) = (ours, headers.get(NETWORK_HEADER)) else { return Ok(()) };
    let theirs: BlockHash = theirs
        .to_str()
        .ok()
        .and_then(|id| id.parse().ok())
        .ok_or_else(|| bad_request("Chainlab-Network: expected 64 lower-case hex digits"))?;
    if theirs == ours {
        return Ok(());
    }
    Err(conflict(format!(
        "this is network {ours}, the request is for network {theirs}; GET /info shows the parameters of this one"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (http::HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn only_names_of_this_service_are_its_host() {
        let hosts = Hosts::new(&["Classroom:8100".to_owned(), "[::1]:8100".to_owned()]);
        for (host, allowed) in [
            ("127.0.0.1:8100", true),
            ("192.168.0.7", true),
            ("[::1]:8100", true),
            ("[fe80::1]", true),
            ("localhost", true),
            ("LOCALHOST:1", true),
            ("classroom", true),
            ("CLASSROOM:99", true),
            ("classroom.evil.example", false),
            ("evil.example:8100", false),
            ("localhost.evil.example", false),
            ("127.0.0.1.evil.example", false),
            ("", false),
        ] {
            assert_eq!(hosts.check(&headers(&[("host", host)])).is_ok(), allowed, "{host}");
        }
        assert_eq!(hosts.check(&HeaderMap::new()).unwrap_err().status, 400);
    }

    #[test]
    fn only_our_own_pages_and_programs_may_write() {
        for (pairs, allowed) in [
            (&[("host", "127.0.0.1:80")][..], true),
            (&[("host", "a:80"), ("origin", "http://a:80")], true),
            (&[("host", "a:80"), ("origin", "http://a:80"), ("sec-fetch-site", "same-origin")], true),
            (&[("host", "a:80"), ("sec-fetch-site", "none")], true),
            (&[("host", "a:80"), ("origin", "http://a:81")], false),
            (&[("host", "a:80"), ("origin", "http://evil.example")], false),
            (&[("host", "a:80"), ("origin", "null")], false),
            (&[("host", "a:80"), ("sec-fetch-site", "cross-site")], false),
            (&[("host", "a:80"), ("sec-fetch-site", "same-site")], false),
        ] {
            assert_eq!(check_origin(&headers(pairs)).is_ok(), allowed, "{pairs:?}");
        }
    }
}
