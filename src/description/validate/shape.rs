//! Members by name: unknown, older spellings, set by the server.

use crate::codec::is_written_whole;
use crate::model::{Loci, Map, Path, Segment, Value};
use crate::problem::{Problem, closest};
use crate::schema::{FieldSpec, KindSpec, Null, Shape};

/// Goes through the members of one resource.
pub(super) struct Shaper<'a> {
    pub(super) spec: &'a KindSpec,
    /// Unknown members warn and pass.
    pub(super) lenient: bool,
    pub(super) problems: &'a mut Vec<Problem>,
}

impl Shaper<'_> {
    /// Takes out what is not sent, renames older spellings, reports what is unknown.
    pub(super) fn shape(&mut self, value: &mut Value, loci: &mut Loci, keys: &mut Loci) {
        let spec = self.spec;
        self.field(&spec.fields, value, &Path::root(), loci, keys);
    }

    fn field(&mut self, field: &FieldSpec, value: &mut Value, path: &Path, loci: &mut Loci, keys: &mut Loci) {
        match (&field.shape, value) {
            (Shape::Record { members, open, .. }, Value::Object(map)) => {
                self.aliases(field, map, path, loci, keys);
                let written: Vec<String> = map.keys().cloned().collect();
                for name in written {
                    let here = path.key(&name);
                    match members.get(&name) {
                        Some(member) if member.read_only || member.skip => {
                            map.shift_remove(&name);
                            if member.read_only {
                                self.server_set(&here, keys);
                            }
                        }
                        Some(member) if map.get(&name) == Some(&Value::Null) && self.says_nothing(member, &here) => {
                            map.shift_remove(&name);
                            self.null_taken_out(&here, keys);
                        }
                        Some(member) => {
                            if member.deprecated {
                                self.deprecated(member, &here, keys);
                            }
                            if let Some(value) = map.get_mut(&name) {
                                self.field(member, value, &here, loci, keys);
                            }
                        }
                        None if *open => {}
                        None => self.unknown(&here, &name, members.keys().map(String::as_str), keys),
                    }
                }
            }
            (Shape::Map(values), Value::Object(map)) => {
                for (name, value) in map.iter_mut() {
                    self.field(values, value, &path.key(name), loci, keys);
                }
            }
            (Shape::List(items), Value::Array(list)) => {
                for (n, value) in list.iter_mut().enumerate() {
                    self.field(items, value, &path.index(n), loci, keys);
                }
            }
            _ => {}
        }
    }

    /// Takes members written in an older spelling as what they are called now.
    fn aliases(&mut self, field: &FieldSpec, map: &mut Map, path: &Path, loci: &mut Loci, keys: &mut Loci) {
        for (name, member) in field.members() {
            let Some(target) = &member.alias else { continue };
            let Some(value) = map.shift_remove(name) else { continue };
            let from = path.key(name);
            let problem = Problem::remark("deprecated-field", format!("{} is an older spelling", self.named(&from)))
                .at_maybe(keys.at(&from))
                .help(format!("write `{target}`"));
            self.problems.push(problem);
            let steps: Vec<&str> = target.split('.').collect();
            let to = steps.iter().fold(path.clone(), |path, step| path.key(step));
            if place(map, &steps, value) {
                moved(loci, &from, &to);
                moved(keys, &from, &to);
            } else {
                let title = format!("{} and {} are the same", self.named(&from), self.named(&to));
                // auth0-deploy-cli 8.43 sends both, and Auth0 takes the newer one.
                let problem = if self.lenient {
                    Problem::warning("duplicate-field", title).note(format!("`{target}` counts"))
                } else {
                    Problem::error("duplicate-field", title)
                };
                let problem = problem.at_maybe(keys.at(&from)).help(format!("keep `{target}`"));
                self.problems.push(problem);
            }
        }
    }

    fn server_set(&mut self, path: &Path, keys: &Loci) {
        self.problems.push(
            Problem::warning("server-set", format!("{} is set by Auth0 and ignored here", self.named(path)))
                .at_maybe(keys.at(path))
                .help("remove it"),
        );
    }

    /// Says whether a null means nothing here: files may hold one, and no update could clear the member.
    fn says_nothing(&self, member: &FieldSpec, path: &Path) -> bool {
        let keys: Vec<&str> = path.0.iter().filter_map(Segment::as_key).collect();
        let is_allowed = member.types.iter().any(|one| one == "null");
        let in_records = keys.len() == path.0.len();
        is_allowed && member.null == Null::Refused && in_records && !is_written_whole(self.spec, &keys)
    }

    fn null_taken_out(&mut self, path: &Path, keys: &Loci) {
        let title = format!("{} is null, which Auth0 does not take: it is as if left out", self.named(path));
        self.problems.push(Problem::remark("null-ignored", title).at_maybe(keys.at(path)).help("remove it"));
    }

    fn deprecated(&mut self, member: &FieldSpec, path: &Path, keys: &Loci) {
        let mut problem = Problem::remark("deprecated-field", format!("{} is deprecated by Auth0", self.named(path)))
            .at_maybe(keys.at(path));
        problem.notes.extend(member.why.clone());
        self.problems.push(problem);
    }

    fn unknown<'k>(&mut self, path: &Path, name: &str, known: impl Iterator<Item = &'k str>, keys: &Loci) {
        let title = format!("`{}` is not a field of `{}`", shown(path), self.spec.name);
        let near = closest(name, known);
        let mut problem = if self.lenient {
            Problem::warning("unknown-field", title).note("it is passed on as it is")
        } else {
            Problem::error("unknown-field", title)
        };
        problem = problem.at_maybe(keys.at(path));
        if let Some(near) = near {
            problem = problem.help(format!("did you mean `{near}`?"));
        } else if !self.lenient {
            problem = problem.help("remove it, or pass it on with --lenient");
        }
        self.problems.push(problem);
    }

    fn named(&self, path: &Path) -> String {
        format!("`{}` of `{}`", shown(path), self.spec.name)
    }
}

/// Prints a path without the numbers of list items, so that one message fits all of them.
fn shown(path: &Path) -> String {
    let keys = path.0.iter().filter(|segment| !matches!(segment, Segment::Index(_)));
    Path(keys.cloned().collect()).to_string()
}

/// Puts a value at a path of members; `false` where something stands there already.
fn place(map: &mut Map, steps: &[&str], value: Value) -> bool {
    match steps {
        [] => false,
        [last] => match map.get(*last) {
            // Both spellings with the same value: exports of older tools write them so.
            Some(there) => *there == value,
            None => {
                map.insert((*last).to_owned(), value);
                true
            }
        },
        [first, rest @ ..] => match map.entry((*first).to_owned()).or_insert_with(Value::object) {
            Value::Object(inner) => place(inner, rest, value),
            _ => false,
        },
    }
}

/// Notes the places below one path under another as well.
fn moved(loci: &mut Loci, from: &Path, to: &Path) {
    let below: Vec<_> =
        loci.iter().filter(|(path, _)| path.starts_with(from)).map(|(p, l)| (p.clone(), l.clone())).collect();
    for (path, locus) in below {
        let mut target = to.clone();
        target.0.extend(path.0.iter().skip(from.0.len()).cloned());
        loci.insert(target, locus);
    }
}
