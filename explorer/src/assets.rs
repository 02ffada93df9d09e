//! The styles, scripts and the icon of pages, built into the program. Browsers cache them and ask whether they changed.

use http::header::{CACHE_CONTROL, ETAG, HeaderValue, IF_NONE_MATCH};
use http::{HeaderMap, StatusCode};
use runtime::server::{self, Request, Response, compress, reply};
use shared::block::DataHash;
use shared::wire::Problem;

struct Asset {
    name: &'static str,
    media_type: &'static str,
    content: &'static str,
}

const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

macro_rules! asset {
    ($name:literal, $media_type:expr) => {
        Asset { name: $name, media_type: $media_type, content: include_str!(concat!("../assets/", $name)) }
    };
}

static ASSETS: &[Asset] = &[
    asset!("address.js", SCRIPT),
    asset!("base.js", SCRIPT),
    asset!("bech32m.js", SCRIPT),
    asset!("coin-payment.js", SCRIPT),
    asset!("coins.css", CSS),
    asset!("copy.js", SCRIPT),
    asset!("grains.js", SCRIPT),
    asset!("icon.svg", SVG),
    asset!("keys.js", SCRIPT),
    asset!("learn-block.js", SCRIPT),
    asset!("learn-card.js", SCRIPT),
    asset!("learn-chain.js", SCRIPT),
    asset!("learn-hash.js", SCRIPT),
    asset!("learn-peers.js", SCRIPT),
    asset!("learn-rules.js", SCRIPT),
    asset!("learn-signature.js", SCRIPT),
    asset!("learn-workshop.js", SCRIPT),
    asset!("learn.js", SCRIPT),
    asset!("live.js", SCRIPT),
    asset!("miner.js", SCRIPT),
    asset!("node.js", SCRIPT),
    asset!("recording.js", SCRIPT),
    asset!("rewind.js", SCRIPT),
    asset!("program-call.js", SCRIPT),
    asset!("programs.css", CSS),
    asset!("sha256.js", SCRIPT),
    asset!("stage.css", CSS),
    asset!("stage.js", SCRIPT),
    asset!("steps-keys.js", SCRIPT),
    asset!("steps.js", SCRIPT),
    asset!("style.css", CSS),
    asset!("theft.js", SCRIPT),
    asset!("wallet-api.js", SCRIPT),
    asset!("wallet-coins.js", SCRIPT),
    asset!("wallet-dom.js", SCRIPT),
    asset!("wallet-earn.js", SCRIPT),
    asset!("wallet-history.js", SCRIPT),
    asset!("wallet-keeping.js", SCRIPT),
    asset!("wallet-names.js", SCRIPT),
    asset!("wallet-payment.js", SCRIPT),
    asset!("wallet-send.js", SCRIPT),
    asset!("wallet-store.js", SCRIPT),
    asset!("wallet.js", SCRIPT),
];

/// The path of a file, for links.
pub(crate) fn path(name: &str) -> String {
    format!("/assets/{name}")
}

/// Answers `GET /assets/{name}`.
pub(crate) fn get(request: &Request) -> Result<Response, Problem> {
    let [name] = request.params()?;
    let Some(asset) = ASSETS.iter().find(|asset| asset.name == name) else {
        return Err(server::not_found(format!("there is no file {name:?}")));
    };
    let tag = format!("W/\"{}\"", DataHash::of(asset.content));
    let is_known = request.header(&IF_NONE_MATCH).is_some_and(|known| known == tag);
    let mut response = if is_known {
        reply::whole(StatusCode::NOT_MODIFIED, asset.media_type, Default::default())
    } else {
        let mut headers = HeaderMap::new();
        let body = compress::body(&request.headers, &mut headers, asset.content.into());
        let mut response = reply::whole(StatusCode::OK, asset.media_type, body);
        response.headers_mut().extend(headers);
        response
    };
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(ETAG, tag);
    }
    Ok(response)
}
