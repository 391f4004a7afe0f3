//! Their side: who changed a resource outside, by the tenant's log.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::entry::Entry;
use super::held::{Held, State, held};
use super::route::{Found, Routes, Target};
use super::search::{self, Log, REACH};
use super::subject::Subject;
use super::{Asker, Asking, questions};
use crate::api::Failure;
use crate::change::{Blame, Certainty, Plan, Question};
use crate::codec::{decode_segment, encode_segment};
use crate::model::{Address, Path, number};
use crate::problem::Problem;
use crate::schema::KindSpec;

type Answers = BTreeMap<Address, BTreeMap<Path, Blame>>;

/// A write of the log, and what it is about.
struct Seen<'e, 'r> {
    entry: &'e Entry,
    found: Vec<Found<'r>>,
    ours: bool,
}

/// A write about one resource.
struct Write<'e, 'r> {
    entry: &'e Entry,
    found: &'e Found<'r>,
    ours: bool,
}

/// Answers who changed what outside.
pub(super) async fn answer(plan: &Plan, asking: &Asking<'_>, asker: &Asker<'_>) -> (Answers, Vec<Problem>) {
    let asked: Vec<(&Address, &[Path])> = questions(plan, |question| match question {
        Question::WhoOutside(address, paths) => Some((address, paths.as_slice())),
        _ => None,
    });
    if asked.is_empty() {
        return (Answers::new(), Vec::new());
    }
    let judge = Judge { plan, asking, routes: Routes::new(asking.registry) };
    let enough = |entries: &[Entry]| {
        let answers = judge.answers(&asked, entries);
        answers.values().flat_map(BTreeMap::values).all(|blame| blame.certainty == Certainty::Exact)
    };
    let log = match search::read(asker, asking.since, &enough).await {
        Ok(log) => log,
        Err(failure) => return unread(&asked, &failure),
    };
    let mut answers = judge.answers(&asked, &log.entries);
    let open = |blame: &Blame| blame.certainty == Certainty::Unknown;
    if answers.values().flat_map(BTreeMap::values).any(open) {
        let why = why_nobody(&log, asking, asker).await;
        for blame in answers.values_mut().flat_map(BTreeMap::values_mut).filter(|blame| open(blame)) {
            blame.note.get_or_insert_with(|| why.clone());
        }
    }
    (answers, Vec::new())
}

/// Nobody can be named, because the log cannot be read.
fn unread(asked: &[(&Address, &[Path])], failure: &Failure) -> (Answers, Vec<Problem>) {
    let (reason, problem) = match failure {
        Failure::Scope { .. } => (
            "the token lacks `read:logs`".to_owned(),
            Problem::warning("log-unreadable", "who changed the tenant outside cannot be told")
                .note("the token lacks the scope `read:logs`")
                .help("grant `read:logs` to the deployer's client"),
        ),
        other => {
            let title = other.problem().title;
            let problem = Problem::warning("log-unreadable", "who changed the tenant outside cannot be told");
            (format!("the tenant's log cannot be read: {title}"), problem.note(title))
        }
    };
    let mut answers = Answers::new();
    for (address, paths) in asked {
        let blames = answers.entry((*address).clone()).or_default();
        for path in wanted(paths) {
            blames.insert(path, nobody(Some(reason.clone())));
        }
    }
    (answers, vec![problem])
}

/// Says why the log names nobody.
async fn why_nobody(log: &Log, asking: &Asking<'_>, asker: &Asker<'_>) -> String {
    if !log.complete {
        return format!(
            "none of the newest {} writes in the tenant's log is about it",
            number(log.entries.len().min(REACH))
        );
    }
    let gap = match search::oldest(asker).await {
        Ok(Some(oldest)) if asking.since.is_none_or(|since| oldest > since) => Some(oldest),
        _ => None,
    };
    match gap {
        Some(oldest) => format!("the tenant's log begins on {}, and nothing in it is about it", day(oldest)),
        None => "the tenant's log holds nothing about it; it may lag by some minutes".to_owned(),
    }
}

fn day(time: Timestamp) -> String {
    time.strftime("%-d %b %Y").to_string()
}

fn nobody(note: Option<String>) -> Blame {
    Blame { certainty: Certainty::Unknown, who: None, through: None, at: None, log_id: None, note }
}

