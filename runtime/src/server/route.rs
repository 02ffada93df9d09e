//! One endpoint: its methods and path, its handler, the checks it needs, and its part of the OpenAPI description.

use super::reply::Response;
use super::request::Request;
use super::shape::{Components, Shape};
use futures_util::future::BoxFuture;
use http::Method;
use shared::wire::Problem;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::{Content, RefOr, Required, ResponseBuilder};
use utoipa::{IntoParams, PartialSchema, ToSchema};

/// A handler with its type erased: one allocation a request, so that one table can hold all handlers of a program.
pub(super) type Handler<S> =
    Box<dyn Fn(Arc<S>, Request) -> BoxFuture<'static, Result<Response, Problem>> + Send + Sync>;

/// The media type of every refusal (RFC 9457).
pub(super) const PROBLEM_JSON: &str = "application/problem+json";

/// What the kit does for requests of one route.
pub(super) struct Endpoint<S> {
    pub(super) handler: Handler<S>,
    pub(super) deadline: Option<Duration>,
    pub(super) needs_token: bool,
    pub(super) changes_state: bool,
    pub(super) any_network: bool,
}

/// One endpoint of a [`Router`](super::Router); made with [`get`] or [`post`], then described by its methods.
pub struct Route<S> {
    pub(super) path: String,
    pub(super) methods: Vec<Method>,
    pub(super) endpoint: Endpoint<S>,
    /// `None` leaves the route out of the description.
    pub(super) operation: Option<Operation>,
    pub(super) components: Components,
}

