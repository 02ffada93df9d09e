//! The routes as requests are matched against them: which endpoint a path and method have, which methods a path has,
//! and bounded labels for metrics.

use super::path::MAX_PIECES;
use super::route::{BoxHandler, Endpoint, Route};
use super::template::{param, pieces};
use http::header::HeaderValue;
use http::{Method, StatusCode};
use metrics::{Counter, Histogram, counter, histogram};
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// All paths of a service.
pub(super) struct Table<S> {
    paths: Vec<PathEntry<S>>,
    /// By the first piece of paths: clients cannot make new labels.
    meters: Vec<(String, Arc<RouteMeter>)>,
    other: Arc<RouteMeter>,
    pub(super) fallback: Option<BoxHandler<S>>,
}

/// A path and its endpoints by method.
pub(super) struct PathEntry<S> {
    template: String,
    /// `None` is a parameter.
    pieces: Vec<Option<String>>,
    endpoints: Vec<(Method, Arc<Endpoint<S>>)>,
    /// Bit `n` is set where piece `n` is a parameter.
    pub(super) params: u8,
    /// The header `Allow` of a 405.
    pub(super) allow: HeaderValue,
}

impl<S> Table<S> {
    /// # Errors
    /// If a path is malformed, or two routes have the same path and method.
    pub(super) fn new(routes: Vec<Route<S>>, fallback: Option<BoxHandler<S>>, service: &str) -> io::Result<Self> {
        let other = Arc::new(RouteMeter::new(service, "other"));
        let mut table = Self { paths: Vec::new(), meters: Vec::new(), other, fallback };
        for Route { path, methods, endpoint, .. } in routes {
            let pieces: Vec<_> = pieces(&path).map(|piece| param(piece).is_none().then(|| piece.to_owned())).collect();
            if !path.starts_with('/') || pieces.len() > MAX_PIECES {
                return Err(io::Error::other(format!("{path:?} is no path of a route")));
            }
            if let Some(Some(first)) = pieces.first()
                && table.meters.iter().all(|(name, _)| name != first)
            {
                table.meters.push((first.clone(), Arc::new(RouteMeter::new(service, first))));
            }
            let entry = table.entry(&path, pieces);
            let endpoint = Arc::new(endpoint);
            for method in methods {
                if entry.endpoint(&method).is_some() {
                    return Err(io::Error::other(format!("two routes for {method} {path}")));
                }
                entry.endpoints.push((method, endpoint.clone()));
            }
        }
        for entry in &mut table.paths {
            entry.allow = entry.allowed_methods();
        }
        // Stable: a path without parameters comes before those that would match it too.
        table.paths.sort_by_key(|entry| entry.params.count_ones());
        Ok(table)
    }

    fn entry(&mut self, path: &str, pieces: Vec<Option<String>>) -> &mut PathEntry<S> {
        let place = self.paths.iter().position(|entry| entry.pieces == pieces).unwrap_or_else(|| {
            let params = pieces.iter().rev().fold(0, |mask, piece| mask << 1 | u8::from(piece.is_none()));
            let (template, allow) = (path.to_owned(), HeaderValue::from_static(""));
            self.paths.push(PathEntry { template, pieces, endpoints: Vec::new(), params, allow });
            self.paths.len() - 1
        });
        &mut self.paths[place]
    }

    /// The path that a request's pieces match, if there is one.
    pub(super) fn find(&self, segments: &[&str]) -> Option<&PathEntry<S>> {
        self.paths.iter().find(|entry| entry.matches(segments))
    }

    /// Where a request is counted: by the first piece of its path, so that labels stay few.
    pub(super) fn meter(&self, segments: &[&str]) -> &RouteMeter {
        let meter = segments.first().and_then(|first| self.meters.iter().find(|(name, _)| name == first));
        meter.map_or(&self.other, |(_, meter)| meter)
    }

    pub(super) fn other_meter(&self) -> &RouteMeter {
        &self.other
    }
}

impl<S> PathEntry<S> {
    /// The path as the route states it.
    pub(super) fn template(&self) -> &str {
        &self.template
    }

