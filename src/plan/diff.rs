//! Compares the sides of a resource, leaf by leaf, by schema.

mod list;
mod same;

use std::collections::BTreeSet;

use super::decide::{Moved, Verdict, decide};
use super::part::in_part;
use crate::change::{FieldChange, How};
use crate::model::{Diff, FingerprintKey, Loci, Locus, Map, Path, Secret, ThreeWay, Value};
use crate::schema::{FieldSpec, KindSpec, Risk, Shape};

use same::same;
pub(super) use same::{any, holds_secret, names};
pub use same::{item_name, key_of};

/// What comparing a resource found.
#[derive(Debug, Clone, Default)]
pub struct Differences {
    /// Leaves that differ.
    pub fields: Vec<FieldChange>,
    /// Leaves that differ but can be set on create only.
    pub create_only: Vec<FieldChange>,
    /// Secrets that cannot be compared, with where their value comes from.
    pub secrets: Vec<(Path, String)>,
    /// Leaves the description changed and somebody set so already.
    pub already: Vec<Path>,
    /// Fields that were described at the last deployment and are no longer.
    pub released: Vec<Path>,
    /// Something is described otherwise than at the last deployment.
    pub ours: bool,
    /// Something described is live otherwise than after the last deployment.
    pub theirs: bool,
}

/// What comparing needs to know besides the values.
#[derive(Debug, Clone, Copy)]
pub(super) struct Comparison<'a> {
    /// Shape of the resource.
    pub(super) spec: &'a FieldSpec,
    /// Where the description's values stand.
    pub(super) loci: &'a Loci,
    /// What secrets are fingerprinted with; `None` where there is no key.
    pub(super) key: Option<&'a FingerprintKey>,
    /// The kind, whose parts are read only where they are described.
    pub(super) kind: Option<&'a KindSpec>,
}

impl<'a> Comparison<'a> {
    /// A comparison by shape alone.
    pub(super) fn of(spec: &'a FieldSpec, loci: &'a Loci) -> Self {
        Comparison { spec, loci, key: None, kind: None }
    }

    /// Compares. Only described members are compared; values are in the form people write them.
    pub(super) fn sides(&self, sides: ThreeWay<&Value>) -> Differences {
        let mut out = Differences::default();
        let empty = Map::new();
        let resource = sides.desired.and_then(Value::as_object).unwrap_or(&empty);
        // Without a ledger, what was live is taken to be what was described: nothing is known of other members.
        let files_only = sides.base.is_some_and(|base| base.before == base.after);
        let mut walk = Walk { out: &mut out, by: self, resource, files_only };
        walk.value(self.spec, &Path::root(), sides, Flags::default());
        out.fields.sort_by(|a, b| a.path.cmp(&b.path));
        out
    }
}

/// Compares a described resource with the live one, without a base.
pub fn diff(spec: &FieldSpec, desired: &Value, live: &Value, loci: &Loci) -> Differences {
    Comparison::of(spec, loci).sides(ThreeWay { desired: Some(desired), live: Some(live), base: None })
}

/// Says whether a described value is live, as far as it is described; `None` where that cannot be told.
pub(super) fn same_leaves(spec: &FieldSpec, desired: &Value, live: &Value) -> Option<bool> {
    let found = diff(spec, desired, live, &Loci::default());
    if found.secrets.is_empty() { Some(found.fields.is_empty()) } else { None }
}

/// Compares two resources of equal standing, what no read returns too. [`Differences::released`] are members that only the other has.
pub fn diff_evenly(spec: &KindSpec, one: &Value, other: &Value, loci: &Loci) -> Differences {
    let comparison = Comparison { kind: Some(spec), ..Comparison::of(&spec.fields, loci) };
    let base = Some(Diff { before: Some(other), after: Some(other) });
    comparison.sides(ThreeWay { desired: Some(one), live: Some(other), base })
}

/// What a value inherits from what holds it.
#[derive(Debug, Clone, Copy, Default)]
struct Flags<'a> {
    risk: Option<(&'a FieldSpec, Risk)>,
    secret: bool,
    immutable: bool,
    create_only: bool,
    /// It is read only where it is described.
    part: bool,
}

/// A leaf that was compared.
struct Leaf<'p, 'v, 'a> {
    path: &'p Path,
    /// Path in the description, where items are numbered.
    locus_path: &'p Path,
    sides: ThreeWay<&'v Value>,
    spec: &'a FieldSpec,
    flags: Flags<'a>,
    how: How,
}

