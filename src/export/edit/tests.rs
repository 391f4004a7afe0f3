#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::*;
use crate::description::layout::{FileState, LayoutOptions, Outcome, read_layout};
use crate::description::{DescribeOptions, DescribeOutcome, Filters, describe};
use crate::model::Secret;

/// A description in memory.
pub(super) struct Case {
    pub(super) tree: Tree,
    pub(super) single: Option<String>,
    pub(super) variables: Variables,
    pub(super) own: Option<(String, Vec<u8>)>,
}

/// It, as read.
pub(super) struct Read {
    outcome: Outcome,
    pub(super) described: DescribeOutcome,
}

pub(super) fn case<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Case {
    let mut tree = Tree::new("t/");
    for (path, text) in files {
        tree.insert(path, FileState::Read(Arc::from(text.as_bytes())));
    }
    Case { tree, single: None, variables: Variables::default(), own: None }
}

impl Case {
    pub(super) fn with(mut self, name: &str, value: Json) -> Self {
        self.variables.values.insert(name.to_owned(), value);
        self
    }

    fn own(mut self, text: &str) -> Self {
        let loaded = crate::description::read_yaml("dev.yaml", text.as_bytes()).unwrap();
        let value = crate::description::render(&loaded.node, &Variables::default()).unwrap().value;
        for (name, value) in value.as_object().unwrap() {
            self.variables.values.insert(name.clone(), value.to_json().unwrap());
        }
        self.own = Some(("dev.yaml".to_owned(), text.as_bytes().to_vec()));
        self
    }

    fn read(&self) -> Read {
        let read = self.describe();
        let errors = read.outcome.problems.iter().chain(&read.described.problems).filter(|problem| problem.is_error());
        assert_eq!(errors.collect::<Vec<_>>(), Vec::<&Problem>::new());
        read
    }

    pub(super) fn describe(&self) -> Read {
        let filters = Filters::default();
        let names = self.variables.known_names();
        let layout = LayoutOptions {
            registry: Registry::get(),
            names: &names,
            filters: &filters,
            compatibility: false,
            single: self.single.clone(),
            connections_directory: None,
        };
        let outcome = read_layout(&self.tree, &layout);
        let options = DescribeOptions {
            registry: Registry::get(),
            variables: &self.variables,
            filters: &filters,
            compatibility: false,
            lenient: false,
        };
        let described = describe(&outcome.description, &self.tree, &options);
        Read { outcome, described }
    }

    pub(super) fn edit(&self, edits: &[Edit], options: EditOptions) -> Edited {
        self.edit_all(&self.read(), edits, options)
    }

    pub(super) fn edit_all(&self, read: &Read, edits: &[Edit], options: EditOptions) -> Edited {
        let existing = Existing {
            registry: Registry::get(),
            tree: &self.tree,
            description: &read.outcome.description,
            variables: &self.variables,
            desired: &read.described.desired,
            side_files: &read.described.files,
            own_variables: self.own.as_ref().map(|(shown, bytes)| OwnVariables {
                shown,
                bytes,
                format: Format::Yaml,
                at: &[],
            }),
        };
        super::edit(&existing, edits, options).unwrap()
    }

    /// Edits, and checks that the description then asks for what was meant and for nothing else.
    pub(super) fn check(&self, edits: &[Edit], options: EditOptions) -> Edited {
        let edited = self.edit(edits, options);
        let after = self.compare(&self.read(), edits, &edited);
        let errors =
            after.outcome.problems.iter().chain(&after.described.problems).filter(|problem| problem.is_error());
        assert_eq!(errors.collect::<Vec<_>>(), Vec::<&Problem>::new());
        edited
    }

    pub(super) fn compare(&self, before: &Read, edits: &[Edit], edited: &Edited) -> Read {
        let mut after =
            Case { tree: self.tree.clone(), single: self.single.clone(), variables: self.variables.clone(), own: None };
        for (path, bytes) in &edited.files {
            after.tree.insert(path, FileState::Read(Arc::from(bytes.as_slice())));
        }
        for path in &edited.removed_files {
            after.tree.insert(path, FileState::Absent);
        }
        if let Some(bytes) = &edited.variables {
            after = after.own(std::str::from_utf8(bytes).unwrap());
        }
        let mut wanted = values(&before.described.desired);
        for edit in
            edits.iter().filter(|edit| edited.done.iter().any(|(a, p, _)| *a == edit.address && *p == edit.path))
        {
            if edit.path.is_root() {
                wanted.remove(&edit.address);
                continue;
            }
            let value = wanted.get_mut(&edit.address).unwrap();
            *value = with(value, &edit.path.0, edit.value.as_ref());
        }
        let even = |values: BTreeMap<Address, Value>| -> BTreeMap<Address, Json> {
            values.into_iter().map(|(address, value)| (address, even(value.redacted()))).collect()
        };
        let after = after.describe();
        let (now, wanted) = (even(values(&after.described.desired)), even(wanted));
        assert_eq!(now.keys().collect::<Vec<_>>(), wanted.keys().collect::<Vec<_>>());
        for (address, value) in &wanted {
            assert_eq!(now.get(address), Some(value), "{address}");
        }
        after
    }
}

