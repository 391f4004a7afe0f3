//! The vocabulary: plain values without I/O, clock or command line.
//!
//! One type per word of the glossary: an [`Address`] names a resource, a [`Path`] a place inside one, a [`Locus`] a
//! place in a file, a [`Value`] is what stands there (with secrets that cannot be printed), [`Diff`] and [`ThreeWay`] are what
//! plans are made of.

mod address;
mod base;
mod count;
mod fingerprint;
mod hidden;
mod json;
mod locus;
mod merge;
mod path;
mod state;
mod value;

pub use address::{Address, AddressPattern};
pub use base::{Base, BaseResource};
pub use count::{count, number};
pub use fingerprint::{Fingerprint, FingerprintKey, Mark, Seal};
pub use hidden::Hidden;
pub use json::{hex, sorted_json};
pub use locus::{Loci, Locus, Sources};
pub use merge::{Diff, ThreeWay};
pub use path::{Path, Segment};
pub use state::{Described, DescribedKind, Desired, Live, LiveKind, LiveResource, Unavailable};
pub use value::{Map, Secret, Unresolved, Value};
