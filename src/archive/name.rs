//! Names of archives: `DOMAIN-YYYYMMDDTHHMMSSZ.tar.zst`, with `.age` behind it where it is sealed.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// How an archive ends that is not sealed.
const OPEN: &str = ".tar.zst";
/// How a sealed one ends.
const SEALED: &str = ".tar.zst.age";
/// How one ends that is being written, or never was finished.
pub(crate) const PARTIAL: &str = ".partial";
/// How the time is written.
const TIME: &str = "%Y%m%dT%H%M%SZ";

/// The name of an archive. Names of one tenant sort by time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveName {
    /// The tenant: its domain, with `_` for what not every system takes in a name.
    pub tenant: String,
    /// When it was begun, to the second.
    pub started: Timestamp,
    /// The which one of that second it is: 1 for the first.
    pub number: u32,
    /// It is sealed.
    pub encrypted: bool,
    /// It is finished.
    pub finished: bool,
}

impl ArchiveName {
    /// Names an archive of a tenant that is begun now.
    pub fn new(domain: &str, started: Timestamp, encrypted: bool) -> Self {
        let safe = |c: char| if c.is_ascii_alphanumeric() || c == '-' || c == '.' { c } else { '_' };
        let tenant: String = domain.chars().map(safe).collect();
        let tenant = match tenant.trim_start_matches('.') {
            "" => "_".to_owned(),
            text => text.to_ascii_lowercase(),
        };
        ArchiveName { tenant, started, number: 1, encrypted, finished: true }
    }

    /// Reads a name; `None` where it is no archive's.
    pub fn parse(name: &str) -> Option<Self> {
        let (whole, finished) = match name.strip_suffix(PARTIAL) {
            Some(whole) => (whole, false),
            None => (name, true),
        };
        let (stem, encrypted) = match (whole.strip_suffix(SEALED), whole.strip_suffix(OPEN)) {
            (Some(stem), _) => (stem, true),
            (None, Some(stem)) => (stem, false),
            (None, None) => return None,
        };
        let (stem, number) = match stem.rsplit_once("Z-") {
            Some((head, number)) => (format!("{head}Z"), number.parse().ok().filter(|n| *n > 1)?),
            None => (stem.to_owned(), 1),
        };
        let (tenant, time) = stem.rsplit_once('-')?;
        let time = jiff::civil::DateTime::strptime(TIME, time).ok()?;
        let started = time.to_zoned(TimeZone::UTC).ok()?.timestamp();
        let found = ArchiveName { tenant: tenant.to_owned(), started, number, encrypted, finished };
        // One name for one archive: what would be written otherwise is none of ours.
        (found.to_string() == name && !tenant.is_empty()).then_some(found)
    }

    /// Returns the same with the next number of its second.
    #[must_use]
    pub fn next(&self) -> Self {
        ArchiveName { number: self.number + 1, ..self.clone() }
    }

    /// Returns what archives of one tenant sort by: time, then number.
    pub fn order(&self) -> (Timestamp, u32) {
        (self.started, self.number)
    }
}

impl std::fmt::Display for ArchiveName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let time = self.started.to_zoned(TimeZone::UTC).strftime(TIME);
        write!(f, "{}-{time}", self.tenant)?;
        if self.number > 1 {
            write!(f, "-{}", self.number)?;
        }
        f.write_str(if self.encrypted { SEALED } else { OPEN })?;
        f.write_str(if self.finished { "" } else { PARTIAL })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn names_print_and_parse() {
        for name in [
            "acme.eu.auth0.com-20261122T073502Z.tar.zst",
            "acme.eu.auth0.com-20261122T073502Z-2.tar.zst.age",
            "127.0.0.1_4010-20261122T073502Z.tar.zst.age.partial",
            "a-b-20261122T073502Z.tar.zst",
        ] {
            assert_eq!(ArchiveName::parse(name).unwrap().to_string(), name);
        }
    }

    #[test]
    fn other_files_are_none() {
        for name in [
            "acme.tar.zst",
            "acme-20261122T073502Z.tar.gz",
            "acme-20261322T073502Z.tar.zst",
            "acme-20261122T073502Z-1.tar.zst",
            "acme-20261122T073502Z-02.tar.zst",
            "-20261122T073502Z.tar.zst",
            "acme-20261122T073502Z.tar.zst.age.age",
            "",
        ] {
            assert_eq!(ArchiveName::parse(name), None, "{name}");
        }
    }

    #[test]
    fn domains_make_names_that_every_system_takes() {
        let at = "2026-11-22T07:35:02.9Z".parse().unwrap();
        let name = |domain: &str| ArchiveName::new(domain, at, false).to_string();
        assert_eq!(name("127.0.0.1:4010"), "127.0.0.1_4010-20261122T073502Z.tar.zst");
        assert_eq!(name("../../x"), "_.._x-20261122T073502Z.tar.zst");
        assert_eq!(ArchiveName::parse(&name("acme.eu.auth0.com")).unwrap().next().number, 2);
    }
}