    pub(super) fn endpoint(&self, method: &Method) -> Option<&Arc<Endpoint<S>>> {
        self.endpoints.iter().find(|(have, _)| have == method).map(|(_, endpoint)| endpoint)
    }

    fn matches(&self, segments: &[&str]) -> bool {
        let same = |(piece, segment): (&Option<String>, &&str)| piece.as_ref().is_none_or(|piece| piece == segment);
        self.pieces.len() == segments.len() && self.pieces.iter().zip(segments).all(same)
    }

    fn allowed_methods(&self) -> HeaderValue {
        let mut names = Vec::new();
        for (method, _) in &self.endpoints {
            names.push(method.as_str());
            if method == Method::GET {
                names.push("HEAD");
            }
        }
        HeaderValue::from_str(&names.join(", ")).unwrap_or(HeaderValue::from_static(""))
    }
}

/// Requests and their durations on the paths that begin with one piece.
#[derive(Debug)]
pub(super) struct RouteMeter {
    /// 2xx to 5xx; the kit sends no other status.
    by_class: [Counter; 4],
    seconds: Histogram,
}

impl RouteMeter {
    fn new(service: &str, route: &str) -> Self {
        let (service, route) = (service.to_owned(), route.to_owned());
        let labels = || [("service", service.clone()), ("route", route.clone())];
        let counter = |class: &str| {
            let labels: Vec<_> = labels().into_iter().chain([("status", class.to_owned())]).collect();
            counter!("chainlab_http_requests_total", &labels)
        };
        Self {
            by_class: ["2xx", "3xx", "4xx", "5xx"].map(counter),
            seconds: histogram!("chainlab_http_request_seconds", &labels()),
        }
    }

    /// Counts one request that took `elapsed` until its answer began.
    pub(super) fn record(&self, status: StatusCode, elapsed: Duration) {
        if let Some(counter) = self.by_class.get(usize::from(status.as_u16() / 100).wrapping_sub(2)) {
            counter.increment(1);
        }
        self.seconds.record(elapsed.as_secs_f64());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::{get, post, reply};

    fn route(path: &str) -> Route<()> {
        get(path, "", |_, _| async { Ok(reply::text("")) })
    }

    fn table(routes: Vec<Route<()>>) -> io::Result<Table<()>> {
        Table::new(routes, None, "test")
    }

    #[test]
    fn a_path_without_parameters_is_preferred_whatever_the_order() {
        let table = table(vec![route("/node/{name}"), route("/node/all"), route("/{any}/all"), route("/")]).unwrap();
        let template = |segments: &[&str]| table.find(segments).map(PathEntry::template);
        assert_eq!(template(&["node", "all"]), Some("/node/all"));
        assert_eq!(template(&["node", "a"]), Some("/node/{name}"));
        assert_eq!(template(&["node", ""]), Some("/node/{name}"));
        assert_eq!(template(&["pool", "all"]), Some("/{any}/all"));
        assert_eq!(template(&[]), Some("/"));
        assert_eq!((template(&["node"]), template(&["node", "a", "b"])), (None, None));
        assert_eq!(table.find(&["node", "a"]).map(|entry| entry.params), Some(0b10));
    }

    #[test]
    fn a_path_allows_the_methods_of_all_its_routes() {
        let answer = |_, _| async { Ok(reply::text("")) };
        let routes = vec![route("/a"), post("/a", "", answer).also(Method::PUT), post("/b", "", answer)];
        let table = table(routes).unwrap();
        let allow = |name| table.find(&[name]).unwrap().allow.to_str().unwrap().to_owned();
        assert_eq!([allow("a"), allow("b")], ["GET, HEAD, POST, PUT", "POST"]);
    }

    #[test]
    fn routes_that_contradict_each_other_are_refused() {
        for (routes, reason) in [
            (vec![route("/a"), route("/a")], "two routes for GET /a"),
            (vec![route("/a/{b}"), route("/a/{c}")], "two routes for GET /a/{c}"),
            (vec![route("a")], "no path"),
            (vec![route("/1/2/3/4/5/6/7/8/9")], "no path"),
        ] {
            let error = table(routes).err().map(|error| error.to_string()).unwrap_or_default();
            assert!(error.contains(reason), "{error:?} does not say {reason}");
        }
    }
}
