//! The front page of a service that has no page of its own: what a person sees who opens its address in a browser.
//! Other clients get 404 there.

use super::reply::{self, Response};
use super::request::Request;
use super::router::Router;
use http::Method;
use http::header::{HeaderValue, VARY};
use std::fmt::Write;
use utoipa::openapi::path::Parameter;
use utoipa::openapi::{RefOr, Required};

/// The page, written once.
pub(super) struct FrontPage(String);

impl FrontPage {
    /// `explorer` is the `host:port` of the explorer that the service's configuration names.
    pub(super) fn new<S>(router: &Router<S>, explorer: Option<&str>) -> Self {
        let title = escaped(&router.title);
        let mut page = format!(
            "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
             <meta name=\"color-scheme\" content=\"light dark\"></head>\n<body><h1>{title}</h1>\n<p>{}</p>\n\
             <p>This is a service for programs: it speaks JSON, at the addresses below.{} \
             <a href=\"/docs\">Try them on a page</a>.</p>\n",
            escaped(&router.description),
            explorer.map(place_of_explorer).unwrap_or_default(),
        );
        for tag in &router.tags {
            let lines = endpoints(router, &tag.name);
            let about = escaped(tag.description.as_deref().unwrap_or(&tag.name));
            // Writing into a string does not fail.
            let _ = write!(page, "<h2>{about}</h2>\n<ul>\n{lines}</ul>\n");
        }
        page.push_str("</body></html>\n");
        Self(page)
    }

    /// The page, if a browser opens the address of the service.
    pub(super) fn answer(&self, request: &Request) -> Option<Response> {
        let is_root = request.method == Method::GET && request.path.as_str() == "/";
        // Browsers name HTML when a person opens an address; programs do not.
        if !is_root || !request.names_type("text/html") {
            return None;
        }
        let mut response = reply::html(self.0.clone());
        response.headers_mut().insert(VARY, HeaderValue::from_static("accept"));
        Some(response)
    }
}

fn place_of_explorer(explorer: &str) -> String {
    let url = format!("http://{}/", escaped(explorer));
    format!(" To watch the network, open the explorer, at <a href=\"{url}\">{url}</a> if one was started there.")
}

/// The described endpoints of a group. What can be read without required parameters is a link.
fn endpoints<S>(router: &Router<S>, tag: &str) -> String {
    let mut lines = String::new();
    for route in &router.routes {
        let Some(operation) = &route.operation else { continue };
        if operation.tags.iter().flatten().all(|name| name != tag) {
            continue;
        }
        let summary = escaped(operation.summary.as_deref().unwrap_or_default());
        let path = escaped(&route.path);
        let is_link = route.methods.contains(&Method::GET)
            && !route.path.contains('{')
            && !operation.parameters.iter().flatten().any(is_required)
            && !route.endpoint.changes_state
            && !route.endpoint.needs_token;
        let place = if is_link { format!("<a href=\"{path}\">{path}</a>") } else { path };
        let method = route.methods.first().map_or("", Method::as_str);
        // Writing into a string does not fail.
        let _ = writeln!(lines, "<li><code>{method} {place}</code> {summary}</li>");
    }
    lines
}

fn is_required(parameter: &RefOr<Parameter>) -> bool {
    matches!(parameter, RefOr::T(parameter) if parameter.required == Required::True)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::super::{get, post};
    use super::*;

    #[derive(utoipa::IntoParams)]
    #[expect(dead_code, reason = "only described")]
    struct NeedsIndex {
        index: String,
    }

    #[test]
    fn the_page_lists_endpoints_and_links_those_that_can_be_read() {
        let text = |_, _: Request| async { Ok(reply::text("")) };
        let routes = [
            get("/info", "What <it> is", text),
            get("/block/{id}", "A block", text),
            get("/block", "A block by its number", text).query::<NeedsIndex>(),
            post("/mine", "Mines", text).needs_token(),
            get("/register", "Registers", text).changes_state(),
            get("/hidden", "", text).undescribed(),
        ];
        let router = Router::<()>::new("Node", "Serves & mines.").group("all", "All of it", routes);
        let FrontPage(page) = FrontPage::new(&router, Some("127.0.0.1:8080"));
        for part in [
            "<h1>Node</h1>",
            "Serves &amp; mines.",
            "<a href=\"/info\">/info</a></code> What &lt;it&gt; is",
            "<code>GET /block/{id}</code>",
            "<code>GET /block</code>",
            "<code>POST /mine</code>",
            "<code>GET /register</code>",
            "<a href=\"http://127.0.0.1:8080/\">",
        ] {
            assert!(page.contains(part), "{part}: {page}");
        }
        assert!(!page.contains("hidden") && !page.contains("style"), "{page}");
        assert!(!FrontPage::new(&router, None).0.contains("explorer"));
    }
}
