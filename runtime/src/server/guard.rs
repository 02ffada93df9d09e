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
        let mut known = self.0.clone();
        known.dedup();
        let known = if known.is_empty() { String::new() } else { format!(", {}", known.join(", ")) };
        Err(forbidden(format!(
            "Host {host:?} is not a name of this service (they are: IP addresses, localhost{known}). If it should be, \
             add hosts = [{name:?}] to [http] of Config.toml, or set CHAINLAB__HTTP__HOSTS={name}"
        )))
    }
}

/// The name and the port of `host`, `host:port`, `[v6]` and `[v6]:port`.
fn name_and_port(host: &str) -> (&str, Option<&str>) {
    let name = without_port(host);
    (name, host[name.len()..].strip_prefix(':').filter(|port| !port.is_empty()))
}

/// Whether `origin` is the one that a request to `host` belongs to. A proxy may leave out the port, and browsers leave
/// out the default one.
fn is_same_origin(origin: &str, host: &str) -> bool {
    let parsed = [("http://", "80"), ("https://", "443")]
        .into_iter()
        .find_map(|(scheme, default)| Some((origin.strip_prefix(scheme)?, default)));
    let Some((origin, default)) = parsed else { return false };
    let ((name, port), (host_name, host_port)) = (name_and_port(origin), name_and_port(host));
    !name.is_empty()
        && name.eq_ignore_ascii_case(host_name)
        && host_port.is_none_or(|host_port| port.unwrap_or(default) == host_port)
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
        if !is_same_origin(origin, host) {
            return Err(forbidden(format!(
                "a page of {origin:?} may not change anything at Host {host:?}. If a proxy stands between the two, it \
                 must pass on the Host that the browser sent; for nginx: proxy_set_header Host $http_host;"
            )));
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
            (&[("host", "a"), ("origin", "http://a:80")], true),
            (&[("host", "a:80"), ("origin", "http://a")], true),
            (&[("host", "a:443"), ("origin", "https://a")], true),
            (&[("host", "a"), ("origin", "https://A")], true),
            (&[("host", "a"), ("origin", "https://a:8443")], true),
            (&[("host", "[::1]"), ("origin", "http://[::1]:8080")], true),
            (&[("host", "[::1]:8080"), ("origin", "http://[::1]:8080")], true),
            (&[("host", "a:80"), ("origin", "http://a:81")], false),
            (&[("host", "a:80"), ("origin", "https://a")], false),
            (&[("host", "a"), ("origin", "http://a.evil.example")], false),
            (&[("host", "a"), ("origin", "http://evil.example:80")], false),
            (&[("host", "a"), ("origin", "ftp://a")], false),
            (&[("host", ""), ("origin", "http://")], false),
            (&[("host", "a:80"), ("origin", "http://evil.example")], false),
            (&[("host", "a:80"), ("origin", "null")], false),
            (&[("host", "a:80"), ("sec-fetch-site", "cross-site")], false),
            (&[("host", "a:80"), ("sec-fetch-site", "same-site")], false),
        ] {
            assert_eq!(check_origin(&headers(pairs)).is_ok(), allowed, "{pairs:?}");
        }
    }

    #[test]
    fn a_refusal_names_both_values_and_the_line_that_allows_it() {
        let refused = check_origin(&headers(&[("host", "127.0.0.1:8080"), ("origin", "https://lab.example.org")]));
        let detail = refused.unwrap_err().detail;
        for part in ["https://lab.example.org", "127.0.0.1:8080", "proxy_set_header Host $http_host;"] {
            assert!(detail.contains(part), "no {part} in {detail}");
        }
        let hosts = Hosts::new(&["classroom:8100".to_owned()]);
        let detail = hosts.check(&headers(&[("host", "lab.example.org:81")])).unwrap_err().detail;
        for part in ["lab.example.org:81", "classroom", "hosts = [\"lab.example.org\"]", "CHAINLAB__HTTP__HOSTS=lab."] {
            assert!(detail.contains(part), "no {part} in {detail}");
        }
    }
}
