//! The table of routes of a program: each endpoint is stated once, and everything that depends on it is derived.
//!
//! A program has one `router.rs` with all its routes; the kit matches requests against them, refuses other paths with
//! 404 and other methods with 405 and `Allow`, labels metrics, and writes `/openapi.json`:
//!
//! ```
//! use runtime::server::{Request, Response, Router, Shape, get, reply};
//! use shared::chain::Tip;
//! use shared::wire::Problem;
//! use std::sync::Arc;
//!
//! struct State {
//!     heights: Vec<u64>,
//! }
//!
//! async fn tips(state: Arc<State>, _: Request) -> Result<Response, Problem> {
//!     reply::json(&state.heights)
//! }
//!
//! async fn page(_: Arc<State>, request: Request) -> Result<Response, Problem> {
//!     let [name] = request.params()?;
//!     Ok(reply::html(format!("<h1>{}</h1>", name.len())))
//! }
//!
//! async fn missing(_: Arc<State>, request: Request) -> Result<Response, Problem> {
//!     Err(request.no_route())
//! }
//!
//! fn router() -> Router<State> {
//!     Router::new("Example", "Shows how routes are stated.")
//!         .group("chain", "The chain as JSON", [
//!             get("/tips", "The heights of all tips", tips).returns(Shape::plain::<Vec<u64>>()),
//!         ])
//!         .group("pages", "Pages for people", [
//!             get("/page/{name}", "A page", page).returns(Shape::text("text/html")),
//!             get("/assets/{file}", "", page).undescribed(),
//!         ])
//!         .fallback(missing)
//! }
//! # router();
//! ```
//!
//! - A handler is an `async fn(Arc<State>, Request) -> Result<Response, Problem>`; HTML pages and JSON alike.
//! - `{name}` in a path matches one piece, also an empty one; a path without braces is preferred where both match.
//! - Query structs derive `utoipa::IntoParams` beside `Deserialize`, and are then described by [`Route::query`].
//! - [`Router::fallback`] serves paths that no route has, for programs with a page for them.
//! - What holds for every route of a program, whatever its path, is [`Service::admit`](super::Service::admit).

use super::route::{Answer, BoxHandler, Handler, Route, erase_type};
use super::shape::{Components, Shape};
use utoipa::ToSchema;
use utoipa::openapi::tag::{Tag, TagBuilder};

/// All routes of a program, and what its description says of the whole.
pub struct Router<S> {
    pub(super) title: String,
    pub(super) description: String,
    /// What the description says of the token; `None` where no route needs one.
    pub(super) token: Option<String>,
    pub(super) tags: Vec<Tag>,
    pub(super) routes: Vec<Route<S>>,
    pub(super) components: Components,
    pub(super) fallback: Option<BoxHandler<S>>,
}

impl<S> Router<S> {
    /// A router without routes; both texts are for the OpenAPI description.
    pub fn new(title: &str, description: &str) -> Self {
        Self {
            title: title.to_owned(),
            description: description.to_owned(),
            token: None,
            tags: Vec::new(),
            routes: Vec::new(),
            components: Components::default(),
            fallback: None,
        }
    }

    /// Adds routes that belong together; the description lists them under this tag.
    #[must_use]
    pub fn group(mut self, tag: &str, description: &str, routes: impl IntoIterator<Item = Route<S>>) -> Self {
        self.tags.push(TagBuilder::new().name(tag).description(Some(description)).build());
        self.routes.extend(routes.into_iter().map(|mut route| {
            if let Some(operation) = &mut route.operation {
                operation.tags = Some(vec![tag.to_owned()]);
            }
            route
        }));
        self
    }

    /// Describes a type that no answer names, as the data of server-sent events.
    #[must_use]
    pub fn schema<T: ToSchema>(mut self) -> Self {
        Shape::of::<T>().register(&mut self.components);
        self
    }

    /// Describes the token of the routes that need one.
    #[must_use]
    pub fn token(mut self, description: &str) -> Self {
        self.token = Some(description.to_owned());
        self
    }

    /// Answers requests whose path no route has, instead of 404.
    #[must_use]
    pub fn fallback<F: Answer>(mut self, handler: impl Handler<S, F>) -> Self {
        self.fallback = Some(erase_type(handler));
        self
    }
}
