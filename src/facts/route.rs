//! Which kind a path of the Management API belongs to, and what of it: read from the endpoints of the schemas.

use std::collections::HashMap;

use crate::model::Path;
use crate::schema::{FieldSpec, KindSpec, Part, Place, Registry};

/// Below a resource and about people, not about the resource.
const ABOUT_PEOPLE: [&str; 4] = ["members", "users", "invitations", "enrollments"];

/// What of a kind an endpoint reads or writes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Target<'r> {
    /// The collection: a POST makes one.
    Make,
    /// The resource, or a large part of it.
    Whole,
    /// A part with endpoints of its own.
    Part(&'r Part),
    /// A list with endpoints of its own; index into [`Routes::subs`].
    Sub(usize),
    /// A resource that lives inside another object.
    Place(&'r str, &'r Place),
    /// Something below a resource that no schema names.
    Below,
}

/// One endpoint.
#[derive(Debug)]
struct Route<'r> {
    spec: &'r KindSpec,
    pieces: Vec<Piece>,
    target: Target<'r>,
}

#[derive(Debug, PartialEq)]
enum Piece {
    Literal(String),
    Variable(String),
}

/// Every endpoint of every kind.
#[derive(Debug)]
pub(super) struct Routes<'r> {
    /// By their first segment.
    routes: HashMap<String, Vec<Route<'r>>>,
    subs: Vec<(Path, &'r FieldSpec)>,
}

/// A path that belongs to a kind.
#[derive(Debug, Clone)]
pub(super) struct Found<'r> {
    pub(super) spec: &'r KindSpec,
    pub(super) target: Target<'r>,
    /// Values of the path's variables.
    pub(super) captures: Vec<(String, String)>,
}

