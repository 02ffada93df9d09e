//! The film of the first page: `record` adds a frame whenever the chain or the state of the network changes, and
//! `/api/film` and `/api/moment` serve it.

use crate::pages::network::{self, scene_now};
use crate::stage::film::{Chapter, Frame};
use crate::stage::scene::Scene;
use crate::stage::standing::Standing;
use crate::state::ExplorerState;
use crate::thefts::TheftNews;
use crate::view;
use http::HeaderMap;
use runtime::server::{self, Request, Response, compress, reply};
use serde::{Deserialize, Serialize};
use shared::block::{BlockHash, Timestamp};
use shared::wire::Problem;
use std::collections::BTreeMap;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

/// Time from a change to its frame: until then, the contents of a new block have arrived.
const SETTLE: Duration = Duration::from_millis(400);
/// Some states change with time alone.
const TICK: Duration = Duration::from_secs(1);

/// The film, for the page's slider.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct FilmIndex {
    /// Seconds from the beginning of the film to now.
    now: f64,
    frames: Vec<FrameIndex>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct FrameIndex {
    /// Seconds since the beginning of the film.
    t: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    chapter: Option<Chapter>,
}

/// The first page at an earlier moment.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Moment {
    /// Seconds since the beginning of the film.
    t: f64,
    at: Timestamp,
    /// The HTML of each part of the page, by its id.
    parts: BTreeMap<&'static str, String>,
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct MomentQuery {
    /// Seconds since the beginning of the film.
    t: f64,
}

/// What a frame is about; a new one is made when it differs.
#[derive(PartialEq)]
struct Subject {
    state: Option<Chapter>,
    /// The blocks of the picture, and whether they count.
    blocks: Vec<(BlockHash, bool)>,
    /// The tip of each node.
    tips: Vec<(String, BlockHash)>,
    thefts: Option<TheftNews>,
}

/// Records the film until `shutdown`.
pub(crate) async fn record(explorer: Arc<ExplorerState>, shutdown: CancellationToken) {
    let recording = async {
        let mut state = explorer.monitor.subscribe();
        let mut last: Option<Subject> = None;
        loop {
            state.borrow_and_update();
            let now = network::outline_now(&explorer);
            // The film begins with the first node that answers.
            let has_begun = last.is_some() || !matches!(now.standing, Standing::Nobody);
            if has_begun && last.as_ref() != Some(&Subject::of(&now)) {
                sleep(SETTLE).await;
                let scene = scene_now(&explorer).await;
                let subject = Subject::of(&scene);
                let chapter = match &last {
                    None => Some(Chapter::Start),
                    Some(last) => subject.state.filter(|_| subject.state != last.state),
                };
                film(&explorer).push(frame(&scene, chapter));
                last = Some(subject);
            }
            // Fails only when the monitor ends, and then the explorer stops.
            let _ = timeout(TICK, state.changed()).await;
        }
    };
    tokio::select! {
        () = shutdown.cancelled() => {}
        () = recording => {}
    }
}

impl Subject {
    fn of(scene: &Scene) -> Self {
        Self {
            state: match scene.standing {
                Standing::Forked { .. } => Some(Chapter::Fork),
                Standing::Parted { .. } | Standing::Switching { .. } => Some(Chapter::Split),
                Standing::Healed { .. } => Some(Chapter::Healed),
                Standing::Nobody | Standing::Empty { .. } | Standing::Agreed { .. } => None,
            },
            blocks: scene.story.tiles.iter().map(|tile| (tile.block.hash, tile.is_lost)).collect(),
            tips: scene.state.answering().map(|(node, tip)| (node.clone(), tip.hash)).collect(),
            thefts: scene.thefts.clone(),
        }
    }
}

fn frame(scene: &Scene, chapter: Option<Chapter>) -> Frame {
    let draw = |part: &network::Part| {
        (part.id, view::with_cast(scene.cast.clone(), || (part.draw)(scene)).into_string().into())
    };
    Frame { at: scene.now, chapter, parts: network::PARTS.iter().map(draw).collect() }
}

fn film(explorer: &ExplorerState) -> MutexGuard<'_, crate::stage::film::Film> {
    explorer.film.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Forgets the film.
pub(super) fn forget(explorer: &ExplorerState) {
    film(explorer).clear();
}

/// Answers `GET /api/film`.
pub(crate) async fn index(explorer: Arc<ExplorerState>, _: Request) -> Result<Response, Problem> {
    let index = {
        let film = film(&explorer);
        let frames = film.frames().iter().map(|frame| FrameIndex { t: film.seconds(frame.at), chapter: frame.chapter });
        FilmIndex { now: film.seconds(explorer.clock.time()), frames: frames.collect() }
    };
    reply::json(&index)
}

/// Answers `GET /api/moment`.
pub(crate) async fn moment(explorer: Arc<ExplorerState>, request: Request) -> Result<Response, Problem> {
    let MomentQuery { t } = request.query()?;
    if !t.is_finite() {
        return Err(server::bad_request("query: t: expected a number of seconds, as in 143.5"));
    }
    let base = view::prefix_of(&request.headers);
    let moment = {
        let film = film(&explorer);
        let frame = film.at(t).ok_or_else(|| server::not_found("the film has no frame yet; try again in a second"))?;
        let parts = frame.parts.iter().map(|(id, html)| (*id, view::links(html.to_string(), &base)));
        Moment { t: film.seconds(frame.at), at: frame.at, parts: parts.collect() }
    };
    let body = serde_json::to_vec(&moment).map_err(|error| server::internal(error.to_string()))?;
    let mut headers = HeaderMap::new();
    let mut response = reply::json_bytes(compress::body(&request.headers, &mut headers, body.into()));
    response.headers_mut().extend(headers);
    Ok(response)
}
