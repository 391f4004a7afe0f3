//! Types, enumerations, limits: the JSON Schema of a kind, with what it finds in our words.

use jsonschema::error::ValidationErrorKind as Kind;
use jsonschema::paths::LocationSegment;
use jsonschema::{ValidationError, Validator};
use serde_json::Value as Json;

use crate::model::{Loci, Path, Segment, Value};
use crate::problem::{Problem, closest};
use crate::schema::{FieldSpec, KindSpec};

/// Longest value that is repeated in a message, in characters.
const LONGEST_SHOWN: usize = 60;

/// The compiled rules of one kind.
pub(super) struct Rules<'a> {
    spec: &'a KindSpec,
    validator: Option<Validator>,
}

/// One resource while its rules are checked.
struct Subject<'a> {
    spec: &'a KindSpec,
    value: &'a Value,
    loci: &'a Loci,
}

impl<'a> Rules<'a> {
    /// Compiles the rules of a kind. A test holds that every schema compiles.
    pub(super) fn of(spec: &'a KindSpec) -> Self {
        Rules { spec, validator: jsonschema::draft202012::options().build(&spec.json).ok() }
    }

    /// Checks one resource. Values that are secret or unknown stand in as texts, and what is said of them is dropped.
    pub(super) fn check(&self, value: &Value, loci: &Loci, problems: &mut Vec<Problem>) {
        let Some(validator) = &self.validator else { return };
        let json = value.redacted();
        let subject = Subject { spec: self.spec, value, loci };
        for error in validator.iter_errors(&json) {
            subject.report(&error, problems);
        }
    }
}

impl Subject<'_> {
    fn report(&self, error: &ValidationError<'_>, problems: &mut Vec<Problem>) {
        let path = path_of(error);
        let here = value_at(self.value, &path);
        if matches!(here, Some(Value::Secret(_) | Value::Unresolved(_))) {
            return;
        }
        let about = self.about(&path);
        let locus = self.loci.at(&path);
        let invalid = |title: String| Problem::error("invalid-value", title).at_maybe(locus);
        let problem = match error.kind() {
            // Unknown members are found by name, with the closest known one.
            Kind::AdditionalProperties { .. } | Kind::UnevaluatedProperties { .. } => return,
            Kind::Required { property } => {
                let name = property.as_str().unwrap_or_default();
                Problem::error("missing-field", format!("`{}` of `{}` is missing", path.key(name), self.spec.name))
                    .at_maybe(locus)
            }
            Kind::Type { .. } => {
                let takes =
                    self.keyword(error).map_or_else(|| "another type".to_owned(), |types| words(&types, type_name));
                Problem::error("wrong-type", format!("{about} takes {takes}, not {}", sort_of(error.instance())))
                    .at_maybe(locus)
            }
            Kind::Enum { options } => self.not_listed(&about, options, error.instance(), &path, locus),
            Kind::Constant { expected_value } => invalid(format!("{about} is always {}", quoted(expected_value))),
            Kind::Pattern { pattern } => invalid(format!("{about} has characters or a form that Auth0 refuses"))
                .note(format!("it matches {pattern}")),
            Kind::Format { format } => invalid(format!("{about} is not a valid {format}")),
            Kind::Minimum { limit } => invalid(format!("{about} is at least {limit}")),
            Kind::Maximum { limit } => invalid(format!("{about} is at most {limit}")),
            Kind::ExclusiveMinimum { limit } => invalid(format!("{about} is more than {limit}")),
            Kind::ExclusiveMaximum { limit } => invalid(format!("{about} is less than {limit}")),
            Kind::MultipleOf { multiple_of } => invalid(format!("{about} is a multiple of {multiple_of}")),
            Kind::MinLength { limit } => invalid(if *limit == 1 {
                format!("{about} is empty")
            } else {
                format!("{about} has at least {limit} characters")
            }),
            Kind::MaxLength { limit } => {
                let length = error.instance().as_str().map_or(0, |text| text.chars().count());
                invalid(format!("{about} has at most {limit} characters, here are {length}"))
            }
            Kind::MinItems { limit } => invalid(format!("{about} has at least {}", counted(*limit, "item"))),
            Kind::MaxItems { limit } => invalid(format!("{about} has at most {}", counted(*limit, "item"))),
            Kind::MinProperties { limit } => invalid(format!("{about} has at least {}", counted(*limit, "member"))),
            Kind::MaxProperties { limit } => invalid(format!("{about} has at most {}", counted(*limit, "member"))),
            Kind::UniqueItems => invalid(format!("{about} names something twice")),
            Kind::FalseSchema => {
                let mut problem = invalid(format!("{about} cannot be given here"));
                problem.help.extend(self.field(&path).and_then(|field| field.why.clone()));
                problem
            }
            _ => match self.combination(error, &path, here) {
                Some(title) => invalid(title),
                None => return,
            },
        };
        problems.push(self.guarded(problem, &path, here));
    }

    /// Takes the place off what is said of a secret written in clear: with the place its line would be shown.
    fn guarded(&self, mut problem: Problem, path: &Path, here: Option<&Value>) -> Problem {
        let is_secret = self.field(path).is_some_and(|field| field.secret);
        if is_secret && here.and_then(Value::as_str).is_some() {
            for label in std::mem::take(&mut problem.labels) {
                problem.notes.push(format!("it stands at {}", label.locus));
            }
        }
        problem
    }

    fn not_listed(
        &self,
        about: &str,
        options: &Json,
        found: &Json,
        path: &Path,
        locus: Option<&crate::model::Locus>,
    ) -> Problem {
        let options = options.as_array().map(Vec::as_slice).unwrap_or_default();
        let known: Vec<&str> = options.iter().filter_map(Json::as_str).collect();
        let is_secret = self.field(path).is_some_and(|field| field.secret);
        let shown = Some(quoted(found)).filter(|text| !is_secret && text.chars().count() <= LONGEST_SHOWN);
        let takes = if options.len() <= 8 {
            words(&Json::Array(options.iter().filter(|option| !option.is_null()).cloned().collect()), quoted)
        } else {
            format!("one of {} values", options.len())
        };
        let title = match shown {
            Some(shown) => format!("{about} takes {takes}, not {shown}"),
            None => format!("{about} takes {takes}"),
        };
        let mut problem = Problem::error("invalid-value", title).at_maybe(locus);
        if let Some(near) = found.as_str().filter(|_| !is_secret).and_then(|text| closest(text, known.iter().copied()))
        {
            problem = problem.help(format!("did you mean `{near}`?"));
        } else if options.len() > 8 {
            problem = problem.note(format!("it takes {}", words(&Json::Array(options.to_vec()), quoted)));
        }
        problem
    }

    /// What is said of `oneOf`, `anyOf`, `not`, `if`; `None` where a value that nobody knows may decide it.
    fn combination(&self, error: &ValidationError<'_>, path: &Path, here: Option<&Value>) -> Option<String> {
        let schema = self.keyword(error);
        let name = |key: &str| format!("`{}`", path.key(key));
        let required: Option<Vec<String>> = match (&schema, error.kind()) {
            (Some(Json::Object(not)), Kind::Not { .. }) => not.get("required").map(texts),
            (Some(Json::Array(shapes)), _) => {
                shapes.iter().map(|shape| Some(texts(shape.get("required")?).join("` with `"))).collect()
            }
            _ => None,
        };
        let of = format!("of `{}`", self.spec.name);
        if let Some(keys) = required.filter(|keys| !keys.is_empty()) {
            let keys: Vec<String> = keys.iter().map(|key| name(key)).collect();
            return Some(match error.kind() {
                Kind::Not { .. } => format!("{} {of} exclude each other", keys.join(" and ")),
                Kind::OneOfMultipleValid { .. } => format!("only one of {} {of} can be given", keys.join(", ")),
                _ => format!("one of {} {of} is needed", keys.join(", ")),
            });
        }
        let mut unknown = false;
        if let Some(here) = here {
            unknown = has_stand_ins(here);
        }
        (!unknown).then(|| format!("{} has none of the shapes Auth0 accepts", self.about(path)))
    }

    /// Returns the value of the keyword that failed.
    fn keyword(&self, error: &ValidationError<'_>) -> Option<Json> {
        self.spec.json.pointer(error.schema_path().as_str()).cloned()
    }

    fn field(&self, path: &Path) -> Option<&FieldSpec> {
        let mut field = &self.spec.fields;
        for segment in &path.0 {
            field = match segment {
                Segment::Key(key) => field.member(key)?,
                Segment::Index(_) | Segment::Item(_) => field.item()?,
            };
        }
        Some(field)
    }

    fn about(&self, path: &Path) -> String {
        if path.is_root() {
            format!("one of `{}`", self.spec.name)
        } else {
            format!("`{path}` of `{}`", self.spec.name)
        }
    }
}

