//! The explorer's paths as OpenAPI: they tell 404 from 405 and label the metrics; pages are for people, `/api` is for
//! the scripts of the pages.

use utoipa::OpenApi;

/// The description of everything that only an explorer answers.
pub(crate) fn describe() -> utoipa::openapi::OpenApi {
    ExplorerApi::openapi()
}

#[derive(OpenApi)]
#[openapi()]
struct ExplorerApi;
