//! Backups: one that was written, one that holds, all of a place.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::line::{Line, Lines};
use super::plural::{count, number};
use super::style::Style;
use super::text::{clean, width};
use super::view::Options;
use crate::archive::{Header, Manifest};
use crate::storage::Stored;

/// Most lines of one list inside a screen.
const MOST: usize = 12;

/// A backup that was written.
#[derive(Debug, Clone, Copy)]
pub struct BackupView<'a> {
    /// The file, as it is shown.
    pub file: &'a str,
    /// Its size.
    pub bytes: u64,
    /// What it says of itself.
    pub header: &'a Header,
    /// What is in it.
    pub manifest: &'a Manifest,
    /// Whether it was read again.
    pub read_back: bool,
    /// Older ones that were removed.
    pub removed: &'a [String],
}

/// Shows a backup that was written.
pub fn backup(view: &BackupView<'_>, options: &Options) -> String {
    let mut lines = Lines::default();
    let seal = if view.header.encrypted { "encrypted" } else { "not encrypted" };
    let checked = if view.read_back { ", read back" } else { "" };
    let line = Line::new(options.colour).add(Style::Good, "wrote ").add(Style::Address, view.file);
    lines.push(line.plain(&format!(" ({}, {seal}{checked})", size(view.bytes))));
    contents(&mut lines, view.manifest, options);
    if !view.removed.is_empty() {
        lines.push(
            Line::new(options.colour)
                .plain(&format!("removed {} beyond those to keep:", count(view.removed.len(), "older backup"))),
        );
        for file in view.removed {
            lines.push(Line::new(options.colour).plain("  ").add(Style::Deleted, file));
        }
    }
    lines.finish()
}

/// A backup that holds.
#[derive(Debug, Clone, Copy)]
pub struct VerifiedView<'a> {
    /// The file, as it was named.
    pub file: &'a str,
    /// What it says of itself.
    pub header: &'a Header,
    /// What is in it.
    pub manifest: &'a Manifest,
    /// Files of the description.
    pub files: usize,
    /// Resources described.
    pub resources: usize,
}

/// Shows a backup that holds.
pub fn verified(view: &VerifiedView<'_>, options: &Options) -> String {
    let mut lines = Lines::default();
    let line = Line::new(options.colour).add(Style::Address, view.file).add(Style::Good, " holds");
    lines.push(line.plain(if view.header.encrypted { ", and opens with this key" } else { "" }));
    lines.push(Line::new(options.colour).plain(&format!(
        "  {} as of {}, written by tenantry {}",
        view.header.domain,
        moment(view.header.started),
        view.header.tool
    )));
    lines.push(Line::new(options.colour).plain(&format!(
        "  the description: {} in {}",
        count(view.resources, "resource"),
        count(view.files, "file")
    )));
    contents(&mut lines, view.manifest, options);
    lines.finish()
}

/// Lists what is in a backup, and what is not.
fn contents(lines: &mut Lines, manifest: &Manifest, options: &Options) {
    let line = || Line::new(options.colour).plain("  ");
    let total = |counts: &mut dyn Iterator<Item = &u64>| usize::try_from(counts.sum::<u64>()).unwrap_or(usize::MAX);
    let inside = &manifest.contents;
    let objects = count(total(&mut inside.counts.values()), "object");
    lines.push(line().plain(&format!("{objects} of {}", count(inside.counts.len(), "kind"))));
    if !inside.users.is_empty() {
        let users = count(total(&mut inside.users.values()), "user");
        lines.push(line().plain(&format!("{users} of {}", count(inside.users.len(), "connection"))));
    }
    for one in &inside.not_restorable {
        let many = one.count.map(|count| format!(" ({})", number(usize::try_from(count).unwrap_or(usize::MAX))));
        let head = format!("cannot be restored: {}{}", one.class, many.unwrap_or_default());
        lines.push(line().add(Style::Caution, &head).add(Style::Muted, &format!(", {}", one.why)));
    }
    for one in inside.unread.iter().take(MOST) {
        let line = line().add(Style::Warning, &format!("not read: {}", one.what));
        lines.push(line.add(Style::Muted, &format!(", {}", one.why)));
    }
    let more = inside.unread.len().saturating_sub(MOST);
    if more > 0 {
        lines.push(line().add(Style::Warning, &format!("and {} more were not read", number(more))));
    }
}