struct Walk<'w, 'a, 'o> {
    out: &'o mut Differences,
    by: &'w Comparison<'a>,
    /// The described resource, for defaults that hang on other members.
    resource: &'w Map,
    files_only: bool,
}

impl<'a> Walk<'_, 'a, '_> {
    /// Compares a value that is described.
    fn value(&mut self, spec: &'a FieldSpec, path: &Path, sides: ThreeWay<&Value>, flags: Flags<'a>) {
        let Some(desired) = sides.desired else { return };
        let flags = Flags {
            secret: flags.secret || spec.secret,
            immutable: flags.immutable || spec.immutable,
            create_only: flags.create_only || spec.create_only,
            risk: if spec.risk == Default::default() { flags.risk } else { Some((spec, Risk::Safe)) },
            part: flags.part || spec.sub.is_some(),
        };
        if is_ours_to_leave(spec) {
            return;
        }
        if let Value::Unresolved(unresolved) = desired {
            self.out.secrets.push((path.clone(), unresolved.source.clone()));
            return;
        }
        if spec.write_only && flags.create_only && !flags.secret {
            // Nothing could be done about a difference: the key of a credential is told by its id.
            return;
        }
        if spec.write_only {
            self.unreturned(spec, path, sides, flags);
            return;
        }
        let open = |wanted: fn(&Value) -> bool| sides.live.is_none_or(|live| wanted(live) || *live == Value::Null);
        match (&spec.shape, desired) {
            (Shape::Record { .. }, Value::Object(wanted)) if open(is_object) => {
                for name in wanted.keys() {
                    let member = spec.member(name).unwrap_or(any());
                    let mut flags = flags;
                    flags.part |= path.is_root() && self.by.kind.is_some_and(|kind| in_part(kind, name));
                    let inner = self.member(sides, name, member, flags);
                    self.value(member, &path.key(name), inner, flags);
                }
                self.released(spec, path, wanted, sides);
            }
            (Shape::Map(values), Value::Object(wanted)) if open(is_object) => {
                for name in wanted.keys() {
                    self.value(values, &path.key(name), sides.and_then(|v| v.get(name)), flags);
                }
                for name in gone(wanted, sides) {
                    let entry = sides.and_then(|v| v.get(name)).and_then(|v| (*v != Value::Null).then_some(v));
                    self.entry(&path.key(name), entry, values, flags, How::Value);
                }
            }
            (Shape::List(items), Value::Array(_)) if open(is_array) => self.list(spec, items, path, sides, flags),
            _ => {
                let how = if spec.text.is_some() { How::Text } else { How::Value };
                self.leaf(Leaf { path, locus_path: path, sides, spec, flags, how });
            }
        }
    }

