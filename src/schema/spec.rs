//! The compiled form of a kind's schema.

use indexmap::IndexMap;
use regex::Regex;
use serde_json::Value as Json;

use crate::model::Path;

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
    pub fn as_str(self) -> &'static str {
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

/// HTTP verb of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verb {
    /// `POST`
    Post,
    /// `PATCH`
    Patch,
    /// `PUT`
    Put,
    /// `DELETE`
    Delete,
}

impl Verb {
    /// Returns the verb as HTTP writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Verb::Post => "POST",
            Verb::Patch => "PATCH",
            Verb::Put => "PUT",
            Verb::Delete => "DELETE",
        }
    }
}

/// A kind is a list of resources or one object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KindShape {
    /// A list of resources.
    Collection,
    /// Exactly one object.
    Single,
}

/// Everything known of one kind.
#[derive(Debug, Clone)]
pub struct KindSpec {
    /// Name, as the description's key: `clientGrants`.
    pub name: String,
    /// One resource in words: `Client grant`.
    pub title: String,
    /// What it is, one or two sentences.
    pub description: String,
    /// Whether it is a list or one object.
    pub shape: KindShape,
    /// Members that tell resources apart; empty for a single.
    pub identity: Vec<String>,
    /// Further members that pair a described resource with a live one.
    pub also: Vec<String>,
    /// The API refuses a second resource of the same identity.
    pub unique: bool,
    /// Another kind over which names are unique too.
    pub shares: Option<String>,
    /// Members that are unreadable, not empty, without a scope.
    pub gated: IndexMap<String, String>,
    /// An empty object in the description is left alone.
    pub empty_is_unmanaged: bool,
    /// Members that another kind describes, with its address.
    pub elsewhere: IndexMap<String, String>,
    /// Statuses that mean the plan lacks one name of a closed set.
    pub unavailable: IndexMap<String, Vec<u16>>,
    /// Closed set of resources by name; empty where resources are created and deleted.
    pub names: Vec<String>,
    /// The API's member with the server id; `None` where the identity is the id.
    pub id: Option<String>,
    /// Kinds to be applied first although no reference says so.
    pub after: Vec<String>,
    /// Where the directory layout keeps it.
    pub directory: Directory,
    /// Members in files of their own in the directory layout.
    pub member_files: IndexMap<String, MemberFile>,
    /// Files of the folder that belong to another kind.
    pub foreign_files: Vec<String>,
    /// Extension of the file that `NAME.json` is paired with.
    pub paired: Option<String>,
    /// How all of it is listed.
    pub list: Option<ListEndpoint>,
    /// How one is read.
    pub get: Option<Endpoint>,
    /// Rows of the list lack members: each resource is read on its own as well.
    pub detail: bool,
    /// How one is created.
    pub create: Option<Create>,
    /// How one is changed.
    pub update: Option<Create>,
    /// How one is deleted.
    pub delete: Option<Create>,
    /// Deleting goes on after the answer; the name is taken until it is done.
    pub asynchronous_delete: bool,
    /// Statuses of the read that mean: not configured yet.
    pub absent: Vec<u16>,
    /// A write returns the whole resource.
    pub answers_whole: bool,
    /// Further endpoints.
    pub parts: Vec<Part>,
    /// Where each named resource lives, for kinds spread over others' endpoints.
    pub places: IndexMap<String, Place>,
    /// Objects that are never touched.
    pub system: Vec<SystemRule>,
    /// Member that holds the deployer's client id on what the deployer stands on.
    pub own: Option<String>,
    /// The tenant may lack the feature.
    pub optional: bool,
    /// Scopes per verb.
    pub scopes: Scopes,
    /// Risk of creating one.
    pub create_risk: Risk,
    /// Risk of deleting one.
    pub delete_risk: Risk,
    /// What goes when one is deleted.
    pub delete_why: Option<String>,
    /// What the API deletes along with one.
    pub cascades: Vec<Cascade>,
    /// `src/quirk/` has hooks under this name.
    pub quirk: Option<String>,
    /// Most resources of the kind in a tenant.
    pub limit: Option<u32>,
    /// Shape of one resource.
    pub fields: FieldSpec,
    /// The JSON Schema as written, for validation and editors.
    pub json: Json,
}

impl KindSpec {
    /// Returns a member of the resource.
    pub fn field(&self, name: &str) -> Option<&FieldSpec> {
        self.fields.member(name)
    }

