//! From a request on the wire to its answer: one warp filter, the checks, the endpoint, and the headers of all answers.

use super::answer::AnswerBounds;
use super::describe::{Facts, describe};
use super::front::FrontPage;
use super::path::RequestPath;
use super::places::{Places, Source};
use super::problem::{bad_request, internal, problem, problem_response, unavailable};
use super::reply::Response;
use super::request::{BODY_LIMIT, BodyStream, LARGE_BODIES_KIB, Request};
use super::router::Router;
use super::table::{PathEntry, Table};
use super::{ServerContext, Service, Settings, StandsOn, common, guard};
use bytes::Buf;
use futures_util::{FutureExt, Stream, TryStreamExt};
use http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, CONTENT_SECURITY_POLICY, HOST, HeaderValue,
    REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderName, Method, StatusCode, Version};
use hyper::body::Body as _;
use shared::block::BlockHash;
use shared::wire::{AGE_HEADER, HEIGHT_HEADER, Problem};
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use warp::path::FullPath;
use warp::{Filter, Rejection};

/// Longest time that a long answer waits until enough of the others are sent.
const ANSWER_WAIT: Duration = Duration::from_secs(2);
/// Most long answers that wait at a time; they take memory while they do.
const MAX_WAITING_ANSWERS: usize = 4;
/// Slowest speed at which a client may read a long answer, in bytes per second.
const MIN_READ_SPEED: usize = 64 << 10;

/// Where a request came from; `connection` attaches it to each request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Remote {
    pub(super) address: SocketAddr,
    pub(super) source: Source,
}

/// A service and what the kit needs to serve it.
pub(super) struct App<S> {
    service: Arc<S>,
    table: Table<S>,
    front: FrontPage,
    context: Arc<ServerContext>,
    hosts: guard::Hosts,
    network: Option<BlockHash>,
    /// The bytes of all long answers that are being sent.
    answer_bytes: Arc<Places>,
    waiting_answers: Semaphore,
}

/// A request as the warp filter collects it.
struct RawRequest {
    method: Method,
    path: FullPath,
    query: String,
    headers: HeaderMap,
    remote: Remote,
    body: BodyStream,
}

/// A filter that collects any request and lets `app` answer it; it never rejects.
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

/// Brings a request into the form that warp takes: a path, and the `Host` that the path belongs to.
///
/// # Errors
/// 400 or 405 if the target is no path of this service.
pub(super) fn origin_form<B>(request: &mut http::Request<B>) -> Result<(), Problem> {
    if request.method() == Method::CONNECT {
        return Err(problem(StatusCode::METHOD_NOT_ALLOWED, "this service is no proxy, so it does not take CONNECT"));
    }
    if !request.uri().path().starts_with('/') {
        let target: String = request.uri().to_string().chars().take(100).collect();
        return Err(bad_request(format!("expected a path that begins with /, as in GET /running; got {target:?}")));
    }
    // In `GET http://host/path`, the host goes over the header (RFC 9112, 3.2.2).
    let authority = request.uri().authority().map(|authority| HeaderValue::from_str(authority.as_str()));
    // Checks of HTTP/1.0, as load balancers send them, have no `Host`; browsers always send one.
    let is_old_check = request.version() == Version::HTTP_10 && request.uri().path() == "/running";
    let headers = request.headers_mut();
    if let Some(authority) = authority {
        headers.insert(HOST, authority.map_err(|_| bad_request("the host of the target is no text"))?);
    } else if is_old_check && !headers.contains_key(HOST) {
        headers.insert(HOST, HeaderValue::from_static("localhost"));
    }
    Ok(())
}

/// Gives warp's body a type with a name. Its chunks are whole `Bytes`, so nothing is copied.
fn boxed(body: impl Stream<Item = Result<impl Buf + 'static, warp::Error>> + Send + Sync + 'static) -> BodyStream {
    Box::pin(body.map_ok(|mut chunk| chunk.copy_to_bytes(chunk.remaining())))
}

impl<S: Service> App<S> {
    /// # Errors
    /// If the routes contradict each other, or their description cannot be JSON.
    pub(super) fn new(
        service: Arc<S>,
        router: Router<S>,
        settings: Settings,
        shutdown: CancellationToken,
    ) -> io::Result<Self> {
        let Settings { hosts, token, network, metrics, explorer, limits } = settings;
        let router = common::add_to(router);
        let info = service.info();
        let facts = Facts { has_network: network.is_some(), stands_on_blocks: service.stands_on().is_some() };
        let openapi = describe(&router, &info.version, facts).to_json().map_err(io::Error::other)?;
        let front = FrontPage::new(&router, explorer.as_deref());
        let context = ServerContext {
            limits,
            token,
            openapi: openapi.into(),
            metrics,
            streams: Places::new(limits.max_streams, limits.source_percent),
            large_bodies: Places::new(LARGE_BODIES_KIB, limits.source_percent),
            subscribers: Places::new(limits.max_subscribers, limits.source_percent),
            shutdown,
        };
        Ok(Self {
            service,
            front,
            table: Table::new(router.routes, router.fallback, &info.service)?,
            context: Arc::new(context),
            hosts: guard::Hosts::new(&hosts),
            network,
            answer_bytes: Places::new(limits.max_answer_bytes, limits.source_percent),
            waiting_answers: Semaphore::new(MAX_WAITING_ANSWERS),
        })
    }

