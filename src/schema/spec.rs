//! The compiled form of a kind's schema.

use indexmap::IndexMap;
use regex::Regex;
use serde_json::Value as Json;

use super::endpoint::{Create, Endpoint, ListEndpoint, Part, Place, Scopes};
use super::field::{FieldSpec, Risk};
use crate::model::Path;

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