/// The paths asked for; the root where it is the resource as a whole.
fn wanted(paths: &[Path]) -> Vec<Path> {
    if paths.is_empty() { vec![Path::root()] } else { paths.to_vec() }
}

struct Judge<'a> {
    plan: &'a Plan,
    asking: &'a Asking<'a>,
    routes: Routes<'a>,
}

impl Judge<'_> {
    /// Answers every question from these entries, newest first.
    fn answers(&self, asked: &[(&Address, &[Path])], entries: &[Entry]) -> Answers {
        let seen: Vec<Seen<'_, '_>> = entries
            .iter()
            .map(|entry| Seen { entry, found: self.routes.find(&entry.segments), ours: self.is_ours(entry) })
            .filter(|seen| !seen.found.is_empty())
            .collect();
        let mut answers = Answers::new();
        for (address, paths) in asked {
            let blames = answers.entry((*address).clone()).or_default();
            let Some(mut subject) = Subject::new(address, self.plan, self.asking) else {
                blames.extend(wanted(paths).into_iter().map(|path| (path, nobody(None))));
                continue;
            };
            subject.learn(entries);
            let writes: Vec<Write<'_, '_>> = seen.iter().flat_map(|seen| about(seen, &subject)).collect();
            for path in wanted(paths) {
                let blame = if path.is_root() {
                    self.of_resource(&subject, &writes, &seen)
                } else {
                    self.of_field(&path, &writes, &subject, &seen)
                };
                blames.insert(path, blame);
            }
        }
        answers
    }

    fn is_ours(&self, entry: &Entry) -> bool {
        let Some(id) = entry.correlation_id.as_deref().filter(|_| entry.claims_ours()) else { return false };
        let is_ours = self.asking.is_ours;
        if is_ours(id, &entry.method, &entry.path) {
            return true;
        }
        // The log may spell a path otherwise than it was sent.
        let again: String = entry.segments.iter().map(|segment| format!("/{}", encode_segment(segment))).collect();
        let plain: String = entry.segments.iter().map(|segment| format!("/{}", decode_segment(segment))).collect();
        is_ours(id, &entry.method, &again) || is_ours(id, &entry.method, &plain)
    }

    /// Who made or deleted a resource; else who wrote it last.
    fn of_resource(&self, subject: &Subject<'_>, writes: &[Write<'_, '_>], seen: &[Seen<'_, '_>]) -> Blame {
        let is_end = |write: &&Write<'_, '_>| match write.found.target {
            Target::Make => true,
            // One path makes and changes it: the mail provider, the settings of rules.
            Target::Whole if makes(subject.spec, &write.entry.method) => true,
            Target::Whole => write.entry.method == "DELETE" && subject.live.is_none(),
            _ => false,
        };
        let end = writes.iter().find(is_end);
        match end {
            Some(write) if !write.ours => named(write.entry, Certainty::Exact, None),
            end => match (self.along(subject, seen), end) {
                (Some(blame), _) => blame,
                // Ours is the last word the log has: what came after it is not there.
                (None, Some(_)) => nobody(None),
                (None, None) => last(writes),
            },
        }
    }

    /// A resource that the API deleted along with another.
    fn along(&self, subject: &Subject<'_>, seen: &[Seen<'_, '_>]) -> Option<Blame> {
        if subject.live.is_some() {
            return None;
        }
        let value = &self.asking.base?.resources.get(subject.address)?.live;
        for parent in self.asking.registry.kinds() {
            let cascades = parent.cascades.iter().filter(|c| c.kind == subject.spec.name && c.items.is_none());
            for cascade in cascades {
                let Some(name) = cascade.member.as_ref().and_then(|m| value.get(m)).and_then(|v| v.as_str()) else {
                    continue;
                };
                let address = parent_address(parent.name.as_str(), name, self.asking);
                if let Some(blame) = address.and_then(|address| self.deleted(&address, seen)) {
                    return Some(blame);
                }
            }
        }
        None
    }

    /// Who deleted another resource; for what went with it.
    fn deleted(&self, address: &Address, seen: &[Seen<'_, '_>]) -> Option<Blame> {
        let subject = Subject::new(address, self.plan, self.asking)?;
        let gone = seen
            .iter()
            .filter(|seen| seen.entry.method == "DELETE" && !seen.ours)
            .find(|seen| about(seen, &subject).iter().any(|write| matches!(write.found.target, Target::Whole)))?;
        Some(named(gone.entry, Certainty::Exact, Some(format!("deleted along with {address}"))))
    }

    /// Who gave a field its value: of the last writes that hold it, the first that left it as they all did. A form that sends
    /// every field again has not changed them.
    fn of_field(&self, path: &Path, writes: &[Write<'_, '_>], subject: &Subject<'_>, seen: &[Seen<'_, '_>]) -> Blame {
        let mut holder: Option<(&Write<'_, '_>, State)> = None;
        let mut others: Vec<&Write<'_, '_>> = Vec::new();
        for write in writes {
            match held(&self.routes, write.entry, write.found, path, self.asking.names) {
                Held::Yes(state) => match &holder {
                    None => holder = Some((write, state)),
                    Some((_, known)) if known.same(&state) && !write.ours => holder = Some((write, state)),
                    Some(_) => break,
                },
                Held::Maybe => others.push(write),
                Held::No => {}
            }
        }
        let ours = match holder {
            Some((write, _)) if !write.ours => return named(write.entry, Certainty::Exact, None),
            ours => ours,
        };
        if let Some(blame) = self.item_gone(path, subject, seen) {
            return blame;
        }
        // Where ours was the last to write it, what came after it is not in the log.
        let later = |write: &&Write<'_, '_>| ours.as_ref().is_none_or(|(ours, _)| write.entry.at > ours.entry.at);
        first(&others.into_iter().filter(later).collect::<Vec<_>>())
    }

    /// An item of a list that the API took away along with the resource it names.
    fn item_gone(&self, path: &Path, subject: &Subject<'_>, seen: &[Seen<'_, '_>]) -> Option<Blame> {
        use crate::model::Segment::{Item, Key};
        let [Key(list), Item(name)] = path.0.as_slice() else { return None };
        for parent in self.asking.registry.kinds() {
            let takes = |c: &&crate::schema::Cascade| c.kind == subject.spec.name && c.items.as_ref() == Some(list);
            if parent.cascades.iter().any(|c| takes(&c))
                && let Some(address) = parent_address(&parent.name, name, self.asking)
                && let Some(blame) = self.deleted(&address, seen)
            {
                return Some(blame);
            }
        }
        None
    }
}

