//! Two-way and three-way comparison results, so that no function takes `(old, new, base)` as bare values.

/// What was and what will be.
#[derive(Debug, Clone, Copy, PartialEq)]
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

    /// Takes a step into both sides.
    pub fn and_then<U>(self, step: impl Fn(T) -> Option<U>) -> Diff<U> {
        Diff { before: self.before.and_then(&step), after: self.after.and_then(&step) }
    }
}

/// The three sides of a field: what the files ask, what is live, and what the last deployment left.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ThreeWay<T> {
    /// What the description asks now; `None` where it does not.
    pub desired: Option<T>,
    /// What is live now.
    pub live: Option<T>,
    /// What the last deployment left: before, what the description asked then; after, what was live then. `None` where no
    /// deployment is known.
    pub base: Option<Diff<T>>,
}

impl<T> ThreeWay<T> {
    /// Takes a step into every side.
    pub fn and_then<U>(self, step: impl Fn(T) -> Option<U>) -> ThreeWay<U> {
        ThreeWay {
            desired: self.desired.and_then(&step),
            live: self.live.and_then(&step),
            base: self.base.map(|base| base.and_then(&step)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_taken_into_every_side() {
        let sides = ThreeWay { desired: Some(4), live: None, base: Some(Diff { before: Some(6), after: Some(7) }) };
        let even = sides.and_then(|n| (n % 2 == 0).then_some(n / 2));
        assert_eq!(even, ThreeWay { desired: Some(2), live: None, base: Some(Diff { before: Some(3), after: None }) });
        assert_eq!(sides.base.map(Diff::reversed), Some(Diff { before: Some(7), after: Some(6) }));
    }
}