/// Line ends do not count.
pub(super) fn even(value: Json) -> Json {
    match value {
        Json::String(text) => Json::String(text.replace("\r\n", "\n").trim_end().to_owned()),
        Json::Array(items) => items.into_iter().map(even).collect(),
        Json::Object(map) => Json::Object(map.into_iter().map(|(key, value)| (key, even(value))).collect()),
        other => other,
    }
}

pub(super) fn values(desired: &Desired) -> BTreeMap<Address, Value> {
    desired.kinds.values().flat_map(|kind| &kind.resources).map(|r| (r.address.clone(), r.value.clone())).collect()
}

/// The plain reading of a plan's path: items by their text, or by their `name` or `value`.
pub(super) fn with(value: &Value, path: &[crate::model::Segment], new: Option<&Value>) -> Value {
    use crate::model::Segment;
    let Some((first, rest)) = path.split_first() else { return new.cloned().unwrap_or_default() };
    match (value, first) {
        (Value::Array(items), Segment::Item(name)) => {
            let mut items = items.clone();
            let key = |item: &Value| {
                let named = ["name", "value", "permission_name"]
                    .iter()
                    .find_map(|key| item.get(key)?.as_str().map(str::to_owned));
                item.as_str().map(str::to_owned).or(named)
            };
            match (items.iter().position(|item| key(item).as_deref() == Some(name)), rest, new) {
                (Some(at), [], None) => {
                    items.remove(at);
                }
                (Some(at), rest, new) => items[at] = with(&items[at], rest, new),
                (None, _, Some(new)) => items.push(new.clone()),
                (None, _, None) => {}
            }
            Value::Array(items)
        }
        (Value::Null, Segment::Item(_)) => with(&Value::Array(Vec::new()), path, new),
        (Value::Array(items), Segment::Index(index)) => {
            let mut items = items.clone();
            items[*index] = with(&items[*index], rest, new);
            Value::Array(items)
        }
        (Value::Object(map), Segment::Key(key)) => {
            let mut map = map.clone();
            match (rest, new) {
                ([], None) => {
                    map.shift_remove(key);
                }
                _ => {
                    let inner = with(map.get(key).unwrap_or(&Value::Null), rest, new);
                    map.insert(key.clone(), inner);
                }
            }
            Value::Object(map)
        }
        _ => with(&Value::object(), path, new),
    }
}

/// Reads `a.b[item].c`.
pub(super) fn path(text: &str) -> Path {
    let mut path = Path::root();
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(['.', '[']).unwrap_or(rest.len());
        if end > 0 {
            path = path.key(&rest[..end]);
        }
        rest = &rest[end..];
        if let Some(inner) = rest.strip_prefix('[') {
            let (item, behind) = inner.split_once(']').unwrap();
            path = path.item(item);
            rest = behind;
        }
        rest = rest.strip_prefix('.').unwrap_or(rest);
    }
    path
}

pub(super) fn change(address: &str, at: &str, value: Json) -> Edit {
    Edit { address: Address::parse(address).unwrap(), path: path(at), value: Some(Value::from_json(&value)) }
}

pub(super) fn gone(address: &str, at: &str) -> Edit {
    Edit { address: Address::parse(address).unwrap(), path: path(at), value: None }
}

pub(super) fn text<'e>(edited: &'e Edited, file: &str) -> &'e str {
    std::str::from_utf8(edited.files.get(file).unwrap_or_else(|| panic!("{file} is unchanged: {edited:?}"))).unwrap()
}

pub(super) fn whys(edited: &Edited) -> Vec<(String, Why)> {
    edited.left.iter().map(|(address, path, why)| (format!("{address} {path}"), why.clone())).collect()
}

pub(super) const REPLACE: EditOptions = EditOptions { replace_markers: true, into_variables: false };
pub(super) const VARIABLES: EditOptions = EditOptions { replace_markers: false, into_variables: true };

