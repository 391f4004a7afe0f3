//! The compiled form of endpoints: how things are read and written.

use indexmap::IndexMap;
use serde_json::Value as Json;

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
    /// Not read while the tenant has none of these.
    pub needs: Option<Needed>,
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

/// Something a part is worth nothing without.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Needed {
    /// Where a look tells whether the tenant has any: path below `/api/v2`.
    pub path: String,
    /// What it is, for people: `custom domain`.
    pub what: String,
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
