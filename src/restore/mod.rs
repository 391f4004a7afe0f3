//! What an archive asks for on the tenant it is restored onto: which live resource stands for which of the archive's, what still
//! names the tenant it was taken of, and what a rehearsal makes up.
//!
//! A restore is not a second engine: all of this edits the desired state, or says something about it, and the ordinary plan,
//! guards and apply do the rest.

mod made_up;
mod mentions;
mod objects;
mod settle;
mod unset;

pub use made_up::made_up;
pub use mentions::{Mention, Mentioned, mentions};
pub use objects::{NewId, Object, Objects};
pub use settle::{LeftOut, Settled, management_api, settle, without_left_out};
pub use unset::{Stays, Then, left_without};