    /// Returns every list behind endpoints of its own, with its path inside the resource.
    pub fn subs(&self) -> Vec<(Path, &FieldSpec)> {
        fn collect<'a>(field: &'a FieldSpec, path: &Path, out: &mut Vec<(Path, &'a FieldSpec)>) {
            for (name, member) in field.members() {
                let here = path.key(name);
                if member.sub.is_some() {
                    out.push((here, member));
                } else if !member.read_only && !member.skip {
                    collect(member, &here, out);
                }
            }
        }
        let mut out = Vec::new();
        collect(&self.fields, &Path::root(), &mut out);
        out
    }

    /// Says whether resources of the kind can be created and deleted.
    pub fn is_open_set(&self) -> bool {
        self.shape == KindShape::Collection && self.names.is_empty()
    }
}

/// Where the directory layout keeps a kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Directory {
    /// One file per resource in a folder; the name is a template over members: `{name}`.
    Files {
        /// Folder: `clients`.
        folder: String,
        /// File name without extension: `{name}`.
        file: String,
    },
    /// All of it in one file: `tenant.json`.
    File {
        /// Path without extension: `tenant`, `emails/provider`.
        path: String,
    },
    /// One file in a folder holds the list.
    Array {
        /// Path without extension.
        path: String,
    },
}

/// Where the directory layout keeps one member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MemberFile {
    /// In one file; path without extension.
    File(String),
    /// In one file per object of a list.
    Folder {
        /// Folder.
        folder: String,
        /// File name without extension: `{template}`.
        file: String,
    },
}

/// A path and query to read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Path below `/api/v2` with `{variables}`.
    pub path: String,
    /// Fixed query parameters.
    pub query: Vec<(String, String)>,
    /// Member of the answer that is the value; `None` for all of it.
    pub wrap: Option<String>,
    /// Statuses that mean: nothing there.
    pub absent: Vec<u16>,
    /// The answer is a list of the actions family; its rows' member.
    pub rows: Option<String>,
}

/// How a list pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListPaging {
    /// `page`, `per_page`, `include_totals`.
    Page,
    /// `from`, `take`.
    Checkpoint,
    /// Offsets up to 1,000 items, checkpoints above.
    PageCheckpoint,
    /// The actions family: `page`, `per_page`, an envelope with `total`.
    Envelope,
    /// An object with the rows, no pages.
    Wrapped,
    /// A bare array.
    Array,
}

/// How a collection is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListEndpoint {
    /// Path below `/api/v2` with `{variables}`.
    pub path: String,
    /// Fixed query parameters.
    pub query: Vec<(String, String)>,
    /// How it pages.
    pub paging: ListPaging,
    /// Member that holds the rows; empty for a bare array.
    pub rows: String,
    /// Largest page the API allows.
    pub max: u32,
    /// Rows that belong to another kind: member → values left out.
    pub exclude: Vec<(String, Vec<Json>)>,
}

/// A write: verb and path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Create {
    /// Verb.
    pub method: Verb,
    /// Path below `/api/v2` with `{variables}`.
    pub path: String,
    /// Member of the body that holds the value; `None` where the value is the body.
    pub wrap: Option<String>,
}

/// A part of a resource behind endpoints of its own.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// Steps to it inside the resource.
    pub at: Vec<PartStep>,
    /// How it is read; `None` where another read brings it.
    pub get: Option<Endpoint>,
    /// Where all values are listed at once, and the row's member with the resource's id (or members named as the captures).
    pub bulk: Option<(ListEndpoint, String)>,
    /// Only resources with one of these values in a member have it.
    pub only: Vec<(String, Vec<Json>)>,
    /// How it is made; `None` where writing makes it.
    pub create: Option<Create>,
    /// How it is written.
    pub update: Create,
    /// How it is removed; `None` where it is emptied.
    pub delete: Option<Create>,
    /// The write wants every member, not only the changed ones.
    pub whole: bool,
    /// `at` names an item of a keyed list, and the value is this member of it.
    pub item: Option<String>,
    /// Not read while the tenant has no resource of this kind or collection.
    pub needs: Option<String>,
    /// Further statuses of the read that mean: the tenant lacks it.
    pub unavailable: Vec<u16>,
    /// The subscription may lack it.
    pub optional: bool,
    /// The write replaces all of it.
    pub replaces: bool,
    /// Values of the captures that a full export reads: fixed, or `kind:member`.
    pub all: IndexMap<String, AllValues>,
}

