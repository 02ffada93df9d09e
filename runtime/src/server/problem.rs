//! Refusals: constructors for the statuses of docs/protocol.md §8, and the answer that a [`Problem`] becomes.
//!
//! Every refusal of every service is made here, so none is a bare status or a stack trace.

use super::reply::{self, Response};
use http::StatusCode;
use http::header::{ALLOW, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use shared::wire::Problem;

/// A problem with `status` and its usual title; `detail` says what happened, and what to do.
pub fn problem(status: StatusCode, detail: impl Into<String>) -> Problem {
    Problem::new(status.as_u16(), status.canonical_reason().unwrap_or("Error"), detail)
}

/// 400: the request is malformed.
pub fn bad_request(detail: impl Into<String>) -> Problem {
    problem(StatusCode::BAD_REQUEST, detail)
}

/// 403: the origin, host or address is not allowed.
pub fn forbidden(detail: impl Into<String>) -> Problem {
    problem(StatusCode::FORBIDDEN, detail)
}

/// 404: it does not exist here.
pub fn not_found(detail: impl Into<String>) -> Problem {
    problem(StatusCode::NOT_FOUND, detail)
}

/// 409: the request is meant for another network.
pub fn conflict(detail: impl Into<String>) -> Problem {
    problem(StatusCode::CONFLICT, detail)
}

/// 422: the request is well-formed, but breaks a rule.
pub fn unprocessable(rule: impl Into<String>, detail: impl Into<String>) -> Problem {
    problem(StatusCode::UNPROCESSABLE_ENTITY, detail).with_rule(rule)
}

/// 500: a defect of the service. The cause belongs into the log, not into the answer.
pub fn internal(detail: impl Into<String>) -> Problem {
    problem(StatusCode::INTERNAL_SERVER_ERROR, detail)
}

/// 503: not ready, or too busy.
pub fn unavailable(detail: impl Into<String>) -> Problem {
    problem(StatusCode::SERVICE_UNAVAILABLE, detail)
}

/// The answer that carries a problem; `allow` is the header of a 405.
pub(super) fn problem_response(problem: &Problem, allow: Option<&HeaderValue>) -> Response {
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    // A struct of texts and a number always becomes JSON.
    let body = serde_json::to_vec(problem).unwrap_or_default();
    let mut response = reply::whole(status, "application/problem+json", body.into());
    if status == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    let is_temporary = matches!(status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS);
    if let Some(seconds) = problem.retry_after_s.or(is_temporary.then_some(1)) {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    if let (StatusCode::METHOD_NOT_ALLOWED, Some(allow)) = (status, allow) {
        response.headers_mut().insert(ALLOW, allow.clone());
    }
    response
}