const SHOP: &str = "# The shop.
name: Shop
app_type: spa # one page
callbacks:
  # the live one
  - https://a.example/cb
  - \"##URL##/cb\"
jwt_configuration: {alg: RS256, lifetime_in_seconds: 3600}
description: ##WHAT##
";

fn shop() -> Case {
    case([("clients/shop.yaml", SHOP)]).with("URL", json!("https://b.example")).with("WHAT", json!("A shop"))
}

#[test]
fn leaves_of_a_file_in_a_directory() {
    let edited = shop().check(
        &[
            change("clients/Shop", "callbacks[https://c.example]", json!("https://c.example")),
            gone("clients/Shop", "callbacks[https://a.example/cb]"),
            change("clients/Shop", "jwt_configuration.lifetime_in_seconds", json!(60)),
            change("clients/Shop", "logo_uri", json!("https://a.example/logo.png")),
            change("clients/Shop", "refresh_token.leeway", json!(3)),
            change("clients/Shop", "refresh_token.rotation_type", json!("rotating")),
            change("clients/Shop", "refresh_token.expiration_type", json!("expiring")),
        ],
        EditOptions::default(),
    );
    assert_eq!(
        text(&edited, "clients/shop.yaml"),
        "# The shop.
name: Shop
app_type: spa # one page
callbacks:
  # the live one
  - \"##URL##/cb\"
  - https://c.example
jwt_configuration: {alg: RS256, lifetime_in_seconds: 60}
description: ##WHAT##
logo_uri: https://a.example/logo.png
refresh_token:
  leeway: 3
  rotation_type: rotating
  expiration_type: expiring
"
    );
    assert_eq!(edited.left, []);
    assert_eq!(
        edited.done.iter().find(|d| d.1 == path("jwt_configuration.lifetime_in_seconds")).unwrap().2.to_string(),
        "t/clients/shop.yaml:8:54"
    );
}

#[test]
fn markers_are_left_unless_they_may_go() {
    let edits = [
        change("clients/Shop", "description", json!("Theirs")),
        gone("clients/Shop", "callbacks[https://b.example/cb]"),
        change("clients/Shop", "app_type", json!("native")),
    ];
    let edited = shop().check(&edits, EditOptions::default());
    assert_eq!(text(&edited, "clients/shop.yaml"), SHOP.replace("spa", "native"));
    let marker = |name: &str| Why::Marker(vec![name.to_owned()]);
    assert_eq!(
        whys(&edited),
        [
            ("clients/Shop description".to_owned(), marker("##WHAT##")),
            ("clients/Shop callbacks[https://b.example/cb]".to_owned(), marker("##URL##"))
        ]
    );
    let edited = shop().check(&edits, REPLACE);
    let expected = SHOP.replace("spa", "native").replace("##WHAT##", "Theirs").replace("  - \"##URL##/cb\"\n", "");
    assert_eq!(text(&edited, "clients/shop.yaml"), expected);
}

#[test]
fn the_environments_own_variables_take_the_value() {
    let own = "# dev\nWHAT: A shop # said\nORIGINS:\n  - a # one\n  - b\nSHARED: x\n";
    let file = "name: Shop\ndescription: ##WHAT##\nallowed_origins: \"@@ORIGINS@@\"\nlogo_uri: ${{ vars.SHARED }}\ninitiate_login_uri: \"##SHARED##\"\n";
    let case = case([("clients/shop.yaml", file)]).own(own);
    let edits = [
        change("clients/Shop", "description", json!("New")),
        change("clients/Shop", "allowed_origins[c]", json!("c")),
        gone("clients/Shop", "allowed_origins[b]"),
        change("clients/Shop", "logo_uri", json!("y")),
    ];
    let edited = case.check(&edits, VARIABLES);
    assert_eq!(
        String::from_utf8(edited.variables.clone().unwrap()).unwrap(),
        "# dev\nWHAT: New # said\nORIGINS:\n  - a # one\n  - c\nSHARED: x\n"
    );
    assert_eq!(whys(&edited), [("clients/Shop logo_uri".to_owned(), Why::Shared)]);
    assert!(edited.files.is_empty());
    let edited = case.check(&edits, REPLACE);
    assert_eq!(
        text(&edited, "clients/shop.yaml"),
        "name: Shop\ndescription: New\nallowed_origins:\n  - a\n  - c\nlogo_uri: \"y\"\ninitiate_login_uri: \"##SHARED##\"\n"
    );
    let both = case.check(&edits[3..], EditOptions { replace_markers: true, into_variables: true });
    assert!(both.variables.is_none() && text(&both, "clients/shop.yaml").contains("logo_uri: \"y\""));
}

