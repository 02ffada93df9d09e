//! What the OpenAPI description says of paths, put to use: which methods a path has, and bounded labels for metrics.
//!
//! Routing itself is each service's `match`; nothing here decides who answers.

use super::path::RequestPath;
use http::{Method, StatusCode};
use metrics::{Counter, Histogram, counter, histogram};
use std::collections::HashMap;
use std::time::Duration;
use utoipa::openapi::OpenApi;

/// The described paths and their methods.
#[derive(Debug)]
pub(super) struct Routes(Vec<(Vec<String>, Vec<Method>)>);

impl Routes {
    pub(super) fn new(api: &OpenApi) -> Self {
        let routes = api.paths.paths.iter().map(|(path, item)| {
            let all = [
                (item.get.is_some(), Method::GET),
                (item.get.is_some() || item.head.is_some(), Method::HEAD),
                (item.post.is_some(), Method::POST),
                (item.put.is_some(), Method::PUT),
                (item.delete.is_some(), Method::DELETE),
                (item.patch.is_some(), Method::PATCH),
            ];
            let methods = all.into_iter().filter_map(|(there, method)| there.then_some(method)).collect();
            (pieces(path).map(str::to_owned).collect(), methods)
        });
        Self(routes.collect())
    }

    /// The methods of a path; none if it is not described.
    pub(super) fn methods(&self, segments: &[&str]) -> Vec<Method> {
        let fits = |route: &[String]| {
            route.len() == segments.len()
                && route.iter().zip(segments).all(|(piece, segment)| piece == segment || piece.starts_with('{'))
        };
        self.0.iter().find(|(route, _)| fits(route)).map(|(_, methods)| methods.clone()).unwrap_or_default()
    }
}

fn pieces(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|piece| !piece.is_empty())
}

/// Counters and a latency histogram for each first piece of a described path, and one set for everything else: a
/// client cannot make new labels.
#[derive(Debug)]
pub(super) struct RouteMetrics {
    routes: HashMap<String, RouteMeter>,
    other: RouteMeter,
}

impl RouteMetrics {
    pub(super) fn new(api: &OpenApi, service: &str) -> Self {
        let names = api.paths.paths.keys().filter_map(|path| pieces(path).next());
        let routes = names.map(|name| (name.to_owned(), RouteMeter::new(service, name))).collect();
        Self { routes, other: RouteMeter::new(service, "other") }
    }

    pub(super) fn of(&self, path: &RequestPath) -> &RouteMeter {
        path.segments().first().and_then(|first| self.routes.get(*first)).unwrap_or(&self.other)
    }

    pub(super) const fn other(&self) -> &RouteMeter {
        &self.other
    }
}

/// What is measured of one route.
#[derive(Debug)]
pub(super) struct RouteMeter {
    /// 2xx to 5xx; nothing else is ever answered.
    by_class: [Counter; 4],
    seconds: Histogram,
}

impl RouteMeter {
    fn new(service: &str, route: &str) -> Self {
        let counter = |class: &'static str| counter!("chainlab_http_requests_total", "service" => service.to_owned(), "route" => route.to_owned(), "status" => class);
        Self {
            by_class: ["2xx", "3xx", "4xx", "5xx"].map(counter),
            seconds: histogram!("chainlab_http_request_seconds", "service" => service.to_owned(), "route" => route.to_owned()),
        }
    }

    /// One request that took `elapsed` until its answer began.
    pub(super) fn record(&self, status: StatusCode, elapsed: Duration) {
        if let Some(counter) = self.by_class.get(usize::from(status.as_u16() / 100).wrapping_sub(2)) {
            counter.increment(1);
        }
        self.seconds.record(elapsed.as_secs_f64());
    }
}
