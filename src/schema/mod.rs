//! What Tenantry knows of each kind: `schemas/KIND.yaml`, compiled into [`KindSpec`]s.
//!
//! The files are embedded and compiled once. The annotation language is described in `schemas/README.md`.

mod compile;
mod describe;
mod docs;
mod registry;
mod spec;

pub use describe::describe;
pub use docs::reference;
pub use registry::Registry;
pub use spec::{
    AllValues, Batch, Cascade, Create, Directory, Endpoint, FieldSpec, FileBase, FileSpec, KindShape, KindSpec,
    ListEndpoint, ListPaging, MemberFile, MissingFile, Part, PartStep, Place, Risk, RiskSpec, ScopeOf, Scopes, Shape,
    SubEndpoint, SubSpec, SystemRule, TextKind, Verb,
};
