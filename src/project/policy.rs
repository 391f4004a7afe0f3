//! [`Policy`]: what an environment lets a plan do.

use crate::model::{AddressPattern, Locus};
use crate::schema::Risk;

/// What an environment lets a plan do. Each rule knows where it stands, so that a refusal can point there.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Kinds that may be deleted.
    pub delete: Ruled<DeleteRule>,
    /// What happens to drift.
    pub drift: Ruled<DriftRule>,
    /// Most deletes per plan; `None` for no limit.
    pub max_deletes: Option<Ruled<DeleteLimit>>,
    /// Resources that are never changed or deleted.
    pub protect: Vec<Ruled<AddressPattern>>,
    /// Risks that need `--approve`.
    pub approve: Ruled<Vec<Risk>>,
    /// Times when nothing is applied, as written: `Fri 16:00 - Mon 08:00 Europe/Madrid`.
    pub freeze: Vec<Ruled<Freeze>>,
}

/// A rule and where it is written; `None` for a default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruled<T> {
    /// The rule.
    pub value: T,
    /// Where it stands.
    pub locus: Option<Locus>,
}

impl<T> Ruled<T> {
    /// A rule nobody wrote.
    pub fn default_of(value: T) -> Self {
        Ruled { value, locus: None }
    }

    /// A rule written at a place.
    pub fn written(value: T, locus: &Locus) -> Self {
        Ruled { value, locus: Some(locus.clone()) }
    }
}

/// Kinds that may be deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeleteRule {
    /// Every kind.
    All,
    /// Only these.
    Kinds(Vec<String>),
}

impl DeleteRule {
    /// Says whether resources of a kind may be deleted.
    pub fn allows(&self, kind: &str) -> bool {
        match self {
            DeleteRule::All => true,
            DeleteRule::Kinds(kinds) => kinds.iter().any(|known| known == kind),
        }
    }
}

/// What happens to drift.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DriftRule {
    /// The plan is refused.
    Fail,
    /// What the description says wins.
    Overwrite,
    /// What was changed outside stays.
    Keep,
}

/// Most deletes per plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeleteLimit {
    /// This many.
    Count(u32),
    /// This share of the live resources, in percent.
    Percent(u32),
}

impl DeleteLimit {
    /// Returns the most deletes among so many live resources; a share is rounded down.
    pub fn of(self, live: usize) -> usize {
        match self {
            DeleteLimit::Count(count) => count as usize,
            DeleteLimit::Percent(percent) => live * percent as usize / 100,
        }
    }
}

/// Risks that a policy can name: a safe change needs no approval.
pub(super) const RISKS: [(&str, Risk); 3] = [
    (Risk::Caution.as_str(), Risk::Caution),
    (Risk::Destructive.as_str(), Risk::Destructive),
    (Risk::Irreversible.as_str(), Risk::Irreversible),
];

/// A weekly time when nothing is applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Freeze {
    /// As written.
    pub text: String,
    /// First minute, counted from Monday 00:00 of the zone.
    pub from_minute: u32,
    /// Minute it ends before, counted likewise. Smaller than `from_minute` where it spans the end of the week.
    pub to_minute: u32,
    /// IANA name of the time zone.
    pub zone: String,
}

const MINUTES_OF_A_WEEK: u32 = 7 * 24 * 60;

