//! The endpoints that every service has: `/running`, `/info`, `/metrics`, `/openapi.json` and `/docs`.

use super::reply::{self, Response};
use super::{Service, docs};
use bytes::Bytes;
use http::Method;
use metrics_exporter_prometheus::PrometheusHandle;
use shared::wire::{Info, Problem};
use utoipa::OpenApi;

/// What the common endpoints answer from.
pub(super) struct Common {
    pub(super) openapi: Bytes,
    pub(super) metrics: Option<PrometheusHandle>,
}

impl Common {
    /// The answer if the request is for one of the common endpoints.
    pub(super) fn answer(
        &self,
        method: &Method,
        segments: &[&str],
        service: &impl Service,
    ) -> Option<Result<Response, Problem>> {
        if method != Method::GET {
            return None;
        }
        match segments {
            ["running"] => Some(Ok(reply::text("running"))),
            ["info"] => Some(reply::json(&service.info())),
            ["metrics"] => {
                let text = self.metrics.as_ref().map(PrometheusHandle::render).unwrap_or_default();
                Some(Ok(reply::whole(http::StatusCode::OK, "text/plain; version=0.0.4", text.into())))
            }
            ["openapi.json"] => Some(Ok(reply::json_bytes(self.openapi.clone()))),
            ["docs"] => Some(docs::file("")),
            ["docs", file] => Some(docs::file(file)),
            _ => None,
        }
    }
}

/// A service's description with the common endpoints in it.
pub(super) fn describe(service: utoipa::openapi::OpenApi) -> utoipa::openapi::OpenApi {
    service.merge_from(CommonApi::openapi())
}

#[derive(OpenApi)]
#[openapi(
    paths(running, info, metrics, openapi, docs_page),
    components(schemas(Problem)),
    tags((name = "common", description = "What every service offers"))
)]
struct CommonApi;

/// Whether the service runs.
#[utoipa::path(get, path = "/running", tag = "common", responses((status = 200, body = String, content_type = "text/plain", description = "The text `running`")))]
#[expect(dead_code, reason = "carries the description of an endpoint")]
fn running() {}

/// What the service is, its network and its state.
#[utoipa::path(get, path = "/info", tag = "common", responses((status = 200, body = Info)))]
#[expect(dead_code, reason = "carries the description of an endpoint")]
fn info() {}

/// Counters and gauges as Prometheus text.
#[utoipa::path(get, path = "/metrics", tag = "common", responses((status = 200, body = String, content_type = "text/plain")))]
#[expect(dead_code, reason = "carries the description of an endpoint")]
fn metrics() {}

/// This description, OpenAPI 3.1.
#[utoipa::path(get, path = "/openapi.json", tag = "common", responses((status = 200, body = Object)))]
#[expect(dead_code, reason = "carries the description of an endpoint")]
fn openapi() {}

/// A page to try the endpoints.
#[utoipa::path(get, path = "/docs", tag = "common", responses((status = 200, body = String, content_type = "text/html")))]
#[expect(dead_code, reason = "carries the description of an endpoint")]
fn docs_page() {}