    async fn answer(&self, raw: RawRequest) -> Response {
        let started = Instant::now();
        let RawRequest { method, path, query, headers, remote, body } = raw;
        // HEAD is treated as GET; hyper omits the body and keeps its length.
        let method = if method == Method::HEAD { Method::GET } else { method };
        let mut is_public = false;
        let (meter, mut response) = match RequestPath::new(&path) {
            Ok(path) => {
                let segments = path.segments();
                let (entry, meter) = (self.table.find(&segments), self.table.meter(&segments));
                let params = entry.map(|entry| entry.params);
                let endpoint = entry.and_then(|entry| entry.endpoint(&method));
                is_public = method == Method::GET && endpoint.is_some_and(|endpoint| endpoint.is_public());
                let (context, Remote { address: remote, source }) = (self.context.clone(), remote);
                let body_room = None;
                let request =
                    Request { method, remote, source, headers, path, params, query, body, body_room, context };
                let result = match self.handle(request, entry).await {
                    Ok(response) => self.bound(source, response).await,
                    refused => refused,
                };
                let refuse = |problem| problem_response(&problem, entry.map(|entry| &entry.allow));
                (meter, result.unwrap_or_else(refuse))
            }
            Err(problem) => (self.table.other_meter(), problem_response(&problem, None)),
        };
        harden(response.headers_mut());
        if is_public {
            open_to_readers(response.headers_mut());
        }
        meter.record(response.status(), started.elapsed());
        response
    }

    /// A refusal of a request that is no request to the endpoints.
    pub(super) fn refuse(&self, problem: &Problem) -> Response {
        const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST");
        let mut response = problem_response(problem, Some(&METHODS));
        harden(response.headers_mut());
        self.table.other_meter().record(response.status(), Duration::ZERO);
        response
    }

    /// Puts a long answer into the bounds of all of them: bytes in total, and for each source; a time to read it in.
    async fn bound(&self, source: Source, mut response: Response) -> Result<Response, Problem> {
        let length = response.body().size_hint().exact().unwrap_or(0) as usize;
        if length <= BODY_LIMIT {
            return Ok(response);
        }
        let wait = match self.waiting_answers.try_acquire() {
            Ok(_waiting) => self.answer_bytes.take(source, length, ANSWER_WAIT).await,
            Err(_) => self.answer_bytes.try_take(source, length),
        };
        let place = wait.map_err(|full| {
            unavailable(format!("too many long answers are being sent ({full}); read them faster, or try again later"))
        })?;
        let time = self.context.limits.stall + Duration::from_secs((length / MIN_READ_SPEED) as u64);
        let deadline = Some(tokio::time::Instant::now() + time);
        response.extensions_mut().insert(AnswerBounds { place: Some(Arc::new(place)), deadline });
        Ok(response)
    }

    /// Makes the checks that are the same for all requests, and lets the endpoint of the request answer it.
    async fn handle(&self, request: Request, entry: Option<&PathEntry<S>>) -> Result<Response, Problem> {
        self.hosts.check(&request.headers)?;
        let endpoint = entry.and_then(|entry| entry.endpoint(&request.method));
        let is_write = guard::is_write(&request.method);
        if is_write || endpoint.is_some_and(|endpoint| endpoint.changes_state) {
            guard::check_origin(&request.headers)?;
        }
        if is_write && entry.is_some() && endpoint.is_none() {
            return Err(request.no_route());
        }
        // Who may not use an endpoint learns that first, whatever else is wrong with the request.
        if endpoint.is_some_and(|endpoint| endpoint.needs_token) {
            request.require_token()?;
        }
        if is_write {
            guard::check_media_type(&request.headers)?;
        }
        // `/info` shows how two networks differ, so a client of another network may read it.
        if !endpoint.is_some_and(|endpoint| endpoint.any_network) {
            guard::check_network(&request.headers, self.network)?;
            self.service.admit(&request)?;
        }
        let (handler, deadline) = match endpoint {
            Some(endpoint) => (&endpoint.handler, endpoint.deadline),
            None => match self.table.fallback.as_ref().filter(|_| entry.is_none()) {
                Some(fallback) => (fallback, None),
                None => return self.front.answer(&request).ok_or_else(|| request.no_route()),
            },
        };
        // The common endpoints say nothing of the chain, or all of it.
        let is_reading = !is_write && endpoint.is_some_and(|endpoint| !endpoint.any_network);
        let stands_on = if is_reading { self.service.stands_on() } else { None };
        let allowed = deadline.unwrap_or(self.context.limits.request);
        let path = entry.map_or("(no route)", |entry| entry.template());
        // The call itself is inside too: a handler may panic before it returns its future.
        let handled = AssertUnwindSafe(async { handler(self.service.clone(), request).await }).catch_unwind();
        match timeout(allowed, handled).await {
            Ok(Ok(result)) => result.map(|response| with_standing(response, stands_on)),
            Ok(Err(panic)) => {
                let reason = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
                let reason = reason.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
                tracing::error!(path, reason, "a handler panicked");
                Err(internal("a defect of this service; its log says more"))
            }
            Err(_) => Err(unavailable(format!("no answer within {allowed:?}; try again later"))),
        }
    }
}

/// Adds the headers that say which block an answer stands on.
fn with_standing(mut response: Response, stands_on: Option<StandsOn>) -> Response {
    if let Some(StandsOn { height, age_ms }) = stands_on {
        let headers = response.headers_mut();
        headers.insert(HeaderName::from_static(HEIGHT_HEADER), HeaderValue::from(height.0));
        headers.insert(HeaderName::from_static(AGE_HEADER), HeaderValue::from(age_ms));
    }
    response
}

/// Lets pages of other origins read an answer and those of its headers that say something.
fn open_to_readers(headers: &mut HeaderMap) {
    const READABLE: HeaderValue = HeaderValue::from_static("Chainlab-Height, Chainlab-Age-Ms, ETag, Link, Retry-After");
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, READABLE);
}

/// Adds headers that keep browsers from running or embedding an answer.
fn harden(headers: &mut HeaderMap) {
    const STRICT: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin"));
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(STRICT);
}
