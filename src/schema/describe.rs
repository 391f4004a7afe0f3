//! The JSON Schema of a whole description, for editors.

use serde_json::{Map, Value as Json, json};

use super::registry::Registry;
use super::spec::{KindShape, KindSpec};

/// Keywords whose members are schemas by name.
const NAMED: [&str; 4] = ["properties", "patternProperties", "$defs", "dependentSchemas"];
/// Keywords that hold one schema whose value may be a marker.
const VALUES: [&str; 3] = ["items", "additionalProperties", "contains"];
/// Keywords that hold one schema over the value itself.
const OVER: [&str; 2] = ["then", "else"];
/// Keywords that ask about a value: a marker accepted there would change the answer.
const QUESTIONS: [&str; 3] = ["if", "not", "propertyNames"];
/// Keywords with a list of schemas over the value itself.
const LISTS: [&str; 3] = ["anyOf", "oneOf", "allOf"];
/// What people read: it stays outside when a marker is let in.
const WORDS: [&str; 7] = ["title", "description", "default", "deprecated", "readOnly", "writeOnly", "examples"];

/// Returns the JSON Schema (draft 2020-12) of the single file, with a definition per kind.
///
/// Annotations of Tenantry are left out. Wherever a value stands a marker may stand (`##NAME##`, `@@NAME@@`, `${{ … }}`), and
/// a text may hold some.
pub fn describe(registry: &Registry) -> Json {
    let mut definitions = Map::new();
    definitions.insert("marker".to_owned(), marker());
    definitions.insert("filled".to_owned(), filled());
    let mut kinds = Map::new();
    for spec in registry.kinds() {
        definitions.insert(spec.name.clone(), definition(spec));
        kinds.insert(spec.name.clone(), value_of(spec));
    }
    let names = json!({
        "type": ["object", "null"],
        "additionalProperties": {"type": ["array", "null"], "items": {"type": "string"}},
    });
    for (key, words) in
        [("exclude", "Names that are left alone, by kind"), ("include", "The only names that are managed, by kind")]
    {
        let mut names = names.clone();
        if let Some(object) = names.as_object_mut() {
            object.insert("description".to_owned(), words.into());
        }
        kinds.insert(key.to_owned(), names);
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Description of an Auth0 tenant",
        "description": "A kind that is left out is not managed; an empty list asks for none of it to be there.",
        "type": "object",
        "properties": kinds,
        "additionalProperties": false,
        "$defs": definitions,
    })
}

/// Returns what stands at a kind's key.
fn value_of(spec: &KindSpec) -> Json {
    let reference = json!({"$ref": format!("#/$defs/{}", spec.name)});
    match spec.shape {
        KindShape::Collection => {
            json!({"description": spec.description, "type": ["array", "null"], "items": reference})
        }
        KindShape::Single => {
            json!({"description": spec.description, "anyOf": [reference, {"type": "null"}]})
        }
    }
}

/// Returns the schema of one resource.
fn definition(spec: &KindSpec) -> Json {
    Strip { spec, lets_markers_in: true, depth: 0 }.schema(&spec.json)
}

/// A text that is one marker or expression.
fn marker() -> Json {
    json!({
        "description": "A marker or expression that stands for the whole value",
        "type": "string",
        "pattern": r"^(##[^#\n]+##|@@[^@\n]+@@|\$\{\{.*\}\})$",
    })
}

/// A text with a marker or expression inside.
fn filled() -> Json {
    json!({
        "description": "A text with a marker or expression inside",
        "type": "string",
        "pattern": r"(##[^#\n]+##|@@[^@\n]+@@|\$\{\{.*\}\})",
    })
}

/// How deep references to other members are followed.
const MAX_DEPTH: usize = 24;

#[derive(Clone, Copy)]
struct Strip<'a> {
    spec: &'a KindSpec,
    lets_markers_in: bool,
    depth: usize,
}

