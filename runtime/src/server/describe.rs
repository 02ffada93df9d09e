//! The OpenAPI 3.1 description of a service, written from its routes.
//!
//! Refusals that the kit makes on every endpoint alike are described here once; routes state only their own.

use super::guard::is_write;
use super::number::Number;
use super::route::Route;
use super::router::Router;
use super::shape::Shape;
use super::template::{param, pieces};
use http::Method;
use utoipa::PartialSchema;
use utoipa::openapi::header::{Header, HeaderBuilder};
use utoipa::openapi::path::{HttpMethod, Operation, Paths};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{InfoBuilder, LicenseBuilder, OpenApi, Ref, RefOr, ResponseBuilder};

/// The name of the security scheme.
const TOKEN: &str = "token";

/// What the kit refuses itself: status, name in the description, and when.
const REFUSALS: [(&str, &str, &str); 9] = [
    ("400", "BadRequest", "The request is malformed; `detail` names the header, parameter or field"),
    ("401", "Unauthorized", "The request does not carry the token of this service"),
    ("403", "Forbidden", "`Host` is not a name of this service, or a page of another origin sent the request"),
    ("408", "BodyTimeout", "The body was not complete in time"),
    ("409", "OtherNetwork", "`Chainlab-Network` names another network than that of this service"),
    ("413", "BodyTooLarge", "The body is longer than this endpoint allows"),
    ("415", "NotJson", "`Content-Type` is not `application/json`"),
    ("500", "InternalError", "A defect of this service; its log says more"),
    ("503", "Unavailable", "The service is too busy, took too long, or cannot read its store; try again later"),
];

/// What is described besides the routes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Facts {
    /// The service refuses requests of other networks.
    pub(super) has_network: bool,
    /// Answers to reading requests carry the block that they stand on.
    pub(super) stands_on_blocks: bool,
}

/// The description of all routes of `router`.
pub(super) fn describe<S>(router: &Router<S>, version: &str, facts: Facts) -> OpenApi {
    let info = InfoBuilder::new().title(&router.title).description(Some(&router.description)).version(version);
    let license = LicenseBuilder::new().name("MIT").identifier(Some("MIT")).build();
    let mut api = OpenApi::new(info.license(Some(license)).build(), Paths::new());
    api.tags = Some(router.tags.clone());
    let components = api.components.get_or_insert_default();
    components.schemas = router.components.clone();
    for route in &router.routes {
        components.schemas.extend(route.components.clone());
        for method in &route.methods {
            let Some(operation) = &route.operation else { continue };
            let operation = complete(operation.clone(), route, method, facts);
            api.paths.add_path_operation(&route.path, openapi_method(method).into_iter().collect(), operation);
        }
    }
    for (_, name, description) in REFUSALS {
        let (media_type, content) = Shape::problem().content(&mut components.schemas);
        let response = ResponseBuilder::new().description(description).content(media_type, content);
        components.responses.insert(name.to_owned(), response.into());
    }
    if let Some(description) = &router.token {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(description)).build();
        components.add_security_scheme(TOKEN, SecurityScheme::Http(scheme));
    }
    api
}

/// Adds to a route's operation what follows from its path, its method and the kit.
fn complete<S>(mut operation: Operation, route: &Route<S>, method: &Method, facts: Facts) -> Operation {
    let words = pieces(&route.path).map(|piece| param(piece).unwrap_or(piece));
    let words: Vec<_> = [method.as_str()].into_iter().chain(words).map(str::to_ascii_lowercase).collect();
    operation.operation_id = Some(words.join("_").replace(|c: char| !c.is_ascii_alphanumeric(), "_"));
    if let Some(first) = route.methods.first().filter(|first| *first != method) {
        operation.summary = Some(format!("The same as `{first} {}`", route.path));
        operation.description = None;
    }
    operation.parameters = operation.parameters.filter(|parameters| !parameters.is_empty());
    if route.endpoint.needs_token {
        operation.security = Some(vec![SecurityRequirement::new(TOKEN, [""; 0])]);
    }
    if facts.stands_on_blocks && *method == Method::GET && !route.endpoint.any_network {
        let successes = operation.responses.responses.iter_mut().filter(|(status, _)| status.starts_with(['2', '3']));
        for (_, response) in successes {
            if let RefOr::T(response) = response {
                response.headers.extend(standing_headers());
            }
        }
    }
    for (status, name, _) in REFUSALS {
        let applies = match status {
            "401" => route.endpoint.needs_token,
            "408" | "413" => operation.request_body.is_some(),
            "409" => facts.has_network && !route.endpoint.any_network,
            "415" => is_write(method),
            _ => true,
        };
        if applies {
            let refusal = || RefOr::Ref(Ref::from_response_name(name));
            operation.responses.responses.entry(status.to_owned()).or_insert_with(refusal);
        }
    }
    operation
}

