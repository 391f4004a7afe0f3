//! The rules about how the code is laid out: modules use those above them, knowledge about a kind stands in its schema.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use tenantry::project::{Flags, Secrets, Surroundings, load_description, load_settings};
use tenantry::schema::Registry;

/// Modules in the order of the flow: each may use those before it.
///
/// `description` knows a tree of files only as a value, which `files` makes from a disk; `project` reads through both.
/// `render` shows what all others return, and `guard` judges by the policy that `project` holds. Modules that do not exist
/// yet have their place all the same.
const ORDER: &[&str] = &[
    "model",
    "problem",
    "schema",
    "codec",
    "change",
    "quirk",
    "description",
    "files",
    "project",
    "deployment",
    "repository",
    "check",
    "plan",
    "compare",
    "guard",
    "receipt",
    "restore",
    "journal",
    "api",
    "ledger",
    "lock",
    "memory",
    "live",
    "facts",
    "apply",
    "export",
    "archive",
    "storage",
    "users",
    "render",
    "sandbox",
    "flow",
    "cli",
];

/// Values in, values out: no network, clock, environment or disk.
const PURE: &[&str] = &[
    "model",
    "problem",
    "schema",
    "codec",
    "change",
    "quirk",
    "description",
    "deployment",
    "check",
    "plan",
    "compare",
    "guard",
    "receipt",
    "restore",
    "render",
];

/// What a pure module does not name.
const OUTSIDE: &[&str] = &[
    "tokio",
    "reqwest",
    "std::fs",
    "std::env",
    "std::net",
    "std::process",
    "std::io",
    "SystemTime",
    "Instant",
    "Timestamp::now",
    "Zoned::now",
];

/// What a pure module names all the same, and why that is harmless.
const HARMLESS: &[(&str, &str, &str)] = &[];

/// What the sandbox may use: it proves the rest wrong, so it shares nothing that could be wrong in the same way.
const SANDBOX_MAY_USE: &[&str] = &["model", "problem", "sandbox"];

/// Modules that may know single kinds: their quirks, the simulator, the rules of deleting, and paths of the API.
const KNOW_KINDS: &[&str] = &["quirk", "sandbox", "guard", "lock", "memory", "ledger", "facts", "api", "users"];

/// Files that name a kind although no schema can take that away from them: file, word, why.
const NAMES_KINDS: &[(&str, &str, &str)] = &[
    ("description/layout/known.rs", "*", "folders of auth0-deploy-cli, of kinds without a schema too"),
    ("description/layout/single.rs", "prompts", "a member of the single file that a kind spreads over"),
    ("description/layout/claim.rs", "connections", "auth0-deploy-cli lets this one folder be renamed"),
    ("description/layout/claim.rs", "tenant", "`tenant.yaml` is the single file in both layouts"),
    ("description/filter.rs", "clients", "AUTH0_EXCLUDE_THIRD_PARTY_CLIENTS"),
    ("export/lay.rs", "tenant", "`tenant.yaml` is the single file in both layouts"),
    ("schema/docs.rs", "tenant", "`tenant.yaml` is the single file in both layouts"),
    ("project/deploy_cli.rs", "*", "AUTH0_EXCLUDED_CLIENTS and its like"),
    ("project/settings.rs", "connections", "AUTH0_INCLUDED_CONNECTIONS"),
];

/// Most lines of a file, tests included.
const MOST_LINES: usize = 600;

/// Files that are longer and wait to be divided: the list may only become shorter.
const LONGER: &[&str] = &[];

struct Source {
    /// Path below `src/`, with `/`.
    name: String,
    text: String,
    /// Without comments, literals and tests.
    code: String,
    /// Texts in quotes outside tests.
    literals: Vec<String>,
    /// It is compiled for tests alone.
    is_test: bool,
}

impl Source {
    fn module(&self) -> &str {
        let first = self.name.split('/').next().unwrap();
        first.strip_suffix(".rs").unwrap_or(first)
    }
}

