//! `explorer --recording`: a run of real nodes that the laboratory recorded, on the pages of a live network, at any
//! moment. No network is needed, and nothing is polled.
//!
//! [`playback`] is pure: it feeds the recorded events to the same reducer that live events go to, so that a page shows
//! what it would have shown then. [`pages`] are the pages, [`slider`] chooses the moment.

mod blocks;
mod pages;
mod playback;
mod slider;

use crate::names::NameBook;
use crate::view::{self, Moment, Page};
use crate::{ExplorerError, assets};
use http::StatusCode;
use laboratory::recording::Recording;
use maud::{Markup, html};
use metrics_exporter_prometheus::PrometheusHandle;
use playback::{Playback, Shown};
use runtime::clock::Clock;
use runtime::own_address::OwnAddress;
use runtime::server::{self, Answer, Handler, Request, Response, Route, Router, Service, Shape, get};
use shared::block::Timestamp;
use shared::config::Config;
use shared::wire::{Info, Problem};
use std::fmt;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// What an explorer needs to show a recording.
pub struct RecordingSettings {
    /// Sections `[explorer]` and `[http]`; the rules of the network are those of the recording.
    pub config: Config,
    /// The recorded run.
    pub recording: Recording,
    /// Names of people, and letters of nodes.
    pub names: NameBook,
    /// Renders `/metrics`.
    pub metrics: Option<PrometheusHandle>,
}

impl fmt::Debug for RecordingSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordingSettings").field("config", &self.config).finish_non_exhaustive()
    }
}

/// Serves the pages of a recording on `listener` until `shutdown` is cancelled.
///
/// # Errors
/// See [`ExplorerError`].
pub async fn run_recording(
    listener: TcpListener,
    settings: RecordingSettings,
    shutdown: CancellationToken,
) -> Result<(), ExplorerError> {
    let RecordingSettings { config, recording, names, metrics } = settings;
    let bound = listener.local_addr()?;
    let own = OwnAddress::new(&config.explorer.host, None, bound)?;
    let playback = tokio::task::spawn_blocking(move || Playback::new(recording, names));
    let playback = playback.await.map_err(std::io::Error::other)?;
    let kit = server::Settings { metrics, ..server::Settings::new(&config.http, &config.explorer.host, None) };
    tracing::info!(address = %bound, "explorer shows a recording");
    let started = Clock::new(0).time();
    let state = Arc::new(Recorded { playback: Arc::new(playback), address: own.to_string(), started });
    Ok(server::serve(listener, state, router(), kit, shutdown).await?)
}

/// What the handlers share.
pub(crate) struct Recorded {
    playback: Arc<Playback>,
    address: String,
    started: Timestamp,
}

impl Service for Recorded {
    fn info(&self) -> Info {
        let params = self.playback.params();
        Info {
            service: "explorer".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            network_id: params.network_id(),
            network: serde_json::to_value(params.as_ref()).unwrap_or_default(),
            address: self.address.clone(),
            started: self.started,
            tip: Some(self.playback.head().tip),
            peers: None,
            mining: None,
            pool: None,
            members: None,
            health: None,
        }
    }
}

/// What a handler makes of a moment.
struct View {
    title: String,
    place: &'static str,
    status: StatusCode,
    main: Markup,
}

impl View {
    fn new(title: impl Into<String>, place: &'static str, main: Markup) -> Self {
        Self { title: title.into(), place, status: StatusCode::OK, main }
    }

    /// `what` is a sentence that says what does not exist.
    fn not_found(what: Markup) -> Self {
        let main = html! { h1 { "Not found" } p { (what) } p { "Go back to " a href="/" { "the network" } "." } };
        Self { status: StatusCode::NOT_FOUND, ..Self::new("Not found", "", main) }
    }
}

impl Recorded {
    /// The moment `t`, in seconds from the beginning; without one, the beginning.
    ///
    /// # Errors
    /// 400 if it is no number.
    async fn moment(&self, t: Option<f64>) -> Result<Shown, Problem> {
        if t.is_some_and(|t| !t.is_finite()) {
            return Err(server::bad_request("query: t: expected a number of seconds, as in 143.5"));
        }
        let ms = t.map_or(0, |t| self.playback.clamped_ms(t));
        let playback = self.playback.clone();
        let shown = tokio::task::spawn_blocking(move || playback.at(ms)).await;
        shown.map_err(|error| server::internal(error.to_string()))
    }

    /// A page about the moment `t`.
    async fn page(
        &self,
        request: &Request,
        t: Option<f64>,
        view: impl FnOnce(&Playback, &Shown) -> View,
    ) -> Result<Response, Problem> {
        let shown = self.moment(t).await?;
        let playback = &*self.playback;
        let answer = async {
            let View { title, place, status, main } = view(playback, &shown);
            let path = if status == StatusCode::OK { request.path().as_str().to_owned() } else { "/".to_owned() };
            let moment = Moment { query: slider::query(shown.ms), banner: slider::draw(playback, shown.ms, &path) };
            let page = Page { title: &title, place, scripts: &[], main };
            view::at_moment(moment, async { page.with_status(status) }).await
        };
        let layer = playback.params().layer;
        Ok(view::below(&request.headers, shown.scene.cast.clone(), view::on_layer(layer, answer)).await)
    }
}

fn router() -> Router<Recorded> {
    let description = "A recorded run on web pages, at any moment.";
    Router::new("Chainlab explorer, of a recording", description)
        .group("pages", "Web pages", page_routes())
        .group("files", "What pages need besides", file_routes())
        .fallback(pages::not_found)
}

fn page<F: Answer>(path: &str, summary: &str, handler: impl Handler<Recorded, F>) -> Route<Recorded> {
    get(path, summary, handler)
        .returns(Shape::text("text/html"))
        .returns_empty(304, "Unchanged since the ETag in `If-None-Match`")
        .same_origin()
}

fn page_routes() -> Vec<Route<Recorded>> {
    vec![
        page("/", "The network", pages::network).query::<pages::AtQuery>(),
        page("/blocks", "All blocks, newest first", pages::blocks).query::<pages::BlocksQuery>(),
        page("/block/{name}", "A block by its height or hash", pages::block)
            .query::<pages::AtQuery>()
            .refuses_with_page(404, "No node had such a block then"),
        page("/node/{node}", "A node by its host:port", pages::node)
            .query::<pages::AtQuery>()
            .refuses_with_page(404, "There is no such node"),
        page("/charts", "Charts", pages::charts).query::<pages::ChartsQuery>(),
    ]
}

fn file_routes() -> Vec<Route<Recorded>> {
    let asset = |_, request: Request| async move { assets::get(&request) };
    vec![
        get("/charts/{file}", "A chart: its numbers, `<name>.csv`, or its drawing, `<name>.svg`", pages::chart_file)
            .query::<pages::ChartsQuery>()
            .returns(Shape::text("text/csv"))
            .returns(Shape::text("image/svg+xml"))
            .refuses(404, "There is no such chart"),
        get("/assets/{name}", "A script, style or icon", asset)
            .returns(Shape::text("text/javascript"))
            .returns(Shape::text("text/css"))
            .returns(Shape::text("image/svg+xml"))
            .returns_empty(304, "Unchanged since the ETag in `If-None-Match`")
            .refuses(404, "There is no such file"),
    ]
}
