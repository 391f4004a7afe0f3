#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
//! Small schemas, right and wrong.

use serde_json::json;

use super::compile;
use crate::schema::{
    Batch, Directory, FieldSpec, KindShape, KindSpec, ListPaging, Null, PartStep, Risk, Shape, TextKind,
};

fn of(text: &str) -> Result<KindSpec, Vec<String>> {
    compile("things", serde_yaml::from_str(text).unwrap())
}

fn spec(text: &str) -> KindSpec {
    of(text).unwrap_or_else(|errors| panic!("{errors:#?}"))
}

fn errors(text: &str) -> String {
    of(text).err().unwrap_or_default().join("\n")
}

fn field(annotations: &str) -> FieldSpec {
    spec(&format!("properties: {{f: {{{annotations}}}}}")).field("f").unwrap().clone()
}

#[test]
fn a_kind_with_nothing_said_is_a_collection_without_endpoints() {
    let spec = spec("type: object");
    assert_eq!(spec.shape, KindShape::Collection);
    assert!(spec.unique && spec.answers_whole && spec.is_open_set());
    assert_eq!(spec.directory, Directory::File { path: "things".to_owned() });
    assert_eq!((spec.create_risk, spec.delete_risk), (Risk::Safe, Risk::Destructive));
    assert!(spec.list.is_none() && spec.get.is_none() && spec.create.is_none() && spec.subs().is_empty());
}

#[test]
fn an_annotation_nobody_reads_is_an_error() {
    assert_eq!(errors("x-tenantry: {identiy: [name]}"), "x-tenantry: `identiy` is not an annotation");
    assert_eq!(errors("properties: {f: {type: string, x-sett: true}}"), "/f: `x-sett` is not an annotation");
    assert_eq!(
        errors("properties: {f: {items: {properties: {g: {titel: x}}}}}"),
        "/f[]/g: `titel` is not an annotation"
    );
    let list = "x-tenantry: {list: {path: /x, styl: page}}";
    assert_eq!(errors(list), "x-tenantry/list: `styl` is not an annotation");
}

#[test]
fn a_word_of_a_closed_set_has_to_be_one_of_them() {
    assert_eq!(errors("x-tenantry: {shape: singel}"), "x-tenantry: shape `singel`");
    assert_eq!(errors("x-tenantry: {update: {method: GET, path: /x}}"), "x-tenantry/update: method `GET`");
    assert_eq!(errors("x-tenantry: {list: {path: /x, style: pages}}"), "x-tenantry/list: style `pages`");
    assert_eq!(errors("properties: {f: {x-text: java}}"), "/f: x-text `java`");
    assert_eq!(errors("properties: {f: {x-risk: high}}"), "/f: risk `high`");
    assert_eq!(errors("properties: {f: {x-risk: {remove: bad}}}"), "/f: risk `bad`");
}

#[test]
fn what_cannot_do_without_is_missing() {
    assert_eq!(errors("x-tenantry: {create: {method: POST}}"), "x-tenantry/create: `path` is missing");
    assert_eq!(errors("x-tenantry: {parts: [{at: a}]}"), "x-tenantry/parts/0: `update` is missing");
    assert_eq!(errors("x-tenantry: {system: [{why: x}]}"), "x-tenantry/system/0: `member` is missing");
    assert_eq!(errors("x-tenantry: {cascades: [{member: x}]}"), "x-tenantry/cascades/0: `kind` is missing");
    assert_eq!(errors("x-tenantry: {directory: {array: x}}"), "x-tenantry/directory: neither `path` nor `folder`");
    let needs = "x-tenantry: {parts: [{at: a, update: {method: PUT, path: /a}, needs: {path: /b}}]}";
    assert_eq!(errors(needs), "x-tenantry/parts/0/needs: `what` is missing");
    assert_eq!(
        errors("properties: {f: {x-sub: {add: {method: POST, path: /x}}}}"),
        "/f/x-sub: `add` and `remove` are needed, or `replace`\n/f/x-sub: `list` is needed"
    );
}