/// Returns the files and folders of modules that are compiled for tests alone: `#[cfg(test)] mod x;`.
fn test_modules(name: &str, text: &str) -> Vec<String> {
    let (folder, file) = name.rsplit_once('/').unwrap_or(("", name));
    let inner = match file {
        "mod.rs" | "lib.rs" => folder.to_owned(),
        other => format!("{folder}/{}", other.trim_end_matches(".rs")),
    };
    let mut out = Vec::new();
    for (at, mark) in text.match_indices("#[cfg(test)]\n") {
        let item = text[at + mark.len()..].lines().next().unwrap_or_default().trim();
        if let Some(module) =
            item.trim_start_matches("pub(crate) ").strip_prefix("mod ").and_then(|m| m.strip_suffix(';'))
        {
            out.push(format!("{inner}/{module}.rs").trim_start_matches('/').to_owned());
            out.push(format!("{inner}/{module}/").trim_start_matches('/').to_owned());
        }
    }
    out
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn sources() -> Vec<Source> {
    fn walk(folder: &Path, out: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, out);
            } else if path.extension().is_some_and(|e| e == "rs") {
                out.push(path);
            }
        }
    }
    let src = root().join("src");
    let mut paths = Vec::new();
    walk(&src, &mut paths);
    paths.sort();
    assert!(paths.len() > 50, "src was not found");
    let name_of = |path: &Path| path.strip_prefix(&src).unwrap().to_string_lossy().replace('\\', "/");
    let texts: Vec<(String, String)> =
        paths.iter().map(|path| (name_of(path), std::fs::read_to_string(path).unwrap())).collect();
    let tests: Vec<String> = texts.iter().flat_map(|(name, text)| test_modules(name, text)).collect();
    let sources = texts.into_iter().map(|(name, text)| {
        let is_test = tests.iter().any(|test| name == *test || (test.ends_with('/') && name.starts_with(test)));
        let tokens = without_tests(tokens(&text));
        let code = tokens.iter().filter_map(|t| if let Token::Code(c) = t { Some(*c) } else { None }).collect();
        let literals =
            tokens.iter().filter_map(|t| if let Token::Text(t) = t { Some(t.clone()) } else { None }).collect();
        Source { name, text, code, literals, is_test }
    });
    sources.collect()
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Code(char),
    Text(String),
}

/// Takes comments out and literals apart.
fn tokens(text: &str) -> Vec<Token> {
    let chars: Vec<char> = text.chars().collect();
    let at = |n: usize| chars.get(n).copied().unwrap_or('\0');
    let mut out = Vec::new();
    let mut n = 0;
    while n < chars.len() {
        let before = if n == 0 { ' ' } else { at(n - 1) };
        let word = before.is_alphanumeric() || before == '_';
        match at(n) {
            '/' if at(n + 1) == '/' => {
                while n < chars.len() && at(n) != '\n' {
                    n += 1;
                }
            }
            '/' if at(n + 1) == '*' => {
                n += 2;
                while n < chars.len() && !(at(n) == '*' && at(n + 1) == '/') {
                    n += 1;
                }
                n += 2;
            }
            'r' if !word && (at(n + 1) == '"' || at(n + 1) == '#') => {
                let hashes = (n + 1..).take_while(|m| at(*m) == '#').count();
                if at(n + 1 + hashes) != '"' {
                    out.push(Token::Code('r'));
                    n += 1;
                    continue;
                }
                let start = n + 2 + hashes;
                let closes = |m: usize| at(m) == '"' && (1..=hashes).all(|h| at(m + h) == '#');
                let end = (start..chars.len()).find(|m| closes(*m)).unwrap_or(chars.len());
                out.push(Token::Text(chars[start..end].iter().collect()));
                n = end + 1 + hashes;
            }
            '"' => {
                let mut literal = String::new();
                n += 1;
                while n < chars.len() && at(n) != '"' {
                    if at(n) == '\\' {
                        n += 1;
                    }
                    literal.push(at(n));
                    n += 1;
                }
                n += 1;
                out.push(Token::Text(literal));
            }
            '\'' if at(n + 1) == '\\' => {
                n += 3;
                while n < chars.len() && at(n) != '\'' {
                    n += 1;
                }
                n += 1;
            }
            '\'' if at(n + 2) == '\'' => n += 3,
            other => {
                out.push(Token::Code(other));
                n += 1;
            }
        }
    }
    out
}

