//! A router for routes that are described elsewhere; goes as soon as the explorer states its routes in a `Router`.

use super::route::{Answer, Handler, Route};
use super::router::Router;
use http::Method;
use std::time::Duration;
use utoipa::openapi::OpenApi;

impl<S: 'static> Router<S> {
    /// A router with every operation of `api`, all answered by `handler`, within the deadline that `deadline` gives a
    /// path.
    pub fn from_openapi<F: Answer>(
        api: OpenApi,
        deadline: impl Fn(&str) -> Option<Duration>,
        handler: impl Handler<S, F> + Clone,
    ) -> Self {
        let mut router = Self::new(&api.info.title, api.info.description.as_deref().unwrap_or_default());
        router.components = api.components.unwrap_or_default().schemas;
        for (path, item) in api.paths.paths {
            for (method, operation) in [(Method::GET, item.get), (Method::POST, item.post)] {
                let Some(operation) = operation else { continue };
                let mut route = Route::new(method, &path, "", handler.clone());
                route.operation = Some(operation);
                route.endpoint.deadline = deadline(&path);
                router.routes.push(route);
            }
        }
        router.fallback(handler)
    }
}
