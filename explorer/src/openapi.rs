//! The explorer's paths as OpenAPI: they tell 404 from 405 and label the metrics; pages are for people, `/api` is for
//! the scripts of the pages.

use crate::api;
use shared::wire::Problem;
use utoipa::OpenApi;
use utoipa::openapi::path::{HttpMethod, OperationBuilder, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::{ObjectBuilder, Required, ResponseBuilder, Type};

/// What is not described beside its handler: the method, the path, what it is.
const OTHERS: &[(HttpMethod, &str, &str)] = &[
    (HttpMethod::Get, "/", "Page: the network"),
    (HttpMethod::Get, "/blocks", "Page: the blocks, newest first; `?before=<height>` for older ones"),
    (HttpMethod::Get, "/block/{name}", "Page: a block by its height or hash"),
    (HttpMethod::Get, "/transactions", "Page: what waits, and what was confirmed last"),
    (HttpMethod::Get, "/transaction/{id}", "Page: a transaction and its life"),
    (HttpMethod::Get, "/address/{address}", "Page: an address; `?before=` for older entries"),
    (HttpMethod::Get, "/charts", "Page: charts"),
    (HttpMethod::Get, "/charts/{file}", "The numbers of a chart as CSV"),
    (HttpMethod::Get, "/learn", "Page: try how it works"),
    (HttpMethod::Get, "/wallet", "Page: a wallet in the browser"),
    (HttpMethod::Get, "/node/{node}", "Page: a node by its host:port"),
    (HttpMethod::Get, "/search", "Finds what `?q=` names, and goes there"),
    (HttpMethod::Get, "/qr/{file}", "The QR code of an address, `<address>.svg`"),
    (HttpMethod::Get, "/live", "Server-sent events: what changed, so that pages renew themselves"),
    (HttpMethod::Get, "/assets/{name}", "A file that pages need"),
    (HttpMethod::Post, "/api/node/{node}/{action}", "Steers a node whose token the explorer has"),
    (HttpMethod::Post, "/api/split", "Keeps the network in two halves for a while, if the explorer has all tokens"),
    (HttpMethod::Post, "/api/heal", "Lets the halves talk again at once"),
];

/// The description of everything that only an explorer answers.
pub(crate) fn describe() -> utoipa::openapi::OpenApi {
    let mut api = ExplorerApi::openapi();
    for (method, path, summary) in OTHERS {
        let mut operation = OperationBuilder::new()
            .summary(Some(*summary))
            .response("200", ResponseBuilder::new().description("As it says").build());
        for name in names(path) {
            operation = operation.parameter(
                ParameterBuilder::new()
                    .name(name)
                    .parameter_in(ParameterIn::Path)
                    .required(Required::True)
                    .schema(Some(ObjectBuilder::new().schema_type(Type::String))),
            );
        }
        api.paths.paths.insert((*path).to_owned(), PathItem::new(method.clone(), operation));
    }
    api
}

/// The names in braces of a path.
fn names(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|piece| piece.strip_prefix('{')?.strip_suffix('}'))
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Chainlab explorer",
        description = "The network on web pages; `/api` passes on what their scripts ask."
    ),
    paths(api::push, api::balance, api::history, api::transaction, api::work, api::solve),
    components(schemas(Problem))
)]
struct ExplorerApi;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_is_described_with_its_parameters() {
        let api = describe();
        assert_eq!(api.paths.paths.len(), OTHERS.len() + 5);
        let operation = serde_json::to_value(&api.paths.paths["/api/node/{node}/{action}"]).expect("JSON");
        let names = operation["post"]["parameters"].as_array().expect("a list");
        let names: Vec<_> = names.iter().map(|parameter| parameter["name"].as_str()).collect();
        assert_eq!(names, [Some("node"), Some("action")]);
    }
}