impl Strip<'_> {
    /// Keeps the standard keywords of a schema.
    fn schema(&self, json: &Json) -> Json {
        let Json::Object(object) = json else { return json.clone() };
        let mut out = Map::new();
        for (key, value) in object {
            let key = key.as_str();
            let value = match value {
                _ if key.starts_with("x-") || key == "$schema" => continue,
                Json::String(target) if key == "$ref" => match self.target(target) {
                    Ok(reference) => reference.into(),
                    Err(Json::Object(inlined)) => {
                        out.extend(inlined.into_iter().filter(|(key, _)| !object.contains_key(key)));
                        continue;
                    }
                    Err(_) => continue,
                },
                Json::Object(members) if NAMED.contains(&key) => {
                    let is_value = matches!(key, "properties" | "patternProperties");
                    let convert = |member| if is_value { self.value(member) } else { self.schema(member) };
                    Json::Object(members.iter().map(|(name, member)| (name.clone(), convert(member))).collect())
                }
                value if VALUES.contains(&key) => self.value(value),
                value if OVER.contains(&key) => self.schema(value),
                value if QUESTIONS.contains(&key) => Strip { lets_markers_in: false, ..*self }.schema(value),
                Json::Array(branches) if LISTS.contains(&key) => {
                    Json::Array(branches.iter().map(|branch| self.schema(branch)).collect())
                }
                other => other.clone(),
            };
            // With markers let in, more than one branch may hold.
            let key =
                if key == "oneOf" && self.lets_markers_in && !object.contains_key("anyOf") { "anyOf" } else { key };
            out.insert(key.to_owned(), value);
        }
        Json::Object(out)
    }

    /// The same for a value in whose place a marker may stand.
    fn value(&self, json: &Json) -> Json {
        let stripped = self.schema(json);
        let Json::Object(object) = &stripped else { return stripped };
        let (words, rules): (Map<String, Json>, Map<String, Json>) =
            object.clone().into_iter().partition(|(key, _)| WORDS.contains(&key.as_str()));
        let is_free = rules.iter().all(|(key, value)| key == "type" && takes_text(value));
        if is_free || !self.lets_markers_in {
            return stripped;
        }
        let alternative = match rules.get("type") {
            Some(types) if takes_text(types) => "#/$defs/filled",
            _ => "#/$defs/marker",
        };
        let mut out = words;
        out.insert("anyOf".to_owned(), json!([rules, {"$ref": alternative}]));
        Json::Object(out)
    }

    /// Returns where a reference leads. Definitions of a kind lie below the kind's own; another member is written out, because
    /// letting markers in moves it.
    fn target(&self, reference: &str) -> Result<String, Json> {
        let inside = reference.trim_start_matches('#');
        if inside.starts_with("/$defs/") {
            return Ok(format!("#/$defs/{}{inside}", self.spec.name));
        }
        Err(match self.spec.json.pointer(inside) {
            Some(target) if self.depth < MAX_DEPTH => Strip { depth: self.depth + 1, ..*self }.schema(target),
            _ => Json::Object(Map::new()),
        })
    }
}