/// Returns the address that a reference names: by name, or for literal references by the member they hold.
fn parent_address(kind: &str, name: &str, asking: &Asking<'_>) -> Option<Address> {
    let direct = Address::new(kind, name);
    let base = asking.base?;
    if base.resources.contains_key(&direct) {
        return Some(direct);
    }
    let holds =
        |address: &&Address| address.kind == kind && base.resources.get(*address).is_some_and(|r| identifies(r, name));
    base.resources.keys().find(holds).cloned()
}

fn identifies(resource: &crate::model::BaseResource, name: &str) -> bool {
    ["identifier", "name"].iter().any(|member| resource.live.get(member).and_then(|v| v.as_str()) == Some(name))
}

/// Says whether a method on the resource's own path makes it.
fn makes(spec: &KindSpec, method: &str) -> bool {
    let own = spec.update.as_ref().map(|update| &update.path);
    spec.create.as_ref().is_some_and(|create| Some(&create.path) == own && create.method.as_str() == method)
}

/// Returns what a write is to a resource.
fn about<'e, 'r>(seen: &'e Seen<'e, 'r>, subject: &Subject<'_>) -> Vec<Write<'e, 'r>> {
    let fits = seen.found.iter().filter(|found| subject.is_about(seen.entry, found));
    fits.map(|found| Write { entry: seen.entry, found, ours: seen.ours }).collect()
}

/// Names the last who wrote the resource, unless we did after them.
fn last(writes: &[Write<'_, '_>]) -> Blame {
    first(&writes.iter().collect::<Vec<_>>())
}

fn first(writes: &[&Write<'_, '_>]) -> Blame {
    match writes.first() {
        Some(write) if !write.ours => named(write.entry, Certainty::ResourceOnly, None),
        _ => nobody(None),
    }
}

fn named(entry: &Entry, certainty: Certainty, note: Option<String>) -> Blame {
    let forged =
        entry.claims_ours().then(|| "it bears a correlation id of Tenantry that no journal here holds".to_owned());
    Blame {
        certainty,
        who: entry.who.clone(),
        through: Some(entry.through.clone()),
        at: Some(entry.at),
        log_id: Some(entry.log_id.clone()),
        note: note.or(forged),
    }
}