/// A `GET` route; it also serves `HEAD`. Parameters, see [`Route::new`].
pub fn get<S, F>(path: &str, summary: &str, handler: impl Fn(Arc<S>, Request) -> F + Send + Sync + 'static) -> Route<S>
where
    F: Future<Output = Result<Response, Problem>> + Send + 'static,
{
    Route::new(Method::GET, path, summary, handler)
}

/// A `POST` route. Parameters, see [`Route::new`].
pub fn post<S, F>(path: &str, summary: &str, handler: impl Fn(Arc<S>, Request) -> F + Send + Sync + 'static) -> Route<S>
where
    F: Future<Output = Result<Response, Problem>> + Send + 'static,
{
    Route::new(Method::POST, path, summary, handler)
}

/// Erases the type of a handler.
pub(super) fn erase<S, F>(handler: impl Fn(Arc<S>, Request) -> F + Send + Sync + 'static) -> Handler<S>
where
    F: Future<Output = Result<Response, Problem>> + Send + 'static,
{
    Box::new(move |service, request| Box::pin(handler(service, request)))
}

impl<S> Route<S> {
    /// A route for `method` and the template `path`: `/block/{id}` matches two pieces, of which the handler reads the
    /// second with [`Request::params`]. `summary` is its line in the OpenAPI description.
    ///
    /// The kit drops the handler's future when the client goes away or the time is up: work that must not stop halfway
    /// belongs into a task.
    pub fn new<F>(
        method: Method,
        path: &str,
        summary: &str,
        handler: impl Fn(Arc<S>, Request) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<Response, Problem>> + Send + 'static,
    {
        let mut operation = Operation::new();
        operation.summary = Some(summary.to_owned());
        Self {
            path: path.to_owned(),
            methods: vec![method],
            endpoint: Endpoint {
                handler: erase(handler),
                deadline: None,
                needs_token: false,
                changes_state: false,
                any_network: false,
            },
            operation: Some(operation),
            components: Components::default(),
        }
    }

    /// Serves another method in the same way.
    #[must_use]
    pub fn also(mut self, method: Method) -> Self {
        self.methods.push(method);
        self
    }

    /// Allows the handler more or less time than [`Limits::request`](super::Limits::request).
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.endpoint.deadline = Some(deadline);
        self
    }

    /// Refuses requests that do not carry the service's token, with 401.
    #[must_use]
    pub fn needs_token(mut self) -> Self {
        self.endpoint.needs_token = true;
        self
    }

    /// Refuses `GET` requests that pages of another origin make a browser send, as the kit does for other methods.
    #[must_use]
    pub fn changes_state(mut self) -> Self {
        self.endpoint.changes_state = true;
        self
    }

    /// Serves requests of every network: for the kit's own endpoints, which tell networks apart.
    pub(super) fn any_network(mut self) -> Self {
        self.endpoint.any_network = true;
        self
    }

    /// Leaves the route out of the OpenAPI description.
    #[must_use]
    pub fn undescribed(mut self) -> Self {
        self.operation = None;
        self
    }

    /// Describes the route at more length than its summary.
    #[must_use]
    pub fn details(self, text: &str) -> Self {
        self.describe(|operation| operation.description = Some(text.to_owned()))
    }

    /// Describes a `{name}` of the path; one that is not described is a text.
    #[must_use]
    pub fn path_param(mut self, name: &str, description: &str, shape: Shape) -> Self {
        let schema = shape.register(&mut self.components);
        let parameter = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Path).required(Required::True);
        let parameter = parameter.description(Some(description)).schema(Some(schema)).build();
        self.describe(|operation| parameters(operation).push(parameter.into()))
    }

    /// Describes the query by the type that [`Request::query`] reads it into.
    #[must_use]
    pub fn query<Q: IntoParams>(self) -> Self {
        let query = Q::into_params(|| Some(ParameterIn::Query));
        self.describe(|operation| parameters(operation).extend(query.into_iter().map(RefOr::T)))
    }

    /// Describes the body of the request: one JSON value.
    #[must_use]
    pub fn body<T: ToSchema>(mut self) -> Self {
        let schema = Shape::of::<T>().register(&mut self.components);
        let body = RequestBodyBuilder::new().required(Some(Required::True));
        let body = body.content("application/json", Content::new(Some(schema))).build();
        self.describe(|operation| operation.request_body = Some(body.into()))
    }

    /// Describes the answer with status 200: JSON of this shape.
    #[must_use]
    pub fn returns(self, shape: Shape) -> Self {
        self.returns_with(200, "OK", shape)
    }

    /// Describes the answer with a status of success: JSON of this shape.
    #[must_use]
    pub fn returns_with(mut self, status: u16, description: &str, shape: Shape) -> Self {
        let schema = shape.register(&mut self.components);
        self.response(status, description, Some(("application/json", schema)))
    }

    /// Describes the answer with status 200: text of a media type.
    #[must_use]
    pub fn returns_text(self, media_type: &str, description: &str) -> Self {
        self.response(200, description, Some((media_type, String::schema())))
    }

    /// Describes an answer without a body.
    #[must_use]
    pub fn returns_nothing(self, status: u16, description: &str) -> Self {
        self.response(status, description, None)
    }

    /// Describes a refusal of this route; those that the kit makes itself need no line.
    #[must_use]
    pub fn refuses(mut self, status: u16, description: &str) -> Self {
        let schema = Shape::of::<Problem>().register(&mut self.components);
        self.response(status, description, Some((PROBLEM_JSON, schema)))
    }

    fn response(self, status: u16, description: &str, content: Option<(&str, RefOr<utoipa::openapi::Schema>)>) -> Self {
        let mut response = ResponseBuilder::new().description(description);
        if let Some((media_type, schema)) = content {
            response = response.content(media_type, Content::new(Some(schema)));
        }
        self.describe(|operation| {
            operation.responses.responses.insert(status.to_string(), response.into());
        })
    }

    fn describe(mut self, change: impl FnOnce(&mut Operation)) -> Self {
        if let Some(operation) = &mut self.operation {
            change(operation);
        }
        self
    }
}

fn parameters(operation: &mut Operation) -> &mut Vec<RefOr<Parameter>> {
    operation.parameters.get_or_insert_default()
}
