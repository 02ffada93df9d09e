//! From a request on the wire to an answer: the one warp filter, the checks, the service, and what every answer carries.

use super::path::RequestPath;
use super::problem::{internal, problem_response, unavailable};
use super::reply::Response;
use super::request::{BodyStream, LARGE_BODIES_KIB, Request};
use super::routes::{RouteMetrics, Routes};
use super::{ServerContext, Service, Settings, common, guard};
use bytes::{Buf, Bytes};
use futures_util::{FutureExt, Stream, TryStreamExt};
use http::header::{CONTENT_SECURITY_POLICY, HeaderValue, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderMap, HeaderName, Method};
use shared::block::BlockHash;
use shared::wire::Problem;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use warp::path::FullPath;
use warp::{Filter, Rejection};

/// Where a request came from; `connection` attaches it to each.
#[derive(Debug, Clone, Copy)]
pub(super) struct Remote(pub(super) SocketAddr);

/// A service and all that the kit needs to serve it.
pub(super) struct App<S> {
    pub(super) service: Arc<S>,
    pub(super) common: common::Common,
    context: Arc<ServerContext>,
    hosts: guard::Hosts,
    network: Option<BlockHash>,
    meters: RouteMetrics,
}

/// What the warp filter collects.
struct RawRequest {
    method: Method,
    path: FullPath,
    query: String,
    headers: HeaderMap,
    remote: Remote,
    body: BodyStream,
}

/// Collects any request and lets `app` answer it; it rejects none.
pub(super) fn filter<S: Service>(
    app: Arc<App<S>>,
) -> impl Filter<Extract = (Response,), Error = Rejection> + Clone + Send + Sync {
    let query = warp::query::raw().or_else(|_| async { Ok::<_, Infallible>((String::new(),)) });
    warp::method()
        .and(warp::path::full())
        .and(query)
        .and(warp::header::headers_cloned())
        .and(warp::ext::get::<Remote>())
        .and(warp::body::stream().map(boxed))
        .then(move |method, path, query, headers, remote, body| {
            let app = app.clone();
            async move { app.answer(RawRequest { method, path, query, headers, remote, body }).await }
        })
}

/// Gives warp's body a type that can be named. Its chunks are whole `Bytes`, so none is copied.
fn boxed(body: impl Stream<Item = Result<impl Buf + 'static, warp::Error>> + Send + Sync + 'static) -> BodyStream {
    Box::pin(body.map_ok(|mut chunk| chunk.copy_to_bytes(chunk.remaining())))
}

impl<S: Service> App<S> {
    pub(super) fn new(
        service: Arc<S>,
        settings: Settings,
        shutdown: CancellationToken,
    ) -> Result<Self, serde_json::Error> {
        let Settings { hosts, token, network, metrics, limits } = settings;
        let api = common::describe(service.openapi());
        let name = service.info().service;
        let context = ServerContext {
            limits,
            token,
            streams: Arc::new(Semaphore::new(limits.max_streams)),
            large_bodies: Arc::new(Semaphore::new(LARGE_BODIES_KIB)),
            subscribers: Arc::new(Semaphore::new(limits.max_subscribers)),
            routes: Routes::new(&api),
            shutdown,
        };
        Ok(Self {
            service,
            common: common::Common { openapi: Bytes::from(api.to_json()?), metrics },
            context: Arc::new(context),
            hosts: guard::Hosts::new(&hosts),
            network,
            meters: RouteMetrics::new(&api, &name),
        })
    }

    async fn answer(&self, arrived: RawRequest) -> Response {
        let started = Instant::now();
        let RawRequest { method, path, query, headers, remote, body } = arrived;
        // HEAD is GET; hyper leaves the body out and keeps its length.
        let method = if method == Method::HEAD { Method::GET } else { method };
        let (meter, mut response) = match RequestPath::new(&path) {
            Ok(path) => {
                let meter = self.meters.of(&path);
                let context = self.context.clone();
                let (path_of, body_room) = (path.clone(), None);
                let request =
                    Request { method, remote: remote.0, headers, path: path_of, query, body, body_room, context };
                (meter, self.checked(request).await.unwrap_or_else(|problem| self.refuse(&problem, &path)))
            }
            Err(problem) => (self.meters.other(), problem_response(&problem, &[])),
        };
        harden(response.headers_mut());
        meter.record(response.status(), started.elapsed());
        response
    }

    /// The checks that are the same for all, and then who answers.
    async fn checked(&self, request: Request) -> Result<Response, Problem> {
        self.hosts.check(&request.headers)?;
        let path = request.path();
        let segments = path.segments();
        let write = guard::is_write(&request.method);
        if write || segments.first() == Some(&"register") {
            guard::check_origin(&request.headers)?;
        }
        if write {
            let methods = self.context.routes.methods(&segments);
            if !methods.is_empty() && !methods.contains(&request.method) {
                return Err(request.no_route());
            }
            guard::check_media_type(&request.headers)?;
        }
        // Before the network is checked: `/info` is how one learns in what two networks differ.
        if let Some(result) = self.common.answer(&request.method, &segments, &*self.service) {
            return result;
        }
        guard::check_network(&request.headers, self.network)?;

        let allowed = self.service.deadline(&request).unwrap_or(self.context.limits.request);
        let handled = AssertUnwindSafe(async { self.service.handle(request).await }).catch_unwind();
        match timeout(allowed, handled).await {
            Ok(Ok(result)) => result,
            Ok(Err(panic)) => {
                let reason = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
                let reason = reason.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
                tracing::error!(path = path.as_str(), reason, "a handler panicked");
                Err(internal("a defect of this service; its log says more"))
            }
            Err(_) => Err(unavailable(format!("no answer within {allowed:?}; try again later"))),
        }
    }

    fn refuse(&self, problem: &Problem, path: &RequestPath) -> Response {
        let allow = if problem.status == 405 { self.context.routes.methods(&path.segments()) } else { Vec::new() };
        problem_response(problem, &allow)
    }
}

/// Headers that keep a browser from making more of an answer than it is.
fn harden(headers: &mut HeaderMap) {
    const STRICT: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin"));
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(STRICT);
}
