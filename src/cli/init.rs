//! `tenantry init`

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use rust_embed::Embed;

use super::exit_code::ExitCode;
use super::export::{Files, Layout};
use super::interrupt::Interrupt;
use super::plan::Shown;
use super::ui::Ui;
use super::{Ended, Global, failed};
use crate::export::{FileFormat, Format};
use crate::files::{Access, write_atomically};
use crate::flow::{self, BeginRequest, Failed};
use crate::model::{Locus, Sources};
use crate::problem::{Problem, Severity};
use crate::render::json::v1;
use crate::render::{self, plan_human};

/// Write a starter project
///
/// A small tenant with an application, an API, a grant and an action, and two environments: the sandbox and `dev`.
/// Overwrites nothing. With `--from`, the description is an export of a live tenant instead, and a plan of it shows that
/// nothing differs; the tenant is not written to.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Record the tenant as it is, so that the first plan tells change from drift; writes no file of the project
    #[arg(long, conflicts_with_all = ["folder", "name", "domain"])]
    baseline: bool,
    /// Write down the live tenant of this environment: one of the project file, or the first of a new one
    #[arg(long, value_name = "ENV", conflicts_with_all = ["baseline", "name"])]
    from: Option<String>,
    /// Layout of the description that --from writes
    #[arg(long, value_enum, default_value_t = Layout::Directory, requires = "from")]
    format: Layout,
    /// Format of the files that --from writes
    #[arg(long, value_enum, default_value_t = Files::Yaml, requires = "from")]
    files: Files,
    /// Folder to write into; made where it is missing
    #[arg(default_value = ".", value_name = "FOLDER")]
    folder: PathBuf,
    /// Name of the project; the folder's by default
    #[arg(long)]
    name: Option<String>,
    /// Domain of the tenant behind `dev`, or behind the environment of --from
    #[arg(long, value_name = "DOMAIN")]
    domain: Option<String>,
}

#[derive(Embed)]
#[folder = "templates/init/"]
struct Templates;

pub(super) async fn run(args: &Args, global: &Global, ui: &Ui, interrupt: &Interrupt) -> Ended {
    if args.baseline {
        return baseline(global, ui, interrupt).await;
    }
    if let Some(environment) = &args.from {
        return from(environment, args, global, ui, interrupt).await;
    }
    let written = match project(args).and_then(|files| write(&args.folder, &files)) {
        Ok(written) => written,
        Err(problems) => return failed(ui, &Failed { problems, sources: Sources::default() }),
    };
    if !ui.json {
        for file in &written {
            ui.tell(&format!("wrote {}\n", render::clean(&file.display().to_string())));
        }
        let folder = args.folder.display().to_string();
        let place = if folder == "." { String::new() } else { format!(" -C '{}'", render::clean(&folder)) };
        ui.tell(&format!("\nNext: tenantry{place} -e sandbox apply\n"));
    }
    Ok(ExitCode::Done)
}

/// Writes a live tenant down, and shows that a plan of it is empty.
async fn from(environment: &str, args: &Args, global: &Global, ui: &Ui, interrupt: &Interrupt) -> Ended {
    let base = global.request(&interrupt.token)?;
    let request = BeginRequest {
        folder: if args.folder == Path::new(".") {
            base.around.directory.clone()
        } else {
            base.around.directory.join(&args.folder)
        },
        base,
        environment: environment.to_owned(),
        domain: args.domain.clone(),
        format: Format::from(args.format),
        files: FileFormat::from(args.files),
    };
    let begun = match flow::begin(&request).await {
        Ok(begun) => begun,
        Err(failure) => return failed(ui, &failure),
    };
    let shown = Shown::new(&begun.planned);
    begun.planned.session.close().await;
    if ui.json {
        ui.answer(&v1::text(&v1::Plan::from(&shown.view())))?;
    } else {
        ui.problems(&begun.problems, &begun.sources);
        ui.tell(&format!("wrote {}\n\n", render::count(begun.files.len(), "file")));
        ui.answer(&plan_human(&shown.view(), &ui.out))?;
    }
    if shown.plan.has_changes() {
        let problem =
            Problem::error("export-differs", "the files do not say what the tenant has: a plan ought to be empty")
                .note("the files were written; nothing was written to the tenant")
                .help("please report this, with the plan above");
        ui.problems(&[problem], &Sources::default());
        return Ok(ExitCode::Error);
    }
    let partial = begun.problems.iter().any(|p| p.id == "export-unreadable" && p.severity != Severity::Note);
    Ok(if partial { ExitCode::Partial } else { ExitCode::Done })
}

/// Records the tenant as it is.
async fn baseline(global: &Global, ui: &Ui, interrupt: &Interrupt) -> Ended {
    let request = global.request(&interrupt.token)?;
    let actor = |past: &flow::Past| flow::actor(past, &request.around.env);
    let made = match flow::baseline(&request, &actor).await {
        Ok(made) => made,
        Err(failure) => return failed(ui, &failure),
    };
    ui.problems(&made.problems, &made.sources);
    let resources = render::count(made.resources, "resource");
    let absent = match made.absent {
        0 => String::new(),
        absent => format!("; {} described and not there", render::count(absent, "resource")),
    };
    ui.tell(&format!("Recorded {resources} as they are in {}{absent}.\n", render::clean(&made.place)));
    ui.tell("Next: tenantry plan\n");
    Ok(ExitCode::Done)
}

