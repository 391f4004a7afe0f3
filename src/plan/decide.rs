//! The one table of what a difference is called.

use crate::change::Origin;

/// What is to be done about one leaf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing: live is as desired.
    Nothing,
    /// Somebody already did it: no write, the base moves.
    AlreadyThere,
    /// A difference of this origin.
    Differs(Origin),
}

/// Who moved away from what the last deployment left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moved {
    /// The description: desired is not as desired then.
    pub ours: bool,
    /// The tenant: live is not as live then.
    pub theirs: bool,
}

/// Decides one leaf: `settled` says that live is as desired; `moved` is `None` where no deployment is known that could tell.
pub fn decide(settled: bool, moved: Option<Moved>) -> Verdict {
    match (settled, moved) {
        (true, Some(Moved { ours: true, .. })) => Verdict::AlreadyThere,
        (true, _) => Verdict::Nothing,
        (false, None) => Verdict::Differs(Origin::Unknown),
        (false, Some(Moved { ours: true, theirs: false })) => Verdict::Differs(Origin::Change),
        (false, Some(Moved { ours: false, theirs: true })) => Verdict::Differs(Origin::Drift),
        (false, Some(Moved { ours: true, theirs: true })) => Verdict::Differs(Origin::Conflict),
        // Neither side moved and still they differ: the last deployment left it so.
        (false, Some(Moved { ours: false, theirs: false })) => Verdict::Differs(Origin::Change),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_table() {
        let row = |desired, live, base: Option<(i32, i32)>| {
            decide(desired == live, base.map(|(was, left)| Moved { ours: desired != was, theirs: live != left }))
        };
        assert_eq!(row(1, 1, None), Verdict::Nothing);
        assert_eq!(row(1, 2, None), Verdict::Differs(Origin::Unknown));
        assert_eq!(row(1, 1, Some((1, 1))), Verdict::Nothing);
        assert_eq!(row(2, 2, Some((1, 1))), Verdict::AlreadyThere);
        assert_eq!(row(2, 1, Some((1, 1))), Verdict::Differs(Origin::Change));
        assert_eq!(row(1, 2, Some((1, 1))), Verdict::Differs(Origin::Drift));
        assert_eq!(row(2, 3, Some((1, 1))), Verdict::Differs(Origin::Conflict));
        assert_eq!(row(1, 2, Some((1, 2))), Verdict::Differs(Origin::Change));
    }
}
