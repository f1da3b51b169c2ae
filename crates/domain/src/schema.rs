//! The shapes of what travels, for the description of the contract (OpenAPI). Most are derived from the types; here stand
//! those whose form in JSON is written by hand.

use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        AllOfBuilder, KnownFormat, ObjectBuilder, OneOfBuilder, Ref, RefOr, Schema, SchemaFormat, Type,
        schema::{AdditionalProperties, SchemaType},
    },
};

use crate::{
    command::{Ask, Code, Command},
    entry::{self, Actor, Entry, Scope, Subject},
    ids::{CommandId, EntryId, MediaId},
};

/// A shape, or a reference to one.
pub type Shape = RefOr<Schema>;
/// Shapes by name.
pub type Named = Vec<(String, Shape)>;

const ID: &str = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";

/// A text of a certain form.
fn text(description: &str, pattern: &str) -> Shape {
    ObjectBuilder::new().schema_type(Type::String).description(Some(description)).pattern(Some(pattern)).into()
}

macro_rules! texts {
    ($($name:ident: $description:literal, $pattern:expr;)*) => {$(
        impl PartialSchema for $name {
            fn schema() -> Shape {
                text($description, &$pattern)
            }
        }

        impl ToSchema for $name {}
    )*};
}

texts! {
    Scope: "What an entry belongs to, and so who may see it.", format!("^(agency|(staff|case):{ID})$");
    Actor: "Who did it.", format!("^(system|(staff|contact):{ID})$");
    Subject: "What an entry is about; an open list.", "^[a-z_]+(:.+)?$";
    MediaId: "A file by its content: the SHA-256 in small hex digits.", "^[0-9a-f]{64}$";
}

impl PartialSchema for Code {
    fn schema() -> Shape {
        let codes = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(Code::ALL.iter().copied()));
        codes.description(Some("Why a command was refused; an open list.")).into()
    }
}

impl ToSchema for Code {}

/// A shape that stands among the others by its name.
fn refer(name: &str) -> Shape {
    Ref::from_schema_name(name).into()
}

impl PartialSchema for Entry {
    fn schema() -> Shape {
        let int64 = SchemaFormat::KnownFormat(KnownFormat::Int64);
        let number = || ObjectBuilder::new().schema_type(Type::Integer).format(Some(int64.clone()));
        let known = entry::bodies(&mut Vec::new()).into_iter().map(|(kind, body, _)| {
            let kind = ObjectBuilder::new().schema_type(Type::String).enum_values(Some([kind]));
            ObjectBuilder::new().property("kind", kind).property("body", refer(&body)).required("kind").required("body")
        });
        let known = known.fold(OneOfBuilder::new(), OneOfBuilder::item);
        let known = known.description(Some("By its kind. A client keeps kinds that it does not know, and moves on."));
        let cause = ObjectBuilder::new()
            .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)))
            .description(Some("The command or delivery behind it."));
        let head = ObjectBuilder::new()
            .property("seq", number().description(Some("Its place in the journal.")))
            .property("id", refer(&EntryId::name()))
            .property("at", number().description(Some("When, by the gateway's clock; never before the last one.")))
            .property("scope", refer(&Scope::name()))
            .property("subject", refer(&Subject::name()))
            .property("actor", refer(&Actor::name()))
            .property("cause", cause)
            .property("version", ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)));
        let required = ["seq", "id", "at", "scope", "subject", "actor", "cause", "version"];
        let head = required.into_iter().fold(head, ObjectBuilder::required);
        AllOfBuilder::new().description(Some("One fact in the journal.")).item(head).item(known).into()
    }
}

impl ToSchema for Entry {
    fn schemas(schemas: &mut Named) {
        let bodies = entry::bodies(schemas);
        schemas.extend(bodies.into_iter().map(|(_, name, shape)| (name, shape)));
        schemas.extend([
            (EntryId::name().into_owned(), EntryId::schema()),
            (Scope::name().into_owned(), Scope::schema()),
            (Subject::name().into_owned(), Subject::schema()),
            (Actor::name().into_owned(), Actor::schema()),
        ]);
    }
}

impl PartialSchema for Command {
    /// What is asked for, with the id beside it: each kind knows its own fields and no others.
    fn schema() -> Shape {
        let mut shape = Ask::schema();
        if let RefOr::T(Schema::OneOf(kinds)) = &mut shape {
            kinds.description = Some("What a person asks for; its id is made by whoever asks.".to_owned());
            for kind in &mut kinds.items {
                if let RefOr::T(Schema::Object(kind)) = kind {
                    kind.properties.insert("id".to_owned(), refer(&CommandId::name()));
                    kind.required.push("id".to_owned());
                    kind.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(false)));
                }
            }
        }
        shape
    }
}

impl ToSchema for Command {
    fn schemas(schemas: &mut Named) {
        Ask::schemas(schemas);
        schemas.push((CommandId::name().into_owned(), CommandId::schema()));
    }
}