    /// Takes a step into a record. Of a member that was neither described nor read nothing is known: its live value counts as
    /// what it was.
    fn member<'v>(
        &self,
        sides: ThreeWay<&'v Value>,
        name: &str,
        spec: &FieldSpec,
        flags: Flags<'a>,
    ) -> ThreeWay<&'v Value> {
        let mut inner = sides.and_then(|value| value.get(name));
        let unread = self.files_only || flags.part || spec.sub.is_some();
        let described = sides.base.is_some_and(|base| base.before.is_some());
        if let Some(base) = &mut inner.base
            && described
            && base.before.is_none()
            && (self.files_only || (unread && base.after.is_none()))
        {
            base.after = inner.live;
        }
        inner
    }

    /// Notes members that left the description.
    fn released(&mut self, spec: &'a FieldSpec, path: &Path, wanted: &Map, sides: ThreeWay<&Value>) {
        let Some(before) = sides.base.and_then(|base| base.before).and_then(Value::as_object) else { return };
        for (name, value) in before.iter().filter(|(name, _)| !wanted.contains_key(*name)) {
            if spec.member(name).is_none_or(|member| !is_ours_to_leave(member)) && !value.is_blank() {
                self.out.released.push(path.key(name));
            }
        }
    }

    /// Compares what no read returns: with what was described at the last deployment.
    fn unreturned(&mut self, spec: &'a FieldSpec, path: &Path, sides: ThreeWay<&Value>, flags: Flags<'a>) {
        match sides.desired {
            None => {}
            Some(Value::Object(wanted)) => {
                for name in wanted.keys() {
                    let member = spec.member(name).unwrap_or(spec);
                    self.unreturned(member, &path.key(name), sides.and_then(|v| v.get(name)), flags);
                }
            }
            // That it is there is known, though not what it is.
            Some(Value::Null) if sides.live.is_some_and(|live| !live.is_blank()) => {
                let sides = ThreeWay { desired: None, ..sides };
                self.entry(path, sides, spec, Flags { secret: true, ..flags }, How::Secret);
            }
            Some(Value::Null) => {}
            Some(wanted) => {
                let base = sides.base.map(|base| base.before);
                match base.and_then(|before| self.same(spec, Some(wanted), before)) {
                    Some(true) => {}
                    Some(false) if !holds_unresolved(wanted) => {
                        self.out.ours = true;
                        let base = base.map(|before| Diff { before, after: before });
                        let sides = ThreeWay { desired: Some(wanted), live: base.and_then(|b| b.before), base };
                        let flags = Flags { secret: true, ..flags };
                        self.leaf(Leaf { path, locus_path: path, sides, spec, flags, how: How::Secret });
                    }
                    _ => self.out.secrets.push((path.clone(), source_of(wanted))),
                }
            }
        }
    }

    /// Compares one value.
    fn leaf(&mut self, leaf: Leaf<'_, '_, 'a>) {
        let spec = leaf.spec;
        let default = spec.default_in(self.resource).map(Value::from_json);
        let or_default = |live: Option<&'_ Value>| live.filter(|l| **l != Value::Null).or(default.as_ref()).cloned();
        let live = or_default(leaf.sides.live);
        // What is cleared has what the server fills in.
        let wanted = or_default(leaf.sides.desired);
        let settled = self.same(spec, wanted.as_ref(), live.as_ref());
        let moved = leaf.sides.base.map(|base| {
            let after = or_default(base.after);
            let ours = self.same(spec, leaf.sides.desired, base.before).map(|same| !same);
            (ours, self.theirs(spec, base, after.as_ref(), live.as_ref()))
        });
        self.put(settled, moved, leaf);
    }

    /// Compares whether an entry of a map, set or keyed list is there.
    fn entry(&mut self, path: &Path, sides: ThreeWay<&Value>, spec: &'a FieldSpec, flags: Flags<'a>, how: How) {
        self.item(Leaf { path, locus_path: path, sides, spec, flags, how });
    }

    /// As [`Self::entry`], where the description numbers what the path names.
    fn item(&mut self, leaf: Leaf<'_, '_, 'a>) {
        let ThreeWay { desired, live, base } = leaf.sides;
        if is_ours_to_leave(leaf.spec) {
            return;
        }
        let moved = base.map(|base| {
            let ours = match (desired, base.before) {
                (Some(_), Some(_)) => self.same(leaf.spec, desired, base.before).map(|same| !same),
                (desired, before) => Some(desired.is_some() != before.is_some()),
            };
            (ours, self.theirs(leaf.spec, base, base.after, live))
        });
        self.put(Some(desired.is_some() == live.is_some()), moved, leaf);
    }

    /// Says whether live moved away from what it was, as far as that was described.
    fn theirs(
        &self,
        spec: &'a FieldSpec,
        base: Diff<&Value>,
        after: Option<&Value>,
        live: Option<&Value>,
    ) -> Option<bool> {
        if let (Some(before), Some(after), Some(live)) = (base.before, after, live)
            && has_leaves(spec, before, live)
        {
            let mut out = Differences::default();
            let sides = ThreeWay {
                desired: Some(before),
                live: Some(live),
                base: Some(Diff { before: Some(before), after: Some(after) }),
            };
            let mut walk = Walk { out: &mut out, by: self.by, resource: self.resource, files_only: self.files_only };
            walk.value(spec, &Path::root(), sides, Flags { part: true, ..Flags::default() });
            return Some(out.theirs);
        }
        self.same(spec, after, live).map(|same| !same)
    }

    fn same(&self, spec: &FieldSpec, a: Option<&Value>, b: Option<&Value>) -> Option<bool> {
        same(spec, a, b, self.by.key)
    }

    /// Notes what became of a leaf.
    fn put(&mut self, settled: Option<bool>, moved: Option<(Option<bool>, Option<bool>)>, leaf: Leaf<'_, '_, 'a>) {
        let (ours, theirs) = moved.unwrap_or_default();
        self.out.ours |= ours == Some(true);
        self.out.theirs |= theirs == Some(true);
        let moved = ours.zip(theirs).map(|(ours, theirs)| Moved { ours, theirs });
        let Some(settled) = settled else {
            if let Some(wanted) = leaf.sides.desired {
                self.out.secrets.push((leaf.path.clone(), source_of(wanted)));
            }
            return;
        };
        let origin = match decide(settled, moved) {
            Verdict::Nothing => return,
            Verdict::AlreadyThere => return self.out.already.push(leaf.path.clone()),
            Verdict::Differs(origin) => origin,
        };
        let Leaf { path, locus_path, sides, spec, flags, how } = leaf;
        let ThreeWay { desired, live, base } = sides;
        let blank = |value: Option<&Value>| value.is_none_or(Value::is_blank);
        let carrier =
            if spec.risk == Default::default() { flags.risk.map_or(spec, |(holder, _)| holder) } else { spec };
        let risk = match (blank(desired), blank(live)) {
            (false, true) => carrier.risk.add,
            (true, _) => carrier.risk.remove,
            (false, false) => carrier.risk.change,
        };
        let known = [desired, live, base.and_then(|b| b.before), base.and_then(|b| b.after)];
        let secret = flags.secret || spec.secret || known.into_iter().flatten().any(holds_secret);
        let shown = |value: Option<&Value>| value.map(|v| if secret { masked(v) } else { v.clone() });
        let field = FieldChange {
            path: path.clone(),
            diff: Diff { before: shown(live), after: desired.cloned() },
            how: if secret { How::Secret } else { how },
            origin,
            risk,
            why: if risk > Risk::Safe { carrier.why.clone() } else { None },
            locus: self.locus(desired, locus_path).map(|locus| changed_line(locus, how, desired, live)),
            forces_replace: flags.immutable || spec.immutable,
        };
        if flags.create_only || spec.create_only {
            self.out.create_only.push(field);
        } else {
            self.out.fields.push(field);
        }
    }

    fn locus(&self, desired: Option<&Value>, path: &Path) -> Option<Locus> {
        desired.and_then(|_| self.by.loci.at(path)).or_else(|| self.by.loci.at(&Path::root())).cloned()
    }
}