fn takes_text(types: &Json) -> bool {
    match types {
        Json::String(one) => one == "string",
        Json::Array(several) => several.iter().any(|one| one == "string"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::description::layout::{FileState, LayoutOptions, Tree, read_layout};
    use crate::description::{Filters, KnownNames, Node, NodeValue, Part};

    fn is_valid(description: &Json) -> Result<(), String> {
        let validator = jsonschema::draft202012::new(&describe(Registry::get())).unwrap();
        let errors: Vec<String> =
            validator.iter_errors(description).map(|error| format!("{}: {error}", error.instance_path())).collect();
        if errors.is_empty() { Ok(()) } else { Err(errors.join("\n")) }
    }

    #[test]
    fn it_is_a_schema_of_draft_2020_12() {
        let schema = describe(Registry::get());
        if let Err(error) = jsonschema::draft202012::meta::validate(&schema) {
            panic!("{}: {error}", error.instance_path());
        }
        assert!(Registry::get().names().all(|name| schema.pointer(&format!("/$defs/{name}")).is_some()));
    }

    #[test]
    fn no_annotation_is_left() {
        fn look(json: &Json, at: &str) {
            match json {
                Json::Object(object) => {
                    for (key, value) in object {
                        let is_name = at.ends_with("/properties");
                        assert!(is_name || !key.starts_with("x-"), "{at}/{key}");
                        look(value, &format!("{at}/{key}"));
                    }
                }
                Json::Array(items) => items.iter().for_each(|item| look(item, at)),
                _ => {}
            }
        }
        look(&describe(Registry::get()), "");
    }

    #[test]
    fn every_reference_leads_somewhere() {
        fn look(json: &Json, root: &Json) {
            match json {
                Json::Object(object) => {
                    if let Some(Json::String(target)) = object.get("$ref") {
                        assert!(root.pointer(target.trim_start_matches('#')).is_some(), "{target}");
                    }
                    object.values().for_each(|value| look(value, root));
                }
                Json::Array(items) => items.iter().for_each(|item| look(item, root)),
                _ => {}
            }
        }
        let schema = describe(Registry::get());
        look(&schema, &schema);
    }

    #[test]
    fn what_people_write_is_valid() {
        let description = json!({
            "tenant": {"friendly_name": "Travel0", "session_lifetime": "##HOURS##", "flags": "@@FLAGS@@"},
            "clients": [
                {"name": "Shop", "app_type": "spa", "callbacks": ["https://##HOST##/cb"]},
                {"name": "Native", "app_type": "${{ vars.type }}", "callbacks": "@@CALLBACKS@@"},
            ],
            "roles": [],
            "rules": null,
            "exclude": {"clients": ["Legacy"]},
        });
        is_valid(&description).unwrap();
    }

    #[test]
    fn what_people_get_wrong_is_not() {
        for wrong in [
            json!({"cleints": []}),
            json!({"clients": {}}),
            json!({"clients": [{"name": "Shop", "callback": []}]}),
            json!({"clients": [{"name": "Shop", "app_type": "toaster"}]}),
            json!({"clients": [{"name": "Shop", "callbacks": "https://shop.example.com"}]}),
            json!({"tenant": {"session_lifetime": "long"}}),
            json!([]),
        ] {
            assert!(is_valid(&wrong).is_err(), "{wrong}");
        }
    }

    /// Describes nodes as they stand, markers unfilled.
    fn as_written(node: &Node) -> Json {
        match &node.value {
            NodeValue::Null => Json::Null,
            NodeValue::Bool(value) => (*value).into(),
            NodeValue::Number(number) => Json::Number(number.clone()),
            NodeValue::Text(text) => match &text.parts[..] {
                [Part::Marker(marker)] => marker.bare().into(),
                _ => text.as_written().into(),
            },
            NodeValue::Array(items) => items.iter().map(as_written).collect(),
            NodeValue::Object(map) => {
                Json::Object(map.iter().map(|member| (member.key.as_written(), as_written(&member.value))).collect())
            }
        }
    }

    #[test]
    fn the_worked_tenant_is_valid() {
        fn add(tree: &mut Tree, root: &std::path::Path, folder: &std::path::Path) {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    add(tree, root, &path);
                } else {
                    let name = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
                    tree.insert(&name, FileState::Read(std::fs::read(&path).unwrap().into()));
                }
            }
        }
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tenants/travel0");
        let mut tree = Tree::new("");
        add(&mut tree, &root, &root);
        let options = LayoutOptions {
            registry: Registry::get(),
            names: &KnownNames::default(),
            filters: &Filters::default(),
            compatibility: true,
            single: None,
            connections_directory: None,
        };
        let read = read_layout(&tree, &options);
        assert!(read.description.kinds.len() > 8, "{:?}", read.problems);
        for (kind, nodes) in &read.description.kinds {
            let resources: Vec<Json> = nodes.resources.iter().map(|resource| as_written(&resource.node)).collect();
            let value = match Registry::get().kind(kind).unwrap().shape {
                KindShape::Collection => Json::Array(resources),
                KindShape::Single => resources.into_iter().next().unwrap(),
            };
            let description = Json::Object(Map::from_iter([(kind.clone(), value)]));
            is_valid(&description).unwrap_or_else(|errors| panic!("{kind}: {errors}"));
        }
    }
}
