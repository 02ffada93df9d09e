//! `/docs`: Swagger UI, built into the program, under a policy that allows it no other source.

use super::problem::{internal, not_found};
use super::reply::{self, Response};
use http::header::{CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue};
use shared::wire::Problem;
use std::sync::{Arc, LazyLock};
use utoipa_swagger_ui::Config;

/// Scripts come only from our files; Swagger UI needs style attributes, and data: URLs for its icons.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
     connect-src 'self'; base-uri 'self'; form-action 'none'; frame-ancestors 'none'",
);

// "none" keeps the page from sending the description to Swagger's public validator.
static CONFIG: LazyLock<Arc<Config<'static>>> =
    LazyLock::new(|| Arc::new(Config::from("/openapi.json").validator_url("none")));

/// A file of Swagger UI; the empty name is its page.
pub(super) fn file(name: &str) -> Result<Response, Problem> {
    let found = utoipa_swagger_ui::serve(name, CONFIG.clone()).map_err(|error| internal(error.to_string()))?;
    let Some(file) = found else { return Err(not_found(format!("no file {name:?} under /docs"))) };
    let mut response = if name.is_empty() || name == "index.html" {
        // The page refers to its files relative to its folder, but is also served at /docs, without the slash.
        let page = String::from_utf8_lossy(&file.bytes).replacen("<head>", "<head><base href=\"/docs/\">", 1);
        reply::html(page)
    } else {
        reply::text(file.bytes.into_owned())
    };
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, POLICY);
    if let Ok(content_type) = HeaderValue::from_str(&file.content_type) {
        headers.insert(CONTENT_TYPE, content_type);
    }
    if file.gzpipped {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    Ok(response)
}
