//! The compiled form of one value's schema.

use indexmap::IndexMap;
use serde_json::Value as Json;

use super::endpoint::SubSpec;

/// How dangerous a change is. Ordered: later is worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Risk {
    /// Nothing relies on what goes.
    #[default]
    Safe,
    /// Something may stop working; it comes back by undoing the change.
    Caution,
    /// Something people rely on goes: a client id, a permission, a callback URL.
    Destructive,
    /// Data goes for good: a database connection with its users.
    Irreversible,
}

impl Risk {
    /// Returns the word used in files, flags and outputs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Risk::Safe => "safe",
            Risk::Caution => "caution",
            Risk::Destructive => "destructive",
            Risk::Irreversible => "irreversible",
        }
    }

    /// Reads the word.
    pub fn parse(text: &str) -> Option<Self> {
        [Risk::Safe, Risk::Caution, Risk::Destructive, Risk::Irreversible].into_iter().find(|r| r.as_str() == text)
    }
}

/// Shape and annotations of one value.
#[derive(Debug, Clone, Default)]
pub struct FieldSpec {
    /// What stands there.
    pub shape: Shape,
    /// JSON types accepted, as JSON Schema names them; empty for any.
    pub types: Vec<String>,
    /// One line for the reference page.
    pub description: String,
    /// Set by the server.
    pub read_only: bool,
    /// Never returned.
    pub write_only: bool,
    /// Masked everywhere.
    pub secret: bool,
    /// Order of the list means nothing.
    pub set: bool,
    /// Members that tell items of the list apart.
    pub key: Vec<String>,
    /// The keyed list has an order that counts.
    pub ordered: bool,
    /// A change forces a replace.
    pub immutable: bool,
    /// A change is refused: not even a replace makes sense.
    pub fixed: bool,
    /// Stands in the path of a write, never in its body.
    pub in_path: bool,
    /// Hours in files; sent in whole minutes under this name.
    pub hours: Option<String>,
    /// Most elements or bytes, by published limits that a contract may raise.
    pub limit: Option<u64>,
    /// No body carries it: a quirk turns a change into a step of this name.
    pub step: Option<String>,
    /// The API returns an empty text and refuses it: sent as null.
    pub empty_is_null: bool,
    /// What a write makes of a null.
    pub null: Null,
    /// The API refuses it empty: a list needs an item, an object a member.
    pub never_empty: bool,
    /// Members a create needs beyond the required ones.
    pub required_on_create: Vec<String>,
    /// An item of the list that this map may be written as.
    pub listed: Option<Box<FieldSpec>>,
    /// The server makes a value when none is given: not exported.
    pub server_made: bool,
    /// Sent on create only.
    pub create_only: bool,
    /// Refused on create.
    pub update_only: bool,
    /// A PATCH merges it.
    pub merged: bool,
    /// Auth0 writes it.
    pub owned: bool,
    /// Neither sent nor compared.
    pub skip: bool,
    /// Deprecated by Auth0.
    pub deprecated: bool,
    /// What the server fills in.
    pub default: Option<Json>,
    /// Defaults that depend on other members.
    pub default_when: Vec<(Vec<(String, Json)>, Json)>,
    /// Kinds a name refers to, ids in the API.
    pub reference: Vec<String>,
    /// Kinds a value refers to that is the same in files and API.
    pub literal_reference: Vec<String>,
    /// The value is one that a referred resource defines.
    pub scope_of: Option<ScopeOf>,
    /// Allowed values, where closed.
    pub values: Vec<Json>,
    /// Risk of changes here.
    pub risk: RiskSpec,
    /// What people rely on.
    pub why: Option<String>,
    /// The API's name of the member.
    pub api: Option<String>,
    /// The member this is an older spelling of.
    pub alias: Option<String>,
    /// Side file.
    pub file: Option<FileSpec>,
    /// Text shown as a diff.
    pub text: Option<TextKind>,
    /// Endpoints of its own.
    pub sub: Option<Box<SubSpec>>,
}

/// Where a value has to be defined: in a list of the resource that a member beside it, or around it, names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScopeOf {
    /// The member that names the resource.
    pub member: String,
    /// The list there.
    pub list: String,
    /// The member of its items that holds the value.
    pub key: String,
}

/// How names of secrets end, without signs between words.
const SECRET_ENDS: [&str; 9] =
    ["secret", "password", "passwd", "passphrase", "privatekey", "apikey", "saskey", "token", "credentials"];

