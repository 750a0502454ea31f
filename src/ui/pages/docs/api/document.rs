//! As much of an OpenAPI document as its page shows, in the order in which it is written.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::Value;

#[derive(Deserialize)]
pub struct Document {
    pub info: Info,
    #[serde(default)]
    pub servers: Vec<Server>,
    #[serde(default)]
    pub tags: Vec<Tag>,
    pub paths: Ordered<Ordered<Call>>,
    pub components: Components,
}

#[derive(Deserialize)]
pub struct Info {
    pub version: String,
    #[serde(default)]
    pub description: String,
}

#[derive(Deserialize)]
pub struct Server {
    pub url: String,
}

#[derive(Deserialize)]
pub struct Tag {
    pub name: String,
    #[serde(default)]
    pub description: String,
}

#[derive(Deserialize)]
pub struct Components {
    pub schemas: Ordered<Schema>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Call {
    pub operation_id: String,
    #[serde(default)]
    pub tags: Vec<String>,
    #[serde(default)]
    pub summary: String,
    #[serde(default)]
    pub description: String,
    #[serde(default)]
    pub security: Vec<Ordered<Vec<String>>>,
    #[serde(default)]
    pub parameters: Vec<Parameter>,
    pub request_body: Option<Body>,
    pub responses: Ordered<Answer>,
}

#[derive(Deserialize)]
pub struct Parameter {
    pub name: String,
    #[serde(rename = "in")]
    pub place: String,
    #[serde(default)]
    pub description: String,
    #[serde(default)]
    pub required: bool,
    pub schema: Schema,
}

#[derive(Deserialize)]
pub struct Body {
    pub content: Ordered<Content>,
}

#[derive(Deserialize)]
pub struct Content {
    #[serde(default)]
    pub schema: Schema,
}

#[derive(Deserialize)]
pub struct Answer {
    #[serde(default)]
    pub description: String,
    #[serde(default)]
    pub headers: Ordered<Header>,
    #[serde(default)]
    pub content: Ordered<Content>,
}

#[derive(Deserialize)]
pub struct Header {
    #[serde(default)]
    pub description: String,
}

/// As far as types that serde knows come to it.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub struct Schema {
    #[serde(rename = "$ref")]
    pub reference: Option<String>,
    #[serde(rename = "type")]
    pub kind: Option<Value>,
    pub format: Option<String>,
    pub description: Option<String>,
    #[serde(rename = "enum")]
    pub words: Vec<Value>,
    /// What each of them means.
    #[serde(rename = "x-enum-descriptions")]
    pub meanings: Vec<String>,
    pub properties: Ordered<Schema>,
    pub required: Vec<String>,
    #[serde(deserialize_with = "further_items")]
    pub items: Option<Box<Schema>>,
    pub prefix_items: Vec<Schema>,
    pub all_of: Vec<Schema>,
    pub one_of: Vec<Schema>,
    pub default: Option<Value>,
    pub examples: Vec<Value>,
    pub minimum: Option<Value>,
    pub maximum: Option<Value>,
    pub min_length: Option<u64>,
    pub max_length: Option<u64>,
    pub min_items: Option<u64>,
    pub max_items: Option<u64>,
}

impl Document {
    /// The schema that a reference stands for, or itself.
    pub fn resolve<'a>(&'a self, schema: &'a Schema) -> &'a Schema {
        let named = schema.name().and_then(|name| self.components.schemas.get(name));
        named.unwrap_or(schema)
    }

    /// The calls under this tag, with their methods and paths.
    pub fn calls<'a>(&'a self, tag: &'a str) -> impl Iterator<Item = (&'a str, &'a str, &'a Call)> {
        let calls = self.paths.0.iter().flat_map(|(path, calls)| {
            let calls = calls.0.iter();
            calls.map(move |(method, call)| (method.as_str(), path.as_str(), call))
        });
        calls.filter(move |(_, _, call)| call.tags.iter().any(|at| at == tag))
    }

    /// The problems that calls can come to: the end of their `type`, and what to do.
    pub fn problems(&self) -> impl Iterator<Item = (&str, &str)> {
        let problem = self.components.schemas.get("Problem");
        let kinds = problem.and_then(|schema| schema.properties.get("type"));
        let kinds = kinds
            .into_iter()
            .flat_map(|schema| schema.words.iter().zip(&schema.meanings));
        kinds.filter_map(|(uri, text)| Some((uri.as_str()?.rsplit(':').next()?, text.as_str())))
    }

    pub fn server(&self) -> &str {
        self.servers.first().map_or("", |server| server.url.as_str())
    }
}

impl Schema {
    /// Of the schema that it refers to.
    pub fn name(&self) -> Option<&str> {
        self.reference.as_deref()?.rsplit('/').next()
    }

    pub fn is_null(&self) -> bool {
        self.kind.as_ref().is_some_and(|kind| kind == "null")
    }

    /// Without `null`, if it may also be that.
    pub fn something(&self) -> &Self {
        let mut choices = self.one_of.iter();
        choices.find(|schema| !schema.is_null()).unwrap_or(self)
    }
}

impl Call {
    pub fn scope(&self) -> Option<&str> {
        let scopes = self.security.iter().flat_map(|requirement| &requirement.0);
        scopes.flat_map(|(_, scopes)| scopes).map(String::as_str).next()
    }
}

/// A schema may also be `true`, which is anything, or `false`: there are none, as in a pair.
fn further_items<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Box<Schema>>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Items {
        Any(bool),
        Each(Box<Schema>),
    }

    Ok(match Items::deserialize(deserializer)? {
        Items::Any(any) => any.then(Box::default),
        Items::Each(schema) => Some(schema),
    })
}

/// An object whose order counts.
pub struct Ordered<T>(pub Vec<(String, T)>);

impl<T> Ordered<T> {
    pub fn get(&self, name: &str) -> Option<&T> {
        self.0.iter().find(|(at, _)| at == name).map(|(_, value)| value)
    }
}

impl<T> Default for Ordered<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Ordered<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
            type Value = Ordered<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Ordered(entries))
            }
        }

        deserializer.deserialize_map(Entries(PhantomData))
    }
}
