//! Two-way and three-way comparison results, so that no function takes `(old, new, base)` as bare values.

/// What was and what will be.
#[derive(Debug, Clone, PartialEq)]
pub struct Diff<T> {
    /// Before; `None` where there was nothing.
    pub before: Option<T>,
    /// After; `None` where there will be nothing.
    pub after: Option<T>,
}

impl<T> Diff<T> {
    /// Turns before and after around: what takes a change back.
    #[must_use]
    pub fn reversed(self) -> Self {
        Diff { before: self.after, after: self.before }
    }
}

/// The three sides of a field: what the files ask, what is live, and what the last deployment left.
#[derive(Debug, Clone, PartialEq)]
pub struct ThreeWay<T> {
    /// What the description asks now; `None` where it does not.
    pub desired: Option<T>,
    /// What is live now.
    pub live: Option<T>,
    /// What the last deployment left; `None` where no deployment is known.
    pub base: Option<Diff<T>>,
}
