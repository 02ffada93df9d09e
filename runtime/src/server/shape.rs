//! Types in the OpenAPI description: which schema a value has, and which named schemas this one refers to.

use std::collections::BTreeMap;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Schema, Type};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

/// Named schemas of a description.
pub(super) type Components = BTreeMap<String, RefOr<Schema>>;

/// The schema of a parameter or body.
pub struct Shape {
    schema: RefOr<Schema>,
    components: Vec<(String, RefOr<Schema>)>,
}

impl Shape {
    /// A type of ours, described once under its name.
    pub fn of<T: ToSchema>() -> Self {
        let mut components = vec![(T::name().into_owned(), T::schema())];
        T::schemas(&mut components);
        Self { schema: Ref::from_schema_name(T::name()).into(), components }
    }

    /// A JSON array of a type of ours.
    pub fn list_of<T: ToSchema>() -> Self {
        let Self { schema, components } = Self::of::<T>();
        Self { schema: ArrayBuilder::new().items(schema).into(), components }
    }

    /// A type that needs no name, as numbers and lists of texts.
    pub fn plain<T: PartialSchema>() -> Self {
        Self { schema: T::schema(), components: Vec::new() }
    }

    /// A JSON object of any content.
    pub fn object() -> Self {
        Self { schema: ObjectBuilder::new().schema_type(Type::Object).into(), components: Vec::new() }
    }

    /// A text that matches a regular expression.
    pub fn pattern(pattern: &str) -> Self {
        let schema = ObjectBuilder::new().schema_type(Type::String).pattern(Some(pattern));
        Self { schema: schema.into(), components: Vec::new() }
    }

    /// Adds the named schemas to a description, and returns the schema that refers to them.
    pub(super) fn register(self, components: &mut Components) -> RefOr<Schema> {
        components.extend(self.components);
        self.schema
    }
}