impl Found<'_> {
    /// Returns the value of a variable.
    pub(super) fn capture(&self, name: &str) -> Option<&str> {
        self.captures.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

impl<'r> Routes<'r> {
    /// Collects the endpoints of a registry.
    pub(super) fn new(registry: &'r Registry) -> Self {
        let mut routes = Routes { routes: HashMap::new(), subs: Vec::new() };
        for spec in registry.kinds() {
            routes.kind(spec);
        }
        routes
    }

    fn kind(&mut self, spec: &'r KindSpec) {
        let whole = [spec.update.as_ref(), spec.delete.as_ref()].into_iter().flatten().map(|c| &c.path);
        for path in whole.chain(spec.get.as_ref().map(|get| &get.path)) {
            self.add(spec, path, Target::Whole);
        }
        if let Some(create) = &spec.create {
            self.add(spec, &create.path, Target::Make);
        }
        for part in &spec.parts {
            let writes = [part.create.as_ref(), Some(&part.update), part.delete.as_ref()];
            for write in writes.into_iter().flatten() {
                self.add(spec, &write.path, Target::Part(part));
            }
        }
        for (path, field) in spec.subs() {
            let Some(sub) = &field.sub else { continue };
            let target = Target::Sub(self.subs.len());
            self.subs.push((path, field));
            for write in
                [Some(&sub.add), sub.change.as_ref(), Some(&sub.remove), sub.replace.as_ref()].into_iter().flatten()
            {
                self.add(spec, &write.path, target);
            }
        }
        for (name, place) in &spec.places {
            self.add(spec, &place.update.path, Target::Place(name, place));
        }
    }

    /// Adds an endpoint, unless the kind has it already for the same use: a resource that one path makes and changes is `Whole`.
    fn add(&mut self, spec: &'r KindSpec, path: &str, target: Target<'r>) {
        let pieces: Vec<Piece> = pieces(path);
        let Some(Piece::Literal(first)) = pieces.first() else { return };
        let list = self.routes.entry(first.clone()).or_default();
        let known = list.iter().any(|route| {
            route.spec.name == spec.name
                && route.pieces == pieces
                && match (route.target, target) {
                    (Target::Whole, Target::Whole | Target::Make) => true,
                    (Target::Sub(a), Target::Sub(b)) => a == b,
                    (Target::Part(a), Target::Part(b)) => std::ptr::eq(a, b),
                    _ => false,
                }
        });
        if !known {
            list.push(Route { spec, pieces, target });
        }
    }

    /// Returns a list behind endpoints of its own: its place in the resource, and its schema.
    pub(super) fn sub(&self, index: usize) -> Option<(&Path, &'r FieldSpec)> {
        self.subs.get(index).map(|(path, field)| (path, *field))
    }

    /// Says what a path is about: several kinds may share it. Within a kind the path that is spelled out furthest counts.
    pub(super) fn find(&self, segments: &[String]) -> Vec<Found<'r>> {
        let Some(routes) = segments.first().and_then(|first| self.routes.get(first)) else { return Vec::new() };
        let mut exact: Vec<(usize, Found<'r>)> = Vec::new();
        for route in routes.iter().filter(|route| route.pieces.len() == segments.len()) {
            if let Some(captures) = captures(&route.pieces, segments) {
                let literals = route.pieces.len() - captures.len();
                exact.push((literals, Found { spec: route.spec, target: route.target, captures }));
            }
        }
        let best = |kind: &str| exact.iter().filter(|(_, f)| f.spec.name == kind).map(|(n, _)| *n).max();
        let mut out: Vec<Found<'r>> =
            exact.iter().filter(|(n, f)| best(&f.spec.name) == Some(*n)).map(|(_, found)| found.clone()).collect();
        for route in routes.iter().filter(|route| matches!(route.target, Target::Whole)) {
            let has_id = route.pieces.iter().any(|piece| matches!(piece, Piece::Variable(_)));
            let (Some(start), Some(next)) = (segments.get(..route.pieces.len()), segments.get(route.pieces.len()))
            else {
                continue;
            };
            let known = out.iter().any(|found| found.spec.name == route.spec.name);
            if !has_id || known || ABOUT_PEOPLE.contains(&next.as_str()) {
                continue;
            }
            if let Some(captures) = captures(&route.pieces, start) {
                out.push(Found { spec: route.spec, target: Target::Below, captures });
            }
        }
        out
    }
}

fn pieces(path: &str) -> Vec<Piece> {
    let segments = path.split('/').filter(|segment| !segment.is_empty());
    segments
        .map(|segment| match segment.strip_prefix('{').and_then(|s| s.strip_suffix('}')) {
            Some(name) => Piece::Variable(name.to_owned()),
            None => Piece::Literal(segment.to_owned()),
        })
        .collect()
}

fn captures(pieces: &[Piece], segments: &[String]) -> Option<Vec<(String, String)>> {
    let mut out = Vec::new();
    for (piece, segment) in pieces.iter().zip(segments) {
        match piece {
            Piece::Literal(literal) if literal == segment => {}
            Piece::Literal(_) => return None,
            Piece::Variable(name) => out.push((name.clone(), segment.clone())),
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::schema::Verb;

    fn filled(template: &str) -> Vec<String> {
        let segments = template.split('/').filter(|s| !s.is_empty());
        segments.map(|s| if s.starts_with('{') { "x y/z".to_owned() } else { s.to_owned() }).collect()
    }

    fn found(kind: &str, template: &str, wanted: impl Fn(&Target<'_>) -> bool) {
        let routes = Routes::new(Registry::get());
        let found = routes.find(&filled(template));
        let own: Vec<_> = found.iter().filter(|f| f.spec.name == kind).collect();
        assert!(own.iter().any(|f| wanted(&f.target)), "{kind} {template}: {own:?}");
        for f in own.iter().filter(|f| wanted(&f.target)) {
            let variables = template.matches('{').count();
            assert_eq!(f.captures.len(), variables, "{kind} {template}");
            assert!(f.captures.iter().all(|(_, value)| value == "x y/z"));
        }
    }

    #[test]
    fn every_write_of_every_schema_leads_back_to_its_kind() {
        let mut tried = 0;
        for spec in Registry::get().kinds() {
            for write in [&spec.update, &spec.delete].into_iter().flatten() {
                found(&spec.name, &write.path, |t| matches!(t, Target::Whole));
                tried += 1;
            }
            if let Some(create) = &spec.create {
                let made_by_post = create.method == Verb::Post;
                let shared = spec.update.as_ref().is_some_and(|u| u.path == create.path);
                found(&spec.name, &create.path, |t| {
                    matches!(t, Target::Make) && made_by_post && !shared || matches!(t, Target::Whole) && shared
                });
                tried += 1;
            }
            for part in &spec.parts {
                for write in [part.create.as_ref(), Some(&part.update), part.delete.as_ref()].into_iter().flatten() {
                    found(&spec.name, &write.path, |t| matches!(t, Target::Part(p) if p.at == part.at));
                    tried += 1;
                }
            }
            for (path, field) in spec.subs() {
                let sub = field.sub.as_ref().unwrap();
                let routes = Routes::new(Registry::get());
                for write in
                    [Some(&sub.add), sub.change.as_ref(), Some(&sub.remove), sub.replace.as_ref()].into_iter().flatten()
                {
                    if write.path.is_empty() {
                        // A list that is only replaced whole.
                        continue;
                    }
                    found(
                        &spec.name,
                        &write.path,
                        |t| matches!(t, Target::Sub(n) if *routes.sub(*n).unwrap().0 == path),
                    );
                    tried += 1;
                }
            }
            for (name, place) in &spec.places {
                found(&spec.name, &place.update.path, |t| matches!(t, Target::Place(n, _) if n == name));
                tried += 1;
            }
        }
        assert!(tried > 70, "{tried}");
    }

    fn kinds(path: &str) -> Vec<String> {
        let segments: Vec<String> = path.split('/').filter(|s| !s.is_empty()).map(str::to_owned).collect();
        let found = Routes::new(Registry::get()).find(&segments);
        found.iter().map(|f| format!("{} {}", f.spec.name, word(&f.target))).collect()
    }

    fn word(target: &Target<'_>) -> &'static str {
        match target {
            Target::Make => "made",
            Target::Whole => "whole",
            Target::Part(_) => "part",
            Target::Sub(_) => "list",
            Target::Place(..) => "place",
            Target::Below => "below",
        }
    }

    #[test]
    fn kinds_share_paths() {
        assert_eq!(kinds("/connections/con_1"), ["connections whole", "databases whole"]);
        assert_eq!(kinds("/clients/c1"), ["clients whole", "pages place"]);
        let settings = kinds("/tenants/settings");
        assert!(settings.contains(&"tenant whole".to_owned()) && settings.contains(&"pages place".to_owned()));
        assert_eq!(kinds("/connections/con_1/clients"), ["connections list", "databases list"]);
        assert_eq!(kinds("/attack-protection/captcha"), ["attackProtection part"]);
        assert_eq!(kinds("/organizations/o/connections/c"), ["organizations list"]);
    }

    #[test]
    fn what_lies_below_a_resource_is_the_resource() {
        assert_eq!(kinds("/clients/c1/rotate-secret"), ["clients below"]);
        assert_eq!(kinds("/clients/c1/credentials/cred_1"), ["clients below"]);
        assert_eq!(kinds("/actions/actions/a1/deploy"), ["actions below"]);
        assert_eq!(kinds("/branding/themes"), [""; 0]);
    }

    #[test]
    fn people_and_unknown_paths_are_nothing_we_know() {
        for path in ["/organizations/o/members", "/roles/r/users", "/users/u", "/integrations/installed", "/", ""] {
            assert_eq!(kinds(path), [""; 0], "{path}");
        }
    }
}
