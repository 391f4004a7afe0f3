//! Machine-readable outputs. Every document names its format and version; a version never changes once released.

pub mod v1;