/// Takes out every item under `#[cfg(test)]`.
fn without_tests(tokens: Vec<Token>) -> Vec<Token> {
    let mark: Vec<Token> = "#[cfg(test)]".chars().map(Token::Code).collect();
    let mut out = Vec::new();
    let mut n = 0;
    while n < tokens.len() {
        if !tokens[n..].starts_with(&mark) {
            out.push(tokens[n].clone());
            n += 1;
            continue;
        }
        n += mark.len();
        let mut depth = 0;
        while n < tokens.len() {
            match tokens[n] {
                Token::Code('{') => depth += 1,
                Token::Code('}') if depth == 1 => break,
                Token::Code('}') => depth -= 1,
                Token::Code(';') if depth == 0 => break,
                _ => {}
            }
            n += 1;
        }
        n += 1;
    }
    out
}

/// Returns the modules of the crate that code names: `crate::x`, and each `x` of `crate::{x, …}`.
fn used(code: &str) -> BTreeSet<String> {
    let word = |text: &str| -> String { text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect() };
    let mut out = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        if code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$') {
            continue;
        }
        let rest = &code[at + "crate::".len()..];
        let Some(group) = rest.strip_prefix('{') else {
            out.insert(word(rest));
            continue;
        };
        let mut depth = 0;
        let mut item = String::new();
        for c in group.chars() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    out.insert(word(item.trim()));
                    item.clear();
                    continue;
                }
                _ => {}
            }
            item.push(c);
        }
        out.insert(word(item.trim()));
    }
    out.remove("");
    out
}

