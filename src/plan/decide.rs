//! The one table of what a difference is called.

use crate::change::Origin;
use crate::model::ThreeWay;

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

/// Decides one leaf. `same` compares two values of it.
pub fn decide<T>(leaf: &ThreeWay<T>, same: impl Fn(&Option<T>, &Option<T>) -> bool) -> Verdict {
    let live_is_desired = same(&leaf.desired, &leaf.live);
    let Some(base) = &leaf.base else {
        return if live_is_desired { Verdict::Nothing } else { Verdict::Differs(Origin::Unknown) };
    };
    let we_moved = !same(&leaf.desired, &base.before);
    let they_moved = !same(&leaf.live, &base.after);
    match (live_is_desired, we_moved, they_moved) {
        (true, true, _) => Verdict::AlreadyThere,
        (true, false, _) => Verdict::Nothing,
        (false, true, false) => Verdict::Differs(Origin::Change),
        (false, false, true) => Verdict::Differs(Origin::Drift),
        (false, true, true) => Verdict::Differs(Origin::Conflict),
        // Neither side moved and still they differ: the last deployment left it so.
        (false, false, false) => Verdict::Differs(Origin::Change),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Diff;

    #[test]
    fn every_row_of_the_table() {
        let row = |desired, live, base: Option<(i32, i32)>| {
            let base = base.map(|(before, after)| Diff { before: Some(before), after: Some(after) });
            decide(&ThreeWay { desired: Some(desired), live: Some(live), base }, |a, b| a == b)
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
