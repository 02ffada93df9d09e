//! Types in the OpenAPI description: the schema of a value, its media type, and the named schemas that it refers to.

use super::number::Number;
use shared::wire::Problem;
use std::collections::BTreeMap;
use utoipa::openapi::schema::{AdditionalProperties, ArrayBuilder, ObjectBuilder, Schema, Type};
use utoipa::openapi::{Content, Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

/// Named schemas of a description.
pub(super) type Components = BTreeMap<String, RefOr<Schema>>;

/// The type of a parameter or body: JSON, unless it is made by [`Shape::text`].
pub struct Shape {
    media_type: &'static str,
    schema: RefOr<Schema>,
    components: Vec<(String, RefOr<Schema>)>,
}

impl Shape {
    /// A type of ours, described once under its name.
    pub fn of<T: ToSchema>() -> Self {
        let mut components = vec![(T::name().into_owned(), T::schema())];
        T::schemas(&mut components);
        Self { components, ..Self::json(Ref::from_schema_name(T::name())) }
    }

    /// A JSON array of a type of ours.
    pub fn list_of<T: ToSchema>() -> Self {
        let Self { media_type, schema, components } = Self::of::<T>();
        Self { media_type, schema: ArrayBuilder::new().items(schema).into(), components }
    }

    /// A type that needs no name, as numbers and lists of texts.
    pub fn plain<T: PartialSchema>() -> Self {
        Self::json(T::schema())
    }

    /// A number from 0 to 2^53 - 1.
    pub fn number() -> Self {
        Self::plain::<Number>()
    }

    /// A JSON object without fields.
    pub fn empty() -> Self {
        let object = ObjectBuilder::new().schema_type(Type::Object);
        Self::json(object.additional_properties(Some(AdditionalProperties::FreeForm(false))))
    }

    /// A JSON object of any content.
    pub fn object() -> Self {
        Self::json(ObjectBuilder::new().schema_type(Type::Object))
    }

    /// A text that matches a regular expression.
    pub fn pattern(pattern: &str) -> Self {
        Self::json(ObjectBuilder::new().schema_type(Type::String).pattern(Some(pattern)))
    }

    /// A stream of server-sent events: the description of one of them.
    pub fn events() -> Self {
        let text = || ObjectBuilder::new().schema_type(Type::String);
        let event = ObjectBuilder::new().schema_type(Type::Object);
        let event = event.property("event", text()).property("data", text()).property("id", text()).required("event");
        Self { media_type: "text/event-stream", ..Self::json(event) }
    }

    /// A body of another media type.
    pub fn text(media_type: &'static str) -> Self {
        Self { media_type, ..Self::json(String::schema()) }
    }

    /// The body of every refusal (RFC 9457).
    pub(super) fn problem() -> Self {
        Self { media_type: "application/problem+json", ..Self::of::<Problem>() }
    }

    fn json(schema: impl Into<RefOr<Schema>>) -> Self {
        Self { media_type: "application/json", schema: schema.into(), components: Vec::new() }
    }

    /// Adds the named schemas to a description, and returns the schema that refers to them.
    pub(super) fn register(self, components: &mut Components) -> RefOr<Schema> {
        components.extend(self.components);
        self.schema
    }

    /// The same for a body, with its media type.
    pub(super) fn content(self, components: &mut Components) -> (&'static str, Content) {
        (self.media_type, Content::new(Some(self.register(components))))
    }
}
