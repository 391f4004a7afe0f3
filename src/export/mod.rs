//! The live tenant becomes a description that loads back without loss.
//!
//! [`files`] is pure: it gives the texts of all files and says what was left out and why. [`write()`] puts them on a disk.

mod text;