impl Part {
    /// Returns how the part's own read pages, where it answers a list.
    pub fn list_style(&self) -> Option<ListEndpoint> {
        let get = self.get.as_ref()?;
        let rows = get.rows.as_ref()?;
        Some(ListEndpoint {
            path: get.path.clone(),
            query: get.query.clone(),
            paging: ListPaging::Envelope,
            rows: rows.clone(),
            max: 50,
            exclude: Vec::new(),
        })
    }
}

/// One step of a part's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartStep {
    /// A member.
    Key(String),
    /// Any key of a map, captured under a name.
    Capture(String),
    /// An item of a keyed list.
    Item(String),
}

/// Which values a capture takes in a full export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AllValues {
    /// These.
    Fixed(Vec<String>),
    /// Those in a member of a single kind: `tenant:enabled_locales`.
    Member(String, String),
    /// Those a list answers, in rows with these values: list, member, conditions.
    Listed(ListEndpoint, String, Vec<(String, Json)>),
}

/// Where one named resource lives inside another kind's object.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    /// How it is read.
    pub get: Endpoint,
    /// The read answers a list and the resource is in its first row.
    pub pick_first: bool,
    /// The write merges the object; otherwise the live one is overlaid.
    pub merged: bool,
    /// Member of the object that is the resource; `None` for the object itself.
    pub at: Option<String>,
    /// How it is written.
    pub update: Create,
    /// Member in files → member in the API, where they differ. Empty: all members as they are.
    pub members: IndexMap<String, String>,
}

/// Objects never touched.
#[derive(Debug, Clone)]
pub struct SystemRule {
    /// API member.
    pub member: String,
    /// Its value on such objects; `None`: any value but null.
    pub equals: Option<Json>,
    /// A pattern its value matches on such objects.
    pub matches: Option<Regex>,
    /// Why, for people.
    pub why: String,
    /// Members (or paths: `a.b`) that may be written all the same.
    pub writable: Vec<String>,
}

/// Scopes a kind needs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scopes {
    /// To read it.
    pub read: Vec<String>,
    /// To create.
    pub create: Vec<String>,
    /// To change.
    pub update: Vec<String>,
    /// To delete.
    pub delete: Vec<String>,
    /// Further scopes, with what they reveal.
    pub extra: IndexMap<String, String>,
}

/// What the API deletes along.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cascade {
    /// Kind of what goes.
    pub kind: String,
    /// Its member that refers to the deleted resource; of its items, where `items` is given.
    pub member: Option<String>,
    /// Its list whose items go; `None`: the resource itself goes.
    pub items: Option<String>,
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

/// How many items a request takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Batch {
    /// One request per item, the item is the body.
    Each,
    /// At most so many.
    Of(usize),
}

/// A write on a sub-resource.
#[derive(Debug, Clone, PartialEq)]
pub struct SubEndpoint {
    /// Verb.
    pub method: Verb,
    /// Path with `{variables}`: `{id}` of the parent, `{member}` of the item, `{item.id}` of its row.
    pub path: String,
    /// Items per request.
    pub batch: Batch,
    /// Member of the body that holds the items.
    pub wrap: Option<String>,
    /// Items are sent as the bare value of this member.
    pub bare: Option<String>,
    /// Members of an item that are sent; empty: all.
    pub only: Vec<String>,
    /// Members of an item that are not sent.
    pub without: Vec<String>,
    /// Members added to each item.
    pub with: serde_json::Map<String, Json>,
    /// A body is sent.
    pub body: bool,
}

/// A list behind endpoints of its own.
#[derive(Debug, Clone, PartialEq)]
pub struct SubSpec {
    /// How it is read.
    pub list: ListEndpoint,
    /// Member of a row that is the value; `None` where the row is.
    pub item: Option<String>,
    /// Adds items.
    pub add: SubEndpoint,
    /// Changes an item in place; `None`: removed and added.
    pub change: Option<SubEndpoint>,
    /// Removes items.
    pub remove: SubEndpoint,
    /// Replaces the whole list, in place of adding and removing.
    pub replace: Option<SubEndpoint>,
    /// Scopes to read and to write.
    pub scopes: Scopes,
    /// The plan may lack it.
    pub optional: bool,
}