impl Freeze {
    /// Reads `Fri 16:00 - Mon 08:00 Europe/Madrid`; without a zone it is UTC.
    ///
    /// # Errors
    ///
    /// Returns what is wrong with it, for people.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (from, rest) = text.split_once('-').ok_or("there is no `-` between its two times")?;
        let words: Vec<&str> = rest.split_whitespace().collect();
        let (to, zone) = match words[..] {
            [day, time] => (format!("{day} {time}"), "UTC"),
            [day, time, zone] => (format!("{day} {time}"), zone),
            _ => return Err("after `-` it takes a day, a time and a time zone".to_owned()),
        };
        if jiff::tz::TimeZone::get(zone).is_err() {
            return Err(format!("`{zone}` is not a time zone"));
        }
        Ok(Freeze {
            text: text.to_owned(),
            from_minute: minute_of_week(from.trim())?,
            to_minute: minute_of_week(&to)?,
            zone: zone.to_owned(),
        })
    }

    /// Says whether a minute of the week (from Monday 00:00 in [`Freeze::zone`]) lies within.
    pub fn covers(&self, minute: u32) -> bool {
        let minute = minute % MINUTES_OF_A_WEEK;
        if self.from_minute <= self.to_minute {
            (self.from_minute..self.to_minute).contains(&minute)
        } else {
            minute >= self.from_minute || minute < self.to_minute
        }
    }
}

fn minute_of_week(text: &str) -> Result<u32, String> {
    const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let (day, time) = text.split_once(' ').ok_or_else(|| format!("`{text}` is not a day and a time"))?;
    let day = DAYS
        .iter()
        .position(|known| known.eq_ignore_ascii_case(day))
        .ok_or_else(|| format!("`{day}` is not a day; write Mon, Tue, Wed, Thu, Fri, Sat or Sun"))?;
    let (hours, minutes) = time.trim().split_once(':').ok_or_else(|| format!("`{time}` is not a time like 16:00"))?;
    match (hours.parse::<u32>(), minutes.parse::<u32>()) {
        (Ok(hours), Ok(minutes)) if hours < 24 && minutes < 60 => Ok((day as u32 * 24 + hours) * 60 + minutes),
        _ => Err(format!("`{time}` is not a time like 16:00")),
    }
}

impl Default for Policy {
    /// Deletes nothing, stops at drift, asks before what is irreversible.
    fn default() -> Self {
        Policy {
            delete: Ruled::default_of(DeleteRule::Kinds(Vec::new())),
            drift: Ruled::default_of(DriftRule::Fail),
            max_deletes: None,
            protect: Vec::new(),
            approve: Ruled::default_of(vec![Risk::Irreversible]),
            freeze: Vec::new(),
        }
    }
}

impl Policy {
    /// Allows everything: the default of a sandbox.
    pub fn open() -> Self {
        Policy {
            delete: Ruled::default_of(DeleteRule::All),
            drift: Ruled::default_of(DriftRule::Overwrite),
            approve: Ruled::default_of(Vec::new()),
            ..Policy::default()
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_freeze_may_span_the_weekend() {
        let freeze = Freeze::parse("Fri 16:00 - Mon 08:00 Europe/Madrid").unwrap();
        let at = |day: u32, hour: u32| (day * 24 + hour) * 60;
        assert_eq!((freeze.from_minute, freeze.to_minute), (at(4, 16), at(0, 8)));
        for (minute, frozen) in
            [(at(4, 15), false), (at(4, 16), true), (at(6, 23), true), (at(0, 7), true), (at(0, 8), false)]
        {
            assert_eq!(freeze.covers(minute), frozen, "{minute}");
        }
        assert_eq!(Freeze::parse("mon 0:00 - tue 0:00").unwrap().zone, "UTC");
    }

    #[test]
    fn a_freeze_that_makes_no_sense_says_why() {
        for (text, why) in [
            ("Friday 16:00 - Mon 08:00", "`Friday` is not a day"),
            ("Fri 16:00", "no `-`"),
            ("Fri 25:00 - Mon 08:00", "not a time like 16:00"),
            ("Fri 16:00 - Mon 08:00 Mars/Olympus", "`Mars/Olympus` is not a time zone"),
            ("Fri - Mon", "after `-`"),
        ] {
            let error = Freeze::parse(text).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    #[test]
    fn a_share_is_rounded_down() {
        assert_eq!(DeleteLimit::Percent(10).of(19), 1);
        assert_eq!(DeleteLimit::Count(5).of(1), 5);
    }
}
