//! The frame of every page, and the small parts that pages share.
//!
//! maud escapes all text that is put into a page. `PreEscaped` must never be used for text from outside.

mod base;
pub(crate) mod chart;
mod flow;
mod parts;
#[cfg(test)]
mod snapshot;

pub(crate) use base::{Moment, at_moment, below, cast, links, on_layer, prefix_of, with_cast};
pub(crate) use flow::{End, Flow, Note};
pub(crate) use parts::{
    address, amount, block_link, bytes, chip, coin_link, copyable, digits, exact_time, explained, finder, money, node,
    number, program, program_name, raw_json, recheck, sanitized, short, thin, time, transaction_link, words,
};
#[cfg(test)]
pub(crate) use snapshot::snapshot;

use crate::assets;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, ETAG, HeaderValue, IF_NONE_MATCH, LOCATION};
use http::{HeaderMap, StatusCode};
use maud::{DOCTYPE, Markup, html};
use runtime::server::{self, Response, compress, reply};
use shared::block::DataHash;
use shared::wire::Problem;

/// Nothing from other origins, no inline script, no inline style. Charts use attributes of SVG instead of styles.
const SECURITY_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri \
        'none'; form-action 'self'; frame-ancestors 'none'",
);

/// Redirects to a page of the explorer. `path` must be built from parsed values, never from a request's text.
pub(crate) fn redirect(path: &str) -> Result<Response, Problem> {
    let to = HeaderValue::from_str(&format!("{}{path}", base::current()))
        .map_err(|error| server::internal(error.to_string()))?;
    let mut response = reply::whole(StatusCode::FOUND, "text/plain; charset=utf-8", Default::default());
    response.headers_mut().insert(LOCATION, to);
    Ok(response)
}

/// The entry that only networks with programs have.
const PROGRAMS: &str = "/programs";

/// The menu: paths and names.
const MENU: [(&str, &str); 7] = [
    ("/", "Network"),
    ("/blocks", "Blocks"),
    ("/transactions", "Transactions"),
    (PROGRAMS, "Programs"),
    ("/charts", "Charts"),
    ("/learn", "Learn"),
    ("/wallet", "Wallet"),
];

pub(crate) struct Page<'a> {
    pub(crate) title: &'a str,
    /// The path of the menu entry that it belongs to; empty if none.
    pub(crate) place: &'a str,
    /// Names in `assets/` of the ES modules that it needs besides `live.js`.
    pub(crate) scripts: &'a [&'a str],
    pub(crate) main: Markup,
}

impl Page<'_> {
    /// The page with status 200.
    pub(crate) fn response(self) -> Response {
        self.with_status(StatusCode::OK)
    }

    pub(crate) fn with_status(self, status: StatusCode) -> Response {
        let mut body = self.render().into_string();
        if let Some(moment) = base::moment() {
            body = base::with_query(&body, &moment.query);
        }
        let body = base::links(body, &base::current());
        let request = base::request();
        // Weak: the page is the same, whether it is compressed or not.
        let tag = format!("W/\"{}\"", DataHash::of(&body));
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_SECURITY_POLICY, SECURITY_POLICY);
        // Browsers ask each time, and get the page only if it has changed.
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache, private"));
        let is_known = status == StatusCode::OK && request.get(IF_NONE_MATCH).is_some_and(|known| *known == tag);
        if let Ok(tag) = HeaderValue::from_str(&tag) {
            headers.insert(ETAG, tag);
        }
        let (status, body) = if is_known {
            (StatusCode::NOT_MODIFIED, Default::default())
        } else {
            (status, compress::body(&request, &mut headers, body.into()))
        };
        let mut response = reply::whole(status, "text/html; charset=utf-8", body);
        response.headers_mut().extend(headers);
        response
    }

    pub(crate) fn render(&self) -> Markup {
        let (base, moment) = (base::current(), base::moment());
        let scripts: Vec<&str> = match moment {
            Some(_) => vec!["recording.js"],
            None => ["live.js"].iter().chain(self.scripts).copied().collect(),
        };
        // The page of Swagger UI works at the root only.
        let docs = if base.is_empty() { "/docs/" } else { "/openapi.json" };
        html! {
            (DOCTYPE)
            html lang="en" data-base=[(!base.is_empty()).then_some(&base)] {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { (self.title) " · Chainlab" }
                    link rel="icon" type="image/svg+xml" href=(assets::path("icon.svg"));
                    link rel="stylesheet" href=(assets::path("style.css"));
                    @if self.place == "/" || moment.is_some() {
                        link rel="stylesheet" href=(assets::path("stage.css"));
                    }
                    @for script in scripts {
                        script type="module" src=(assets::path(script)) {}
                    }
                }
                body {
                    a.skip href="#main" { "Skip to the page" }
                    header.top {
                        a.brand href="/" { "Chainlab" }
                        nav id=[moment.as_ref().map(|_| "pages")] data-part[moment.is_some()] aria-label="Pages" {
                            @for (path, name) in menu(moment.is_some()) {
                                a href=(path) aria-current=[(path == self.place).then_some("page")] { (name) }
                            }
                        }
                        @if moment.is_none() { (search()) }
                    }
                    @if let Some(moment) = &moment { (moment.banner) }
                    main #main tabindex="-1" data-part[moment.is_some()] { (self.main) }
                    footer {
                        p {
                            "A laboratory: the coins are worth nothing. " a href=(docs) { "API" } " "
                            @if moment.is_none() { label { input #show-addresses type="checkbox"; " Show addresses" } }
                        }
                    }
                }
            }
        }
    }
}

/// The entries of the menu: a recording has no payments, programs or wallets.
fn menu(is_recorded: bool) -> impl Iterator<Item = (&'static str, &'static str)> {
    let has_programs = base::has_programs();
    let of_recordings = ["/", "/blocks", "/charts"];
    MENU.into_iter().filter(
        move |(path, _)| {
            if is_recorded { of_recordings.contains(path) } else { *path != PROGRAMS || has_programs }
        },
    )
}

/// Whether the page is up to date, and the search.
fn search() -> Markup {
    html! {
        // live.js writes here.
        span #live-state role="status" {}
        form.search role="search" action="/search" {
            label.hidden for="search" { "Search" }
            input #search name="q" type="search" required placeholder="name, height, hash or address"
                autocomplete="off" spellcheck="false";
            button { "Search" }
        }
    }
}