#[test]
fn all_mistakes_are_told_at_once() {
    let text = "x-tenantry: {shape: x, list: {style: y}}\nproperties: {f: {x-text: z}}";
    assert_eq!(errors(text).lines().count(), 4, "{}", errors(text));
}

#[test]
fn a_pattern_has_to_be_one() {
    let text = "x-tenantry: {system: [{member: name, matches: '(', why: x}]}";
    assert!(errors(text).contains("unclosed group"), "{}", errors(text));
    let rules = spec("x-tenantry: {system: [{member: name, matches: '^x', why: theirs, writable: [a]}]}").system;
    assert!(rules.first().is_some_and(|r| r.matches.as_ref().unwrap().is_match("xy") && r.writable == ["a"]));
}

#[test]
fn a_definition_that_leads_nowhere_or_round_is_an_error() {
    assert_eq!(errors("properties: {f: {$ref: '#/$defs/g'}}"), "/f: `#/$defs/g` leads nowhere");
    let round = "properties: {f: {$ref: '#/$defs/g'}}\n$defs: {g: {properties: {h: {$ref: '#/$defs/g'}}}}";
    assert!(errors(round).ends_with("nested too deep"), "{}", errors(round));
    let itself = "properties: {f: {$ref: '#/$defs/g'}}\n$defs: {g: {$ref: '#/$defs/g'}}";
    assert!(errors(itself).contains("leads nowhere"), "{}", errors(itself));
}

#[test]
fn a_definition_and_what_stands_beside_it_are_one() {
    let text =
        "properties: {f: {$ref: '#/$defs/g', x-secret: true}}\n$defs: {g: {type: string, default: a, description: G}}";
    let spec = spec(text);
    let field = spec.field("f").unwrap();
    assert!(field.secret && field.default == Some(json!("a")) && field.description == "G");
}

#[test]
fn branches_of_a_union_are_folded_into_one() {
    let text = "oneOf: [{type: string, enum: [a]}, {type: [object, 'null'], properties: {x: {x-secret: true}}, enum: [b]}, {properties: {x: {}, y: {}}}]";
    let field = field(text);
    assert_eq!(field.types, ["string", "object", "null"]);
    assert_eq!(field.values, [json!("a"), json!("b")]);
    assert!(field.member("x").unwrap().secret, "the first branch counts");
    assert!(field.member("y").is_some() && field.member("z").is_none());
}

#[test]
fn shapes_follow_the_keywords() {
    assert!(matches!(field("type: string").shape, Shape::Scalar));
    assert!(matches!(field("enum: [1]").shape, Shape::Scalar));
    assert!(matches!(field("").shape, Shape::Any));
    assert!(matches!(field("type: array").shape, Shape::List(_)));
    assert!(matches!(field("type: object").shape, Shape::Map(_)));
    assert!(matches!(field("type: object, additionalProperties: {type: string}").shape, Shape::Map(_)));
    let closed = field("type: object, additionalProperties: false");
    assert!(matches!(closed.shape, Shape::Record { open: false, rest: None, .. }));
    let rest = field("properties: {a: {}}, additionalProperties: {x-secret: true}");
    assert!(matches!(rest.shape, Shape::Record { open: true, rest: Some(_), .. }));
    assert!(rest.member("other").unwrap().secret);
}

#[test]
fn annotations_of_a_value_are_read() {
    let f = field(
        "type: array, x-ordered-key: name, x-immutable: refuse, x-risk: {remove: destructive}, x-why: W, x-ref: [a, b]",
    );
    assert_eq!((f.key.as_slice(), f.ordered), (&["name".to_owned()][..], true));
    assert!(f.fixed && !f.immutable, "`refuse` is no replace");
    assert_eq!((f.risk.add, f.risk.remove, f.risk.change), (Risk::Safe, Risk::Destructive, Risk::Safe));
    assert_eq!((f.why.as_deref(), f.reference.len()), (Some("W"), 2));
    let f = field("x-risk: caution, x-text: pem, x-default-when: [{when: {a: 1}, default: 2}], x-hours: m");
    assert_eq!((f.risk.add, f.risk.remove, f.risk.change), (Risk::Safe, Risk::Caution, Risk::Caution));
    assert_eq!((f.text, f.hours.as_deref()), (Some(TextKind::Pem), Some("m")));
    assert_eq!(f.default_when, [(vec![("a".to_owned(), json!(1))], json!(2))]);
}