fn none(broken: &[String]) {
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

#[test]
fn the_reader_of_this_test_reads() {
    let text = r##"
        use crate::{model::{Path, Value}, plan};
        // use crate::cli;
        fn f<'a>(x: &'a str) -> char { let _ = ("crate::api", r#"x "quoted" crate::live"#, '"', '\''); crate::flow::go() }
        #[cfg(test)]
        mod tests { fn g() { crate::sandbox::start("}") } }
        fn h() { crate::guard::x() }
    "##;
    let tokens = without_tests(tokens(text));
    let code: String = tokens.iter().filter_map(|t| if let Token::Code(c) = t { Some(*c) } else { None }).collect();
    assert_eq!(used(&code).into_iter().collect::<Vec<_>>(), ["flow", "guard", "model", "plan"]);
    let texts: Vec<&Token> = tokens.iter().filter(|t| matches!(t, Token::Text(_))).collect();
    assert_eq!(texts.len(), 2, "{texts:?}");
}

#[test]
fn modules_use_those_above_them_only() {
    let place = |module: &str| ORDER.iter().position(|m| *m == module);
    let mut broken = Vec::new();
    for source in sources().iter().filter(|s| !s.is_test && s.name != "lib.rs" && s.name != "main.rs") {
        let Some(own) = place(source.module()) else {
            broken.push(format!("{}: `{}` has no place in the order", source.name, source.module()));
            continue;
        };
        for module in used(&source.code) {
            match place(&module) {
                Some(other) if other > own => {
                    broken.push(format!("{}: `{}` is below `{}`", source.name, module, source.module()));
                }
                Some(_) => {}
                None => broken.push(format!("{}: `{module}` has no place in the order", source.name)),
            }
        }
    }
    none(&broken);
}

#[test]
fn pure_modules_touch_nothing_outside() {
    let mut broken = Vec::new();
    for source in sources().iter().filter(|s| !s.is_test && PURE.contains(&s.module())) {
        for outside in OUTSIDE.iter().filter(|o| source.code.contains(**o)) {
            if !HARMLESS.iter().any(|(file, what, _)| *file == source.name && what == outside) {
                broken.push(format!("{}: names `{outside}`", source.name));
            }
        }
    }
    none(&broken);
}

#[test]
fn the_sandbox_shares_no_knowledge() {
    let mut broken = Vec::new();
    for source in sources().iter().filter(|s| !s.is_test && s.module() == "sandbox") {
        for module in used(&source.code).iter().filter(|m| !SANDBOX_MAY_USE.contains(&m.as_str())) {
            broken.push(format!("{}: uses `{module}`", source.name));
        }
    }
    none(&broken);
}

#[test]
fn code_matches_on_no_kind() {
    let kinds: BTreeSet<&str> = Registry::get().names().collect();
    let sources = sources();
    let mut found: BTreeMap<(String, String), usize> = BTreeMap::new();
    for source in sources.iter().filter(|s| !s.is_test && !KNOW_KINDS.contains(&s.module())) {
        for literal in source.literals.iter().filter(|l| kinds.contains(l.as_str())) {
            *found.entry((source.name.clone(), literal.clone())).or_default() += 1;
        }
    }
    let allowed = |file: &str, word: &str| NAMES_KINDS.iter().any(|(f, w, _)| *f == file && (*w == "*" || *w == word));
    let broken: Vec<String> = found
        .keys()
        .filter(|(file, word)| !allowed(file, word))
        .map(|(file, word)| format!("{file}: names the kind `{word}`: a schema or a quirk should say it"))
        .collect();
    none(&broken);
    let stale: Vec<String> = NAMES_KINDS
        .iter()
        .filter(|(file, word, _)| !found.keys().any(|(f, w)| f == file && (*word == "*" || w == word)))
        .map(|(file, word, _)| format!("{file} no longer names `{word}`: take it off the list"))
        .collect();
    none(&stale);
}

#[test]
fn files_stay_short() {
    let mut broken = Vec::new();
    for source in sources() {
        let (lines, listed) = (source.text.lines().count(), LONGER.contains(&source.name.as_str()));
        if lines > MOST_LINES && !listed {
            broken.push(format!("{}: {lines} lines, at most {MOST_LINES}", source.name));
        }
        if lines <= MOST_LINES && listed {
            broken.push(format!("{}: {lines} lines: take it off the list of longer files", source.name));
        }
    }
    none(&broken);
}

#[tokio::test]
async fn every_kind_has_an_example_and_a_page() {
    let directory = root().join("tenants").join("travel0");
    let around = Surroundings { directory, env: BTreeMap::new() };
    let flags = Flags { environment: Some("sandbox".to_owned()), ..Flags::default() };
    let loaded = load_settings(&flags, &around).unwrap_or_else(|failed| panic!("{:?}", failed.problems));
    let description = load_description(&loaded.settings, &around, Secrets::Leave).await.unwrap();
    let errors: Vec<String> =
        description.problems.iter().filter(|p| p.is_error()).map(|p| format!("{}: {}", p.id, p.title)).collect();
    none(&errors);
    let desired = &description.outcome.desired;
    let pages = std::fs::read_to_string(root().join("docs").join("kinds.md")).unwrap();
    let mut broken = Vec::new();
    for spec in Registry::get().kinds() {
        if desired.kinds.get(&spec.name).is_none_or(|described| described.resources.is_empty()) {
            broken.push(format!("tenants/travel0 has no example of `{}`", spec.name));
        }
        if !pages.lines().any(|line| line == format!("## {}", spec.name)) {
            broken.push(format!("docs/kinds.md has no section on `{}`", spec.name));
        }
    }
    none(&broken);
}