/// Says whether a member that no schema knows is taken for a secret, by its name: `newer_api_key`, `clientSecret`.
pub fn names_secret(member: &str) -> bool {
    let name: String = member.chars().filter(char::is_ascii_alphanumeric).collect();
    SECRET_ENDS.iter().any(|end| name.to_ascii_lowercase().ends_with(end))
}

impl FieldSpec {
    /// Returns the spec of a member: of a record its member, of a map its values.
    pub fn member(&self, name: &str) -> Option<&FieldSpec> {
        match &self.shape {
            Shape::Record { members, rest, .. } => members.get(name).or(rest.as_deref()),
            Shape::Map(values) => Some(values),
            _ => None,
        }
    }

    /// Returns the spec of list items; of a map that may be written as a list, those of that list.
    pub fn item(&self) -> Option<&FieldSpec> {
        match &self.shape {
            Shape::List(items) => Some(items),
            _ => self.listed.as_deref(),
        }
    }

    /// Returns the members of a record.
    pub fn members(&self) -> impl Iterator<Item = (&String, &FieldSpec)> {
        match &self.shape {
            Shape::Record { members, .. } => Some(members.iter()),
            _ => None,
        }
        .into_iter()
        .flatten()
    }

    /// Returns what the server fills in for a member left out of `resource`.
    pub fn default_in(&self, resource: &crate::model::Map) -> Option<&Json> {
        let holds = |member: &String, value: &Json| match resource.get(member) {
            Some(found) => &found.redacted() == value,
            None => value.is_null(),
        };
        self.default_when
            .iter()
            .find(|(conditions, _)| conditions.iter().all(|(member, value)| holds(member, value)))
            .map(|(_, default)| default)
            .or(self.default.as_ref())
    }
}

/// What stands in a field.
#[derive(Debug, Clone, Default)]
pub enum Shape {
    /// Text, number, truth value.
    Scalar,
    /// Known members.
    Record {
        /// By name.
        members: IndexMap<String, FieldSpec>,
        /// Others are allowed too.
        open: bool,
        /// Shape of the others, where one is known.
        rest: Option<Box<FieldSpec>>,
    },
    /// Free keys, values of one shape.
    Map(Box<FieldSpec>),
    /// A list.
    List(Box<FieldSpec>),
    /// Anything.
    #[default]
    Any,
}

/// What a write makes of a null.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Null {
    /// Nobody knows: nothing is said about the type.
    #[default]
    Unknown,
    /// The API takes it, and it clears.
    Taken,
    /// The API refuses it and takes an empty text, which clears as well: that is sent.
    Empty,
    /// The API refuses it: it is left out, which clears only within what is written whole.
    Refused,
}

/// Risk per direction of a change.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RiskSpec {
    /// Something is added.
    pub add: Risk,
    /// Something is removed.
    pub remove: Risk,
    /// A value changes.
    pub change: Risk,
}

/// How a text is shown and normalised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextKind {
    /// JavaScript.
    Js,
    /// HTML.
    Html,
    /// Liquid.
    Liquid,
    /// A PEM block or its Base64 body.
    Pem,
}

/// What the path of a side file is relative to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileBase {
    /// The root of the description.
    Root,
    /// The folder of the describing file.
    File,
    /// The kind's folder.
    Kind,
    /// A folder, as a template over members.
    Folder(String),
    /// There is no side file in this layout: the value is the text.
    Inline,
}

/// What happens when a side file is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MissingFile {
    /// An error.
    Error,
    /// A warning; the member is left out.
    Warn,
    /// The text is empty.
    Empty,
    /// The value is the text itself.
    Text,
}

/// A value kept in a file of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileSpec {
    /// Base in the directory layout.
    pub directory: FileBase,
    /// Base in the single file.
    pub single: FileBase,
    /// What a missing file means.
    pub missing: MissingFile,
    /// What it means for single resources, by name.
    pub missing_for: IndexMap<String, MissingFile>,
    /// The file is JSON and becomes the value.
    pub json: bool,
    /// A value that names no file is the text itself.
    pub optional: bool,
    /// White space around the text does not count.
    pub trim: bool,
    /// The default path is read when the member is left out and such a file exists.
    pub or_default: bool,
    /// Path on export and when the member is left out, directory layout.
    pub default_directory: Option<String>,
    /// Path on export, single file.
    pub default_single: Option<String>,
}