/// The headers that say which block an answer stands on.
fn standing_headers() -> [(String, RefOr<Header>); 2] {
    let header = |name: &str, description: &str| {
        let header = HeaderBuilder::new().schema(Some(Number::schema())).description(Some(description)).build();
        (name.to_owned(), RefOr::T(header))
    };
    [
        header("Chainlab-Height", "The height of the block that the answer stands on"),
        header("Chainlab-Age-Ms", "The age of that block in milliseconds, by the clock of the service"),
    ]
}

/// utoipa's name for a method, which is the lower-case one.
fn openapi_method(method: &Method) -> Option<HttpMethod> {
    serde_json::from_value(method.as_str().to_ascii_lowercase().into()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::{get, post, reply};
    use serde_json::{Value, json};
    use shared::chain::Tip;
    use shared::wire::MineRequest;

    fn described() -> Value {
        let routes = [
            get("/node/{node}/{action}", "Reads", |_, _| async { Ok(reply::text("")) })
                .path_param("action", "What", Shape::pattern("^[a-z]+$"))
                .returns(Shape::list_of::<Tip>())
                .refuses(404, "No such node"),
            post("/mine", "Mines", |_, _| async { Ok(reply::text("")) })
                .also(Method::PUT)
                .needs_token()
                .body::<MineRequest>()
                .refuses(409, "Too late"),
            get("/hidden", "", |_, _| async { Ok(reply::text("")) }).undescribed(),
        ];
        let router = Router::<()>::new("title", "text").token("The token").group("all", "All", routes);
        serde_json::to_value(describe(&router, "1", Facts { has_network: true, stands_on_blocks: true })).unwrap()
    }

    fn statuses(operation: &Value) -> Vec<&str> {
        operation["responses"].as_object().unwrap().keys().map(String::as_str).collect()
    }

    #[test]
    fn a_route_is_described_with_its_own_answers_and_the_refusals_of_the_kit() {
        let api = described();
        let (get, post) = (&api["paths"]["/node/{node}/{action}"]["get"], &api["paths"]["/mine"]["post"]);
        assert_eq!(statuses(get), ["200", "400", "403", "404", "409", "500", "503"]);
        assert_eq!(statuses(post), ["400", "401", "403", "408", "409", "413", "415", "500", "503"]);
        assert_eq!(get["responses"]["409"]["$ref"], "#/components/responses/OtherNetwork");
        assert_eq!(post["responses"]["409"]["description"], "Too late", "the route's own words win");
        assert_eq!(post["security"], json!([{ "token": [] }]));
        for (name, response) in api["components"]["responses"].as_object().unwrap() {
            assert!(response["content"]["application/problem+json"]["schema"]["$ref"].is_string(), "{name}");
        }
    }

    #[test]
    fn what_is_read_from_the_chain_carries_its_block() {
        let api = described();
        let headers = |method: &str, path: &str, status: &str| {
            api["paths"][path][method]["responses"][status]["headers"].as_object().map_or(0, |headers| headers.len())
        };
        assert_eq!(headers("get", "/node/{node}/{action}", "200"), 2);
        assert_eq!((headers("get", "/node/{node}/{action}", "404"), headers("post", "/mine", "409")), (0, 0));
    }

    #[test]
    fn a_refusal_may_be_a_page_or_a_problem() {
        let page = get("/page", "A page", |_, _| async { Ok(reply::text("")) }).refuses_with_page(404, "No such page");
        let router = Router::<()>::new("title", "text").group("all", "All", [page]);
        let api = describe(&router, "1", Facts { has_network: false, stands_on_blocks: false });
        let api = serde_json::to_value(api).unwrap();
        let content = api["paths"]["/page"]["get"]["responses"]["404"]["content"].as_object().unwrap();
        assert_eq!(content.keys().collect::<Vec<_>>(), ["application/problem+json", "text/html"]);
    }

    #[test]
    fn every_parameter_of_a_path_is_described() {
        let parameters = &described()["paths"]["/node/{node}/{action}"]["get"]["parameters"];
        let mut names: Vec<_> = parameters.as_array().unwrap().iter().map(|p| p["name"].as_str().unwrap()).collect();
        names.sort_unstable();
        assert_eq!(names, ["action", "node"]);
    }

    #[test]
    fn a_second_method_is_the_same_by_another_id() {
        let api = described();
        let (post, put) = (&api["paths"]["/mine"]["post"], &api["paths"]["/mine"]["put"]);
        assert_eq!(put["summary"], "The same as `POST /mine`");
        assert_eq!([&post["operationId"], &put["operationId"]], ["post_mine", "put_mine"]);
        assert_eq!(post["requestBody"], put["requestBody"]);
    }

    #[test]
    fn every_schema_that_is_referred_to_is_there_and_what_is_undescribed_is_not() {
        let api = described();
        let text = api.to_string();
        for reference in text.split("#/components/schemas/").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(api["components"]["schemas"][reference].is_object(), "{reference}");
        }
        assert!(!text.contains("hidden"));
    }
}
