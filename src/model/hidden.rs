//! [`Hidden`]: what may hold secrets in clear among other things.

use std::fmt;
use std::ops::{Deref, DerefMut};

/// A value that the program works with and that may hold secrets anywhere inside: an answer of the API, the process environment, the
/// text of a file. `Debug` shows none of it, so that no message of a failure inside can; there is no `Display`.
///
/// Where it is known which text is the secret, that text is a [`Secret`](super::Secret) instead.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hidden<T>(pub T);

impl<T> Hidden<T> {
    /// Takes the value out.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> fmt::Debug for Hidden<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

impl<T> From<T> for Hidden<T> {
    fn from(value: T) -> Self {
        Hidden(value)
    }
}

impl<T> Deref for Hidden<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for Hidden<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}