/// Points at the first line that differs, where the text is a file of its own.
fn changed_line(locus: Locus, how: How, desired: Option<&Value>, live: Option<&Value>) -> Locus {
    let (Some(Value::String(new)), Some(Value::String(old))) = (desired, live) else { return locus };
    if how != How::Text || locus.start != locus.end {
        return locus;
    }
    let same = new.lines().zip(old.lines()).take_while(|(new, old)| new == old).count();
    // Where lines went at the end, the last one that stayed.
    let line = same.min(new.lines().count().saturating_sub(1));
    Locus { line: locus.line.saturating_add(u32::try_from(line).unwrap_or(0)), ..locus }
}

/// Says whether a member is never compared: the server, Auth0 or another member says what it is.
fn is_ours_to_leave(spec: &FieldSpec) -> bool {
    spec.read_only || spec.skip || spec.owned || spec.alias.is_some()
}

fn is_object(value: &Value) -> bool {
    matches!(value, Value::Object(_))
}

fn is_array(value: &Value) -> bool {
    matches!(value, Value::Array(_))
}

/// Says whether two values are compared leaf by leaf.
fn has_leaves(spec: &FieldSpec, one: &Value, other: &Value) -> bool {
    match (&spec.shape, one, other) {
        (Shape::Record { .. } | Shape::Map(_), Value::Object(_), Value::Object(_)) => true,
        (Shape::List(_), Value::Array(described), Value::Array(_)) => !list::is_whole(spec, described),
        _ => false,
    }
}

/// Returns the keys of a map that are live, or were described, and are not described now.
fn gone<'v>(wanted: &Map, sides: ThreeWay<&'v Value>) -> BTreeSet<&'v String> {
    let before = sides.base.and_then(|base| base.before);
    let members = [sides.live, before].into_iter().flatten().filter_map(Value::as_object).flatten();
    members.filter(|(name, v)| !wanted.contains_key(*name) && **v != Value::Null).map(|(name, _)| name).collect()
}

fn holds_unresolved(value: &Value) -> bool {
    let mut found = false;
    value.each_unresolved(&mut |_| found = true);
    found
}

/// Hides every text, as what stands beside a secret may be one.
fn masked(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::Secret(Secret::new(text.clone(), "live")),
        Value::Array(items) => Value::Array(items.iter().map(masked).collect()),
        Value::Object(map) => Value::Object(map.iter().map(|(name, value)| (name.clone(), masked(value))).collect()),
        other => other.clone(),
    }
}

/// Says where a secret comes from.
fn source_of(value: &Value) -> String {
    let mut source = None;
    value.each_unresolved(&mut |hole| source = source.take().or(Some(hole.source.clone())));
    value.each_secret(&mut |secret| source = source.take().or(Some(secret.source().to_owned())));
    source.unwrap_or_else(|| "the description".to_owned())
}

#[cfg(test)]
mod tests;