#[test]
fn a_variable_that_stands_elsewhere_too_stays() {
    let file = "name: Shop\ndescription: ##WHAT##\nlogo_uri: ##LOGO##\n";
    let action = "name: Greet\nsupported_triggers: [{id: post-login, version: v3}]\ncode: actions/code.js\n";
    let case = case([("clients/shop.yaml", file), ("actions/greet.yaml", action), ("actions/code.js", "// ##WHAT##")])
        .own("WHAT: shop\nLOGO: u\nBOTH: '##LOGO## x'\n");
    let edits = [change("clients/Shop", "description", json!("New")), change("clients/Shop", "logo_uri", json!("New"))];
    let edited = case.check(&edits, VARIABLES);
    assert!(edited.left.iter().all(|(.., why)| *why == Why::Shared) && edited.left.len() == 2, "{edited:?}");
}

#[test]
fn what_a_secret_fills_is_one_in_the_tenant_too() {
    let mut case = case([("clients/shop.yaml", "name: Shop\ndescription: ##WHAT##\nlogo_uri: a-${{ secrets.g }}\n")]);
    let known = crate::description::SecretState::Known(Secret::new("hunter2", "secrets.g"));
    case.variables.secrets.insert("g".to_owned(), known.clone());
    case.variables.secrets.insert("WHAT".to_owned(), known);
    let edits =
        [change("clients/Shop", "description", json!("hunter3")), change("clients/Shop", "logo_uri", json!("x"))];
    for options in [EditOptions::default(), REPLACE, VARIABLES] {
        let edited = case.edit(&edits, options);
        assert!(edited.left.iter().all(|(.., why)| *why == Why::Secret) && edited.left.len() == 2, "{edited:?}");
    }
}

#[test]
fn one_marker_for_several_items_stays() {
    let file = "name: Shop\ncallbacks: [##LIST##, d]\n";
    let case = case([("clients/shop.yaml", file)]).with("LIST", json!("a, b"));
    let edited = case.check(&[gone("clients/Shop", "callbacks[a]"), gone("clients/Shop", "callbacks[d]")], REPLACE);
    assert_eq!(text(&edited, "clients/shop.yaml"), "name: Shop\ncallbacks: [##LIST##]\n");
    assert_eq!(whys(&edited), [("clients/Shop callbacks[a]".to_owned(), Why::Marker(vec!["##LIST##".to_owned()]))]);
}

#[test]
fn a_flag_wins_over_the_file_of_variables() {
    let case = case([("clients/shop.yaml", "name: Shop\ndescription: ##WHAT##\n")])
        .own("WHAT: x\n")
        .with("WHAT", json!("flag"));
    let edited = case.edit(&[change("clients/Shop", "description", json!("New"))], VARIABLES);
    assert_eq!(whys(&edited), [("clients/Shop description".to_owned(), Why::Marker(vec!["##WHAT##".to_owned()]))]);
}

#[test]
fn secrets_are_never_written() {
    let mut case = case([(
        "connections/g.yaml",
        "name: g\nstrategy: google-oauth2\noptions:\n  client_id: a\n  client_secret: ${{ secrets.g }}\n",
    )]);
    case.variables
        .secrets
        .insert("g".to_owned(), crate::description::SecretState::Known(Secret::new("hunter2", "secrets.g")));
    let secret = Edit {
        value: Some(Value::Secret(Secret::new("hunter3", "live"))),
        ..change("connections/g", "options.client_secret", json!(1))
    };
    let inside = Edit {
        value: Some(Value::Object(
            [("k".to_owned(), Value::Secret(Secret::new("hunter3", "live")))].into_iter().collect(),
        )),
        ..change("connections/g", "metadata", json!(1))
    };
    for options in [EditOptions::default(), REPLACE, VARIABLES] {
        let edited = case.check(
            &[secret.clone(), inside.clone(), change("connections/g", "options.client_secret", json!("plain"))],
            options,
        );
        assert!(edited.left.iter().all(|(.., why)| *why == Why::Secret) && edited.left.len() == 3, "{edited:?}");
        let variables = format!("{edited:?} {:?}", edited.variables.as_deref().map(String::from_utf8_lossy));
        assert!(edited.files.is_empty() && !variables.contains("hunter"));
    }
}