fn path_of(error: &ValidationError<'_>) -> Path {
    let steps = error.instance_path().into_iter().map(|segment| match segment {
        LocationSegment::Property(key) => Segment::Key(key.into_owned()),
        LocationSegment::Index(index) => Segment::Index(index),
    });
    Path(steps.collect())
}

fn value_at<'v>(value: &'v Value, path: &Path) -> Option<&'v Value> {
    let mut value = value;
    for segment in &path.0 {
        value = match segment {
            Segment::Key(key) => value.get(key)?,
            Segment::Index(index) => value.as_array()?.get(*index)?,
            Segment::Item(_) => return None,
        };
    }
    Some(value)
}

fn has_stand_ins(value: &Value) -> bool {
    match value {
        Value::Secret(_) | Value::Unresolved(_) | Value::Fingerprint(_) => true,
        Value::Array(items) => items.iter().any(has_stand_ins),
        Value::Object(map) => map.values().any(has_stand_ins),
        _ => false,
    }
}

fn texts(json: &Json) -> Vec<String> {
    json.as_array().into_iter().flatten().filter_map(|text| text.as_str().map(str::to_owned)).collect()
}

fn quoted(json: &Json) -> String {
    match json {
        Json::String(text) => format!("`{text}`"),
        other => other.to_string(),
    }
}

fn type_name(json: &Json) -> String {
    match json.as_str() {
        Some("string") => "text",
        Some("boolean") => "true or false",
        Some("integer") => "a whole number",
        Some("number") => "a number",
        Some("array") => "a list",
        Some("object") => "an object",
        _ => "null",
    }
    .to_owned()
}

fn sort_of(json: &Json) -> &'static str {
    match json {
        Json::Null => "null",
        Json::Bool(_) => "true or false",
        Json::Number(_) => "a number",
        Json::String(_) => "text",
        Json::Array(_) => "a list",
        Json::Object(_) => "an object",
    }
}

/// Lists one or several words: a, b or c.
fn words(json: &Json, word: fn(&Json) -> String) -> String {
    let words: Vec<String> = match json {
        Json::Array(items) => items.iter().map(word).collect(),
        one => vec![word(one)],
    };
    match words.split_last() {
        None => "nothing".to_owned(),
        Some((last, [])) => last.clone(),
        // `true or false` is two words already.
        Some((last, rest)) => format!("{} or {last}", rest.join(", ").replace(" or ", ", ")),
    }
}

fn counted(count: u64, word: &str) -> String {
    if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") }
}
