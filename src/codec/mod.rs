//! Between the API's objects and resources as people write them, by schema alone.
//!
//! [`decode`] turns ids into names and drops what the server sets; `encode` goes the other way and leaves references as
//! [`Body::Ref`], because an id may be known only when the referred resource was created.

mod address;
mod clear;
mod decode;
mod encode;
mod masked;
mod overlay;
mod rows;
mod segment;

pub use address::address_of;
pub use clear::{cleared, is_written_whole};
pub use decode::{Names, decode, decode_field};
pub use encode::{Body, encode_field, encode_member, encode_members};
pub use masked::masked;
pub use overlay::{hold_needed, overlay};
pub use rows::{put_sub_rows, sub_rows, sub_rows_mut};
pub use segment::{decode_segment, encode_segment};
