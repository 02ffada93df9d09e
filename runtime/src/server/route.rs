//! One endpoint: its methods and path, its handler, the checks it needs, and its part of the OpenAPI description.

use super::reply;
use super::request::Request;
use super::shape::{Components, Shape};
use super::template::{param, pieces};
use futures_util::future::BoxFuture;
use http::Method;
use shared::wire::Problem;
use std::sync::Arc;
use std::time::Duration;
use utoipa::openapi::path::{Operation, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::{RefOr, Required, Response, ResponseBuilder};
use utoipa::{IntoParams, PartialSchema, ToSchema};

/// The future of a handler.
pub trait Answer: Future<Output = Result<reply::Response, Problem>> + Send + 'static {}
impl<F: Future<Output = Result<reply::Response, Problem>> + Send + 'static> Answer for F {}

/// A handler: an `async fn(Arc<State>, Request) -> Result<reply::Response, Problem>`, or a closure like it.
///
/// The kit drops its future when the client goes away or the time is up: work that must not stop halfway belongs into a
/// task.
pub trait Handler<S, F>: Fn(Arc<S>, Request) -> F + Send + Sync + 'static {}
impl<S, F, H: Fn(Arc<S>, Request) -> F + Send + Sync + 'static> Handler<S, F> for H {}

impl<S> Endpoint<S> {
    /// Whether pages of other origins may read the answers of this route.
    pub(super) const fn is_public(&self) -> bool {
        !self.needs_token && !self.changes_state && !self.same_origin
    }
}

/// A handler with its type erased, so that one table can hold all; calling it allocates once.
pub(super) type BoxHandler<S> =
    Box<dyn Fn(Arc<S>, Request) -> BoxFuture<'static, Result<reply::Response, Problem>> + Send + Sync>;

/// What the kit does for requests of one route.
pub(super) struct Endpoint<S> {
    pub(super) handler: BoxHandler<S>,
    pub(super) deadline: Option<Duration>,
    pub(super) needs_token: bool,
    pub(super) changes_state: bool,
    pub(super) any_network: bool,
    /// Pages of other origins may not read it.
    pub(super) same_origin: bool,
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

/// A `GET` route, which also serves `HEAD`; for the parameters, see [`Route::new`].
pub fn get<S, F: Answer>(path: &str, summary: &str, handler: impl Handler<S, F>) -> Route<S> {
    Route::new(Method::GET, path, summary, handler)
}

/// A `POST` route; for the parameters, see [`Route::new`].
pub fn post<S, F: Answer>(path: &str, summary: &str, handler: impl Handler<S, F>) -> Route<S> {
    Route::new(Method::POST, path, summary, handler)
}

pub(super) fn erase_type<S, F: Answer>(handler: impl Handler<S, F>) -> BoxHandler<S> {
    Box::new(move |service, request| Box::pin(handler(service, request)))
}

impl<S> Route<S> {
    /// A route for `method` and the template `path`: `/block/{id}` matches two pieces, of which the handler reads the
    /// second with [`Request::params`]. `summary` is its line in the OpenAPI description.
    pub fn new<F: Answer>(method: Method, path: &str, summary: &str, handler: impl Handler<S, F>) -> Self {
        let handler = erase_type(handler);
        let mut operation = Operation::new();
        operation.summary = Some(summary.to_owned());
        let params = pieces(path).filter_map(param).map(|name| {
            let text = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Path).required(Required::True);
            RefOr::T(text.schema(Some(String::schema())).build())
        });
        operation.parameters = Some(params.collect());
        Self {
            path: path.to_owned(),
            methods: vec![method],
            endpoint: Endpoint {
                handler,
                deadline: None,
                needs_token: false,
                changes_state: false,
                any_network: false,
                same_origin: false,
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

    /// Allows the handler another time than [`Limits::request`](super::Limits::request).
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

    /// Serves requests of every network: for the kit's own endpoints.
    pub(super) fn any_network(mut self) -> Self {
        self.endpoint.any_network = true;
        self
    }

    /// Keeps pages of other origins from reading the answers, as they otherwise may read those of `GET` routes that
    /// need no token and change nothing.
    #[must_use]
    pub fn same_origin(mut self) -> Self {
        self.endpoint.same_origin = true;
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

    /// Describes a `{name}` of the path; without this it is described as a text.
    #[must_use]
    pub fn path_param(mut self, name: &str, description: &str, shape: Shape) -> Self {
        let schema = shape.register(&mut self.components);
        self.describe(|operation| {
            for parameter in operation.parameters.iter_mut().flatten() {
                if let RefOr::T(parameter) = parameter
                    && parameter.name == name
                {
                    (parameter.description, parameter.schema) = (Some(description.to_owned()), Some(schema.clone()));
                }
            }
        })
    }

    /// Describes the query by the type that [`Request::query`] parses it into.
    #[must_use]
    pub fn query<Q: IntoParams>(self) -> Self {
        let query = Q::into_params(|| Some(ParameterIn::Query)).into_iter().map(RefOr::T);
        self.describe(|operation| operation.parameters.get_or_insert_default().extend(query))
    }

    /// Describes the body of the request: one JSON value.
    #[must_use]
    pub fn body<T: ToSchema>(self) -> Self {
        self.has_body(Shape::of::<T>(), Required::True)
    }

    /// Describes a request that needs nothing but its path: its body is `{}`.
    #[must_use]
    pub fn empty_body(self) -> Self {
        self.has_body(Shape::empty(), Required::True)
    }

    /// The same, where the body may be missing.
    #[must_use]
    pub fn optional_empty_body(self) -> Self {
        self.has_body(Shape::empty(), Required::False)
    }

    fn has_body(mut self, shape: Shape, required: Required) -> Self {
        let (media_type, content) = shape.content(&mut self.components);
        let body = RequestBodyBuilder::new().required(Some(required)).content(media_type, content).build();
        self.describe(|operation| operation.request_body = Some(body.into()))
    }

    /// Describes the answer with status 200.
    #[must_use]
    pub fn returns(self, shape: Shape) -> Self {
        self.returns_with(200, "OK", shape)
    }

    /// Describes an answer with another status, at more length, or of another media type for the same status.
    #[must_use]
    pub fn returns_with(mut self, status: u16, description: &str, shape: Shape) -> Self {
        let (media_type, content) = shape.content(&mut self.components);
        let response = ResponseBuilder::new().description(description).content(media_type, content);
        self.add_response(status, response)
    }

    /// Describes a refusal that is a page for people, and a problem where the kit itself makes it.
    #[must_use]
    pub fn refuses_with_page(self, status: u16, description: &str) -> Self {
        self.refuses(status, description).returns_with(status, description, Shape::text("text/html"))
    }

    /// Describes an answer without a body.
    #[must_use]
    pub fn returns_empty(self, status: u16, description: &str) -> Self {
        self.add_response(status, ResponseBuilder::new().description(description))
    }

    /// Describes a refusal of this route; those that the kit makes itself need no line.
    #[must_use]
    pub fn refuses(self, status: u16, description: &str) -> Self {
        self.returns_with(status, description, Shape::problem())
    }

    fn add_response(self, status: u16, response: ResponseBuilder) -> Self {
        self.describe(|operation| {
            let described = operation.responses.responses.entry(status.to_string());
            let described = described.or_insert_with(|| ResponseBuilder::new().into());
            if let RefOr::T(described) = described {
                let Response { description, content, .. } = response.build();
                described.description = description;
                described.content.extend(content);
            }
        })
    }

    fn describe(mut self, change: impl FnOnce(&mut Operation)) -> Self {
        self.operation.as_mut().map(change);
        self
    }
}
