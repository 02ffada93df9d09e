//! The endpoints that every service has: `/running`, `/info`, `/metrics`, `/openapi.json` and `/docs`.

use super::reply;
use super::route::{Route, get};
use super::router::Router;
use super::shape::Shape;
use super::{Request, Service, docs};
use http::StatusCode;
use metrics_exporter_prometheus::PrometheusHandle;
use shared::wire::Info;
use std::sync::Arc;

/// Adds the common endpoints to a service's own.
pub(super) fn add_to<S: Service>(router: Router<S>) -> Router<S> {
    let metrics = |_: Arc<S>, request: Request| async move {
        let text = request.context.metrics.as_ref().map(PrometheusHandle::render).unwrap_or_default();
        Ok(reply::whole(StatusCode::OK, "text/plain; version=0.0.4", text.into()))
    };
    let docs_file = |_, request: Request| async move {
        let [name] = request.params()?;
        docs::file(name)
    };
    let routes: [Route<S>; 6] = [
        get("/running", "Returns the text `running`", |_, _| async { Ok(reply::text("running")) })
            .returns(Shape::text("text/plain")),
        get("/info", "What the service is, its network and its state", |service: Arc<S>, _| async move {
            reply::json(&service.info())
        })
        .returns(Shape::of::<Info>()),
        get("/metrics", "Counters and gauges as Prometheus text", metrics)
            .returns_with(200, "Prometheus text format 0.0.4", Shape::text("text/plain"))
            .same_origin(),
        get("/openapi.json", "This description, OpenAPI 3.1", |_, request| async move {
            Ok(reply::json_bytes(request.context.openapi.clone()))
        })
        .returns(Shape::object()),
        get("/docs", "A page to try the endpoints", |_, _| async { docs::file("") })
            .returns_with(200, "Swagger UI", Shape::text("text/html"))
            .same_origin(),
        get("/docs/{file}", "", docs_file).undescribed(),
    ];
    router.group("common", "What every service offers", routes.map(Route::any_network))
}
