//! Where the explorer is on its server: at the root, or below a path such as `/lab`.
//!
//! A proxy that serves the explorer below a path sends it in `X-Forwarded-Prefix`. Pages write their links as at the
//! root; [`links`] puts the path in front. It belongs to one request, so it travels with the task that answers it, and
//! so does the cast: the names that its page shows.

use crate::names::Cast;
use http::HeaderMap;
use shared::params::LayerName;

/// Longest path that is accepted.
const MAX_CHARS: usize = 100;
/// The attributes of our pages that are links, as maud writes them. In text, maud escapes the quotes.
const LINKS: [&str; 4] = [" href=\"/", " src=\"/", " action=\"/", " data-live-from=\"/"];

tokio::task_local! {
    static BASE: String;
    static CAST: Cast;
    static REQUEST: HeaderMap;
    static LAYER: LayerName;
    static MOMENT: Moment;
}

/// A page of a recording shows one moment, and its links lead to pages of the same moment.
#[derive(Debug, Clone)]
pub(crate) struct Moment {
    /// What links get as their query, such as `t=143.5`.
    pub(crate) query: String,
    /// The slider and what goes with it, above every page.
    pub(crate) banner: maud::Markup,
}

/// Answers a request below the path that its proxy names, with the names of `cast`.
pub(crate) async fn below<T>(headers: &HeaderMap, cast: Cast, answer: impl Future<Output = T>) -> T {
    let answer = CAST.scope(cast, REQUEST.scope(headers.clone(), answer));
    BASE.scope(prefix(headers).to_owned(), answer).await
}

/// Answers a request about a network of this layer, which decides what is in the menu.
pub(crate) async fn on_layer<T>(layer: LayerName, answer: impl Future<Output = T>) -> T {
    LAYER.scope(layer, answer).await
}

/// Answers a request about a moment of a recording.
pub(crate) async fn at_moment<T>(moment: Moment, answer: impl Future<Output = T>) -> T {
    MOMENT.scope(moment, answer).await
}

/// The moment of this request; `None` if the network is live.
pub(super) fn moment() -> Option<Moment> {
    MOMENT.try_with(Clone::clone).ok()
}

/// Whether the network of this request has programs.
pub(super) fn has_programs() -> bool {
    LAYER.try_with(|layer| layer.has_programs()).unwrap_or_default()
}

/// Renders with the names of `cast`, outside of a request.
pub(crate) fn with_cast<T>(cast: Cast, render: impl FnOnce() -> T) -> T {
    CAST.sync_scope(cast, render)
}

/// The names of this request; none outside of one.
pub(crate) fn cast() -> Cast {
    CAST.try_with(Clone::clone).unwrap_or_default()
}

/// The headers of the request that is answered; none outside of one.
pub(super) fn request() -> HeaderMap {
    REQUEST.try_with(Clone::clone).unwrap_or_default()
}

/// The path that the proxy of a request names.
pub(crate) fn prefix_of(headers: &HeaderMap) -> String {
    prefix(headers).to_owned()
}

/// The path, without a slash at its end: empty at the root.
pub(super) fn current() -> String {
    BASE.try_with(Clone::clone).unwrap_or_default()
}

/// A page with its links below `base`.
pub(crate) fn links(page: String, base: &str) -> String {
    if base.is_empty() {
        return page;
    }
    LINKS.iter().fold(page, |page, link| page.replace(link, &format!("{}{base}/", &link[..link.len() - 1])))
}

/// A page whose links to other pages keep this query, unless they have a moment of their own.
pub(super) fn with_query(page: &str, query: &str) -> String {
    const LINK: &str = " href=\"/";
    let mut kept = String::with_capacity(page.len() * 5 / 4);
    let mut rest = page;
    while let Some(at) = rest.find(LINK) {
        let (before, link) = rest.split_at(at + LINK.len() - 1);
        let (url, after) = link.split_at(link.find('"').unwrap_or(link.len()));
        let (path, place) = url.split_at(url.find('#').unwrap_or(url.len()));
        kept.push_str(before);
        kept.push_str(path);
        if !(path.starts_with("/assets/") || path.contains("?t=") || path.starts_with("/openapi")) {
            kept.push_str(if path.contains('?') { "&amp;" } else { "?" });
            kept.push_str(query);
        }
        kept.push_str(place);
        rest = after;
    }
    kept + rest
}

/// Only plain paths: the value goes into pages.
fn prefix(headers: &HeaderMap) -> &str {
    let value = headers.get("x-forwarded-prefix").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let path = value.trim_end_matches('/');
    let is_plain = |piece: &str| {
        !piece.is_empty() && piece.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_' | b'.' | b'~'))
    };
    match path.strip_prefix('/') {
        Some(pieces) if path.len() <= MAX_CHARS && pieces.split('/').all(is_plain) => path,
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn prefix_in(value: &'static str) -> String {
        let headers = [(http::HeaderName::from_static("x-forwarded-prefix"), HeaderValue::from_static(value))];
        prefix(&headers.into_iter().collect()).to_owned()
    }

    #[test]
    fn only_plain_paths_are_taken() {
        for (value, expected) in [
            ("/lab", "/lab"),
            ("/lab/", "/lab"),
            ("/a-b/c.d", "/a-b/c.d"),
            ("/", ""),
            ("lab", ""),
            ("//evil.example", ""),
            ("/lab//x", ""),
            ("/\"><script>", ""),
            ("/%2e", ""),
            ("", ""),
        ] {
            assert_eq!(prefix_in(value), expected, "{value}");
        }
    }

    #[test]
    fn links_get_the_path_and_text_stays() {
        let page = "<a href=\"/block/5\" x><script src=\"/assets/live.js\"></script>&quot; href=/a <a href=\"#top\">";
        let below = links(page.to_owned(), "/lab");
        assert_eq!(
            below,
            "<a href=\"/lab/block/5\" x><script src=\"/lab/assets/live.js\"></script>&quot; href=/a <a href=\"#top\">"
        );
        assert_eq!(links(page.to_owned(), ""), page);
    }

    #[test]
    fn links_of_a_recording_keep_their_moment() {
        let page = "<a href=\"/block/5#top\"><a href=\"/charts?blocks=100\"><a href=\"/?t=9\"><a href=\"#x\">\
            <link href=\"/assets/a.css\">&quot; href=/a";
        assert_eq!(
            with_query(page, "t=1.5"),
            "<a href=\"/block/5?t=1.5#top\"><a href=\"/charts?blocks=100&amp;t=1.5\"><a href=\"/?t=9\">\
                <a href=\"#x\"><link href=\"/assets/a.css\">&quot; href=/a"
        );
        assert_eq!(with_query(" href=\"/torn", "t=1"), " href=\"/torn?t=1");
    }

    #[tokio::test]
    async fn the_path_is_that_of_the_request_that_is_answered() {
        let headers = [(http::HeaderName::from_static("x-forwarded-prefix"), HeaderValue::from_static("/lab"))];
        assert_eq!(below(&headers.into_iter().collect(), Cast::default(), async { current() }).await, "/lab");
        assert_eq!(current(), "");
    }
}