type File = (PathBuf, Vec<u8>);

/// Fills the templates.
fn project(args: &Args) -> Result<Vec<File>, Vec<Problem>> {
    let name = match &args.name {
        Some(name) => name.clone(),
        None => folder_name(&args.folder),
    };
    let sound = |text: &str, also: &str| {
        !text.is_empty()
            && text.chars().all(|c| c.is_alphanumeric() || also.contains(c))
            && !text.starts_with(['-', '.'])
    };
    if !sound(&name, "-_. ") {
        let problem = Problem::error("usage", format!("`{name}` cannot be the name of a project"));
        return Err(vec![problem.help("give one with letters, digits and hyphens: --name my-tenant")]);
    }
    let slug: String = name.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let domain = args.domain.clone().unwrap_or_else(|| format!("{}-dev.eu.auth0.com", slug.trim_matches('-')));
    if !sound(&domain, "-.") || !domain.contains('.') {
        let problem = Problem::error("usage", format!("`{domain}` is no domain"));
        return Err(vec![problem.help("give the tenant's domain: --domain my-tenant.eu.auth0.com")]);
    }
    let data = serde_json::json!({ "name": name, "domain": domain });
    let mut files: Vec<File> = Vec::new();
    let mut names: Vec<Cow<'static, str>> = Templates::iter().collect();
    names.sort();
    for name in names {
        let Some(file) = Templates::get(&name) else { continue };
        let target = if name == "gitignore" { ".gitignore" } else { name.trim_end_matches(".hbs") };
        let bytes = if name.ends_with(".hbs") { filled(&file.data, &data)? } else { file.data.into_owned() };
        files.push((PathBuf::from(target), bytes));
    }
    Ok(files)
}

/// The last part of a folder's path, as it will be.
fn folder_name(folder: &Path) -> String {
    let whole = std::path::absolute(folder).unwrap_or_else(|_| folder.to_path_buf());
    whole.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn filled(template: &[u8], data: &serde_json::Value) -> Result<Vec<u8>, Vec<Problem>> {
    let mut engine = handlebars::Handlebars::new();
    engine.set_strict_mode(true);
    engine.register_escape_fn(handlebars::no_escape);
    let text = engine.render_template(&String::from_utf8_lossy(template), data);
    let bug = |error: handlebars::RenderError| Problem::error("bug", format!("a template is broken: {error}"));
    text.map(String::into_bytes).map_err(|error| vec![bug(error).help("please report this")])
}

/// Writes every file, or none where one is there already.
fn write(folder: &Path, files: &[File]) -> Result<Vec<PathBuf>, Vec<Problem>> {
    let taken = files.iter().map(|(name, _)| folder.join(name)).filter(|path| path.symlink_metadata().is_ok());
    let problems: Vec<Problem> = taken
        .map(|path| {
            Problem::error("file-exists", "this file is there already, and init overwrites nothing")
                .at(&Locus::file(&path.display().to_string()))
        })
        .collect();
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut written = Vec::new();
    for (name, bytes) in files {
        let path = folder.join(name);
        write_atomically(&path, bytes, Access::Usual).map_err(|problem| vec![problem])?;
        written.push(path);
    }
    Ok(written)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn args(folder: &Path, name: Option<&str>, domain: Option<&str>) -> Args {
        Args {
            baseline: false,
            from: None,
            format: Layout::Directory,
            files: Files::Yaml,
            folder: folder.to_owned(),
            name: name.map(str::to_owned),
            domain: domain.map(str::to_owned),
        }
    }

    #[test]
    fn writes_a_project_once() {
        let folder = tempfile::tempdir().unwrap();
        let files = project(&args(folder.path(), Some("acme"), None)).unwrap();
        write(folder.path(), &files).unwrap();
        let text = std::fs::read_to_string(folder.path().join("tenantry.yaml")).unwrap();
        assert!(text.contains("domain: acme-dev.eu.auth0.com"), "{text}");
        assert!(!text.contains("{{"), "{text}");
        assert!(folder.path().join(".gitignore").is_file());
        let again = write(folder.path(), &files).unwrap_err();
        assert_eq!(again.len(), files.len());
    }

    #[test]
    fn one_file_in_the_way_stops_all() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("tenant.json"), "mine").unwrap();
        let files = project(&args(folder.path(), Some("acme"), None)).unwrap();
        assert_eq!(write(folder.path(), &files).unwrap_err().len(), 1);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn names_that_would_break_the_file_are_refused() {
        let here = Path::new("x");
        for name in ["", "a\"b", "a\nb", "-a", "{{x}}", "a: b"] {
            assert!(project(&args(here, Some(name), None)).is_err(), "{name}");
        }
        for domain in ["", "nodot", "a b.c", "x.eu.auth0.com/\n"] {
            assert!(project(&args(here, Some("a"), Some(domain))).is_err(), "{domain}");
        }
        assert!(project(&args(here, None, Some("x.eu.auth0.com"))).is_ok());
    }
}
