//! What Tenantry knows of each kind: `schemas/KIND.yaml`, compiled into [`KindSpec`]s.
//!
//! The files are embedded and compiled once. The annotation language is described in `schemas/README.md`.

mod compile;
mod describe;
mod docs;
mod endpoint;
mod field;
mod registry;
mod spec;

pub use describe::describe;
pub use docs::reference;
pub use endpoint::{
    AllValues, Batch, Create, Endpoint, ListEndpoint, ListPaging, Needed, Part, PartStep, Place, Scopes, SubEndpoint,
    SubSpec, Verb,
};
pub use field::{
    FieldSpec, FileBase, FileSpec, MissingFile, Null, Risk, RiskSpec, ScopeOf, Shape, TextKind, names_secret,
};
pub use registry::Registry;
pub use spec::{Cascade, Directory, KindShape, KindSpec, MemberFile, SystemRule};