/// Lists backups in the order given.
pub fn backups(found: &[Stored], options: &Options) -> String {
    let mut lines = Lines::default();
    if found.is_empty() {
        lines.push(Line::new(options.colour).plain("There is no backup here."));
        return lines.finish();
    }
    let tenants = found.iter().map(|stored| width(&clean(&stored.name.tenant))).max().unwrap_or(0);
    let sizes = found.iter().map(|stored| size(stored.bytes).len()).max().unwrap_or(0);
    for stored in found {
        let (style, state) = match (stored.name.finished, stored.name.encrypted) {
            (false, _) => (Style::Bad, "unfinished"),
            (true, true) => (Style::Good, "encrypted"),
            (true, false) => (Style::Plain, "not encrypted"),
        };
        let mut line = Line::new(options.colour).plain(&moment(stored.name.started)).plain("  ");
        line = line.add(Style::Heading, &stored.name.tenant).to(25 + tenants + 2);
        line = line.plain(&format!("{:>sizes$}", size(stored.bytes))).plain("  ").add(style, &format!("{state:<13}"));
        lines.push(line.plain("  ").add(Style::Muted, &stored.file));
    }
    lines.finish()
}

fn moment(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// Says a number of bytes in units of a thousand, as disks are sold.
fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
    let (mut tenths, mut unit) = (u128::from(bytes) * 10, 0);
    while tenths >= 10_000 && unit + 1 < UNITS.len() {
        tenths = (tenths + 500) / 1000;
        unit += 1;
    }
    let name = UNITS.get(unit).copied().unwrap_or_default();
    match unit {
        0 => format!("{bytes} {name}"),
        _ => format!("{}.{} {name}", tenths / 10, tenths % 10),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::archive::{ArchiveName, Contents, Format, NotRestorable, Unread};

    fn header(encrypted: bool) -> Header {
        Header {
            format: Format::CURRENT,
            tool: "0.1.0".to_owned(),
            domain: "acme.eu.auth0.com".to_owned(),
            environment: "prod".to_owned(),
            started: "2026-11-22T07:35:02Z".parse().unwrap(),
            encrypted,
        }
    }

    fn manifest() -> Manifest {
        Manifest {
            format: Format::CURRENT,
            ended: "2026-11-22T07:36:00Z".parse().unwrap(),
            entries: Vec::new(),
            contents: Contents {
                counts: [("clients".to_owned(), 3), ("roles".to_owned(), 1)].into_iter().collect(),
                users: [("Username-Password-Authentication".to_owned(), 12_431)].into_iter().collect(),
                unread: (0..14)
                    .map(|n| Unread {
                        what: format!("`kind{n}\u{1b}[2J`"),
                        why: "this needs the scope `read:x`".to_owned(),
                    })
                    .collect(),
                not_restorable: vec![NotRestorable {
                    class: "secrets".to_owned(),
                    count: Some(2),
                    why: "no read of the API returns them".to_owned(),
                }],
                secrets: Vec::new(),
            },
        }
    }

    #[test]
    fn a_backup_says_what_is_in_it_and_what_is_not() {
        let (header, manifest) = (header(false), manifest());
        let removed = ["backups/acme.eu.auth0.com-20261101T000000Z.tar.zst".to_owned()];
        let view = BackupView {
            file: "backups/acme.eu.auth0.com-20261122T073502Z.tar.zst",
            bytes: 48_213,
            header: &header,
            manifest: &manifest,
            read_back: true,
            removed: &removed,
        };
        insta::assert_snapshot!(backup(&view, &Options::default()));
    }

    #[test]
    fn a_backup_that_holds_says_whose_it_is() {
        let (header, manifest) = (header(true), Manifest { contents: Contents::default(), ..manifest() });
        let view =
            VerifiedView { file: "x.tar.zst.age", header: &header, manifest: &manifest, files: 30, resources: 1 };
        insta::assert_snapshot!(verified(&view, &Options::default()));
    }

    #[test]
    fn backups_are_listed_in_columns() {
        let stored =
            |file: &str, bytes| Stored { file: file.to_owned(), name: ArchiveName::parse(file).unwrap(), bytes };
        let found = [
            stored("acme.eu.auth0.com-20261122T073502Z.tar.zst.age", 48_213),
            stored("acme.eu.auth0.com-20261121T073502Z.tar.zst.partial", 12),
            stored("sandbox-acme-20261121T073502Z-2.tar.zst", 7_123_456_789),
        ];
        insta::assert_snapshot!(backups(&found, &Options::default()));
        insta::assert_snapshot!(backups(&[], &Options::default()), @"There is no backup here.");
    }

    #[test]
    fn sizes_have_one_decimal() {
        for (bytes, text) in
            [(0, "0 B"), (999, "999 B"), (1_000, "1.0 kB"), (1_949, "1.9 kB"), (1_950, "2.0 kB"), (999_950, "1.0 MB")]
        {
            assert_eq!(size(bytes), text, "{bytes}");
        }
        assert_eq!(size(u64::MAX), "18446744.1 TB");
    }
}
