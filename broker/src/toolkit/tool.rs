//! One tool: what it takes and which request it makes.

use std::sync::{Arc, OnceLock};

use http::{HeaderName, Method};
use serde_json::value::RawValue;

/// What a tool does to the provider's data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// It only reads.
    Read,
    /// It makes or changes something.
    Write,
    /// It destroys something.
    Destructive,
}

impl Class {
    /// The word in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Destructive => "destructive",
        }
    }

    pub(crate) fn parse(word: &str) -> Option<Self> {
        [Self::Read, Self::Write, Self::Destructive].into_iter().find(|class| class.as_str() == word)
    }
}

/// One operation of a toolkit.
#[derive(Debug)]
pub struct Tool {
    /// Its name, such as `TRACKER_CREATE_AN_ISSUE`.
    pub slug: String,
    /// Its name for people.
    pub name: String,
    /// What it does.
    pub description: String,
    /// What it does to the provider's data.
    pub class: Class,
    /// Scopes that a connection needs for it.
    pub scopes: Vec<String>,
    /// Which of the connection's tokens it is called with, where there are several; the first if it does not say.
    pub token: Option<String>,
    pub(crate) input: Arc<RawValue>,
    pub(crate) schema: OnceLock<Result<jsonschema::Validator, String>>,
    pub(crate) plan: Work,
    pub(crate) haystack: Haystack,
}

impl Tool {
    /// The JSON Schema 2020-12 of its arguments, serialised once when the toolkit was read.
    #[must_use]
    pub fn input_parameters(&self) -> &Arc<RawValue> {
        &self.input
    }
}

/// How a tool comes from arguments to a request.
#[derive(Debug)]
pub(crate) enum Work {
    /// By the plan of its operation.
    Operation(Plan),
    /// As the caller says, see [`super::any_request`].
    AnyRequest,
}

/// The texts that a search looks in, in lower case.
#[derive(Debug)]
pub(crate) struct Haystack {
    /// Slug and name.
    pub(crate) title: String,
    /// Slug, name and description.
    pub(crate) all: String,
}

impl Haystack {
    pub(crate) fn new(slug: &str, name: &str, description: &str) -> Self {
        let title = format!("{slug}\n{name}").to_lowercase();
        let all = format!("{title}\n{}", description.to_lowercase());
        Self { title, all }
    }
}

/// How arguments become a request.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) method: Method,
    /// The segments of the path, each of texts and arguments.
    pub(crate) path: Vec<Vec<Piece>>,
    pub(crate) query: Vec<Parameter>,
    pub(crate) headers: Vec<(HeaderName, String)>,
    pub(crate) body: Option<BodyPlan>,
}

/// A part of a path segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    Text(String),
    /// The name of an argument.
    Argument(String),
}

/// A parameter of the query.
#[derive(Debug)]
pub(crate) struct Parameter {
    pub(crate) argument: String,
    /// Its name in the request.
    pub(crate) name: String,
    pub(crate) style: Style,
}

/// How lists and objects are written in a query or form (OpenAPI 3.1.1 section 4.8.12.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// `a=1&a=2`; the fields of an object each by their own name.
    Repeated,
    /// `a=1,2` with this separator.
    Joined(&'static str),
    /// `a[x]=1&a[y]=2`.
    Deep,
    /// One value, as JSON.
    Json,
}

/// How arguments become a body.
#[derive(Debug)]
pub(crate) struct BodyPlan {
    pub(crate) required: bool,
    pub(crate) encoding: Encoding,
    pub(crate) shape: BodyShape,
}

/// How a body is written.
#[derive(Debug)]
pub(crate) enum Encoding {
    /// As JSON, under this content type.
    Json(String),
    /// As the variables of a GraphQL operation (GraphQL over HTTP, section 5.4).
    GraphQl { query: String, operation: String },
    /// As a form, with the fields that are written with brackets.
    Form { deep: Vec<String> },
}

/// Where the body's content comes from.
#[derive(Debug)]
pub(crate) enum BodyShape {
    /// One argument is the body.
    Whole(String),
    /// The body is an object of arguments: those that are renamed, by argument and field. Every argument that
    /// is neither renamed nor a parameter is a field of its own name.
    Fields { renamed: Vec<(String, String)> },
}