#[test]
fn lists_parts_and_their_places_are_read() {
    let spec = spec(
        "x-tenantry:
  list: {path: /things, style: checkpoint, rows: things, max: 50, query: {a: true}, exclude: {type: x}}
  parts:
    - {at: 'a.{lang}[name]', update: {method: PUT, path: '/a/{lang}', whole: true}, replaces: true, all: {lang: 'tenant:locales'}}",
    );
    let list = spec.list.unwrap();
    assert_eq!((list.paging, list.max, list.rows.as_str()), (ListPaging::Checkpoint, 50, "things"));
    assert_eq!(list.query, [("a".to_owned(), "true".to_owned())]);
    assert_eq!(list.exclude, [("type".to_owned(), vec![json!("x")])]);
    let part = spec.parts.first().unwrap();
    assert_eq!(
        part.at,
        [PartStep::Key("a".to_owned()), PartStep::Capture("lang".to_owned()), PartStep::Item("name".to_owned())]
    );
    assert!(part.whole && part.replaces && !part.optional && part.list_style().is_none());
}

#[test]
fn a_sub_resource_says_how_many_items_a_request_takes() {
    let of = |add: &str| {
        of(&format!(
            "properties: {{f: {{type: array, x-sub: {{list: {{path: /l}}, add: {{method: POST, path: /a{add}}}, remove: {{method: DELETE, path: /r}}}}}}}}"
        ))
    };
    let batch = |add: &str| of(add).unwrap().field("f").unwrap().sub.as_ref().unwrap().add.batch;
    assert_eq!(batch(", batch: 50"), Batch::Of(50));
    assert_eq!(batch(", each: true"), Batch::Each);
    assert_eq!(batch(""), Batch::Of(usize::MAX));
    assert_eq!(of(", each: true, batch: 2").unwrap_err(), ["/f/x-sub/add: either `each: true` or `batch`"]);
}

#[test]
fn the_directory_layout_has_three_forms() {
    let directory = |text: &str| spec(&format!("x-tenantry: {{directory: {text}}}")).directory;
    assert_eq!(directory("{path: a/b.json}"), Directory::File { path: "a/b".to_owned() });
    assert_eq!(directory("{folder: a, array: b.json}"), Directory::Array { path: "a/b".to_owned() });
    let files = Directory::Files { folder: "a".to_owned(), file: "{name}".to_owned() };
    assert_eq!(directory("{folder: a}"), files);
    assert_eq!(directory("{folder: a, single: any}"), Directory::File { path: "a/a".to_owned() });
}

#[test]
fn what_an_update_makes_of_a_null_is_said_by_type_and_x_null() {
    assert_eq!(field("").null, Null::Unknown);
    assert_eq!(field("type: string").null, Null::Refused);
    assert_eq!(field("enum: [a]").null, Null::Refused);
    assert_eq!(field("type: [string, 'null']").null, Null::Taken);
    assert_eq!(field("type: [string, 'null'], x-null: empty").null, Null::Empty);
    assert_eq!(field("type: [string, 'null'], x-null: absent").null, Null::Refused);
    for wrong in ["type: string, x-null: empty", "type: [string, 'null'], x-null: gone"] {
        assert!(errors(&format!("properties: {{f: {{{wrong}}}}}")).contains("x-null `"), "{wrong}");
    }
    for never in ["type: array, minItems: 1", "type: object, minProperties: 1", "type: object, required: [a]"] {
        assert!(field(never).never_empty, "{never}");
    }
    assert!(!field("type: array, minItems: 0").never_empty);
}
