//! Reads one side of a comparison.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use indexmap::IndexMap;

use super::named::Named;
use crate::archive::Unseal;
use crate::codec::Names;
use crate::compare::{Places, Side, as_described};
use crate::deployment::canonical_domain;
use crate::description::{has_errors, markers_in};
use crate::export::{self, ExportOptions};
use crate::flow::backup::unread;
use crate::flow::restore::{Opened, described, in_memory, literal};
use crate::flow::then::{CheckedOut, described_at};
use crate::flow::{Failed, Request, Session};
use crate::live::{Reach, read};
use crate::model::{Desired, Live, LiveKind, Locus, Sources};
use crate::plan;
use crate::problem::Problem;
use crate::project::{
    LoadedDescription, Mode, Secrets, Settings, Surroundings, find_project_file, load_description, load_project_file,
    load_settings,
};
use crate::repository::Repository;
use crate::schema::Registry;

/// Which description a side is rendered from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// The files of now.
    Now,
    /// Those of a commit, by its full id.
    Commit(String),
    /// Others.
    Path(PathBuf),
}

/// A tenant as a backup has it.
pub(super) struct Kept {
    /// Its resources.
    desired: Desired,
    /// What could not be read, and why.
    unread: Vec<(String, String)>,
    /// Secrets that the API returns are in there.
    encrypted: bool,
}

/// One side, read as far as files go.
pub(super) struct Read {
    /// As it was named.
    pub(super) text: String,
    /// What it is, in words.
    pub(super) what: String,
    /// Its environment, where it has one whose variables can explain anything.
    pub(super) environment: Option<String>,
    pub(super) settings: Settings,
    pub(super) place: Place,
    /// The description: of a live side, what its environment asks for.
    pub(super) loaded: Option<LoadedDescription>,
    /// It is the tenant that is compared.
    pub(super) is_live: bool,
    /// The tenant, once it was read.
    pub(super) live: Option<(Live, Names)>,
    /// The tenant as a backup has it.
    pub(super) kept: Option<Kept>,
    /// Domain of the tenant, where it is not that of the settings.
    domain: Option<String>,
    pub(super) problems: Vec<Problem>,
    request: Request,
    around: Surroundings,
    _files: Option<CheckedOut>,
}

impl Read {
    /// Reads the files of a side.
    ///
    /// # Errors
    ///
    /// Those of its settings, its repository, its description.
    pub(super) async fn files(text: &str, named: &Named, request: &Request, key: &Arc<Unseal>) -> Result<Read, Failed> {
        if let Named::Backup(file) = named {
            return Read::backup(file, request, key).await;
        }
        let mut request = request.clone();
        let chosen = request.flags.environment.clone();
        match named {
            Named::Environment(name) | Named::Commit(Some(name), _) | Named::Live(Some(name)) => {
                request.flags.environment = Some(name.clone());
            }
            Named::Path(path) => request.flags.input = Some(path.clone()),
            Named::Commit(None, _) | Named::Live(None) | Named::Backup(_) => {}
        }
        let is_path = matches!(named, Named::Path(_));
        let project = find_project_file(&request.around.directory).filter(|_| request.flags.config.is_none());
        let bare = is_path && chosen.is_none() && project.is_some();
        if let (true, Some(project)) = (bare, &project) {
            // Any of them: what it says of its own is taken out again.
            let file = load_project_file(project, &request.around)?;
            request.flags.environment = file.environments.keys().next().cloned();
        }
        let loaded = load_settings(&request.flags, &request.around)?;
        let mut settings = loaded.settings;
        let sources = loaded.sources;
        if let (true, Some(project)) = (bare, &project) {
            let file = load_project_file(project, &request.around)?;
            let mut values = file.variables;
            let given = request.flags.variables.iter();
            values.extend(given.map(|(name, value)| (name.clone(), serde_json::Value::String(value.clone()))));
            settings.values.values = values;
            settings.values.elsewhere.clear();
            settings.secrets.clear();
            settings.filters = Default::default();
            settings.target = None;
        }
        let in_project = settings.mode == Mode::Project && !bare;
        let mut out = Read {
            text: text.to_owned(),
            what: String::new(),
            environment: in_project.then(|| settings.environment.clone()),
            place: Place::Now,
            loaded: None,
            is_live: matches!(named, Named::Live(_)),
            live: None,
            kept: None,
            domain: None,
            problems: loaded.warnings,
            around: request.around.clone(),
            request,
            settings,
            _files: None,
        };
        match named {
            Named::Commit(_, commit) => out.then(commit).await.map_err(|p| Failed::one(p, sources.clone()))?,
            Named::Backup(_) => {}
            Named::Live(_) => out.live_what(),
            Named::Environment(name) => out.what = format!("the description with the variables of {name}"),
            Named::Path(path) => {
                let name = crate::files::shown(path, &out.around.directory);
                out.place = Place::Path(path.clone());
                out.what = match (&out.environment, bare) {
                    (Some(environment), _) => format!("the description in {name} with the variables of {environment}"),
                    (None, true) => format!("the description in {name}, of no environment"),
                    (None, false) => format!("the description in {name}"),
                };
            }
        }
        if out.loaded.is_none() {
            out.describe(bare, sources).await?;
        }
        Ok(out)
    }

    /// Reads a backup. Its environment is that of the project with the name it was made under.
    async fn backup(file: &str, request: &Request, key: &Arc<Unseal>) -> Result<Read, Failed> {
        let at = |problem: Problem| {
            let problem = if problem.labels.is_empty() { problem.at(&Locus::file(file)) } else { problem };
            Failed::one(problem, Sources::default())
        };
        let source = crate::storage::open(file, &request.around).await.map_err(at)?;
        let key = Arc::clone(key);
        let opened = tokio::task::spawn_blocking(move || Opened::read(source, &key)).await;
        let broke = |_| Err(Problem::error("archive-unreadable", "reading broke off"));
        let opened = opened.unwrap_or_else(broke).map_err(at)?;
        let header = &opened.header;
        let known = environments(request)?.contains(&header.environment);
        let mut out = if known {
            let named = Named::Live(Some(header.environment.clone()));
            Box::pin(Read::files(file, &named, request, &Arc::new(Unseal::none()))).await?
        } else {
            Read::nowhere(file, request)?
        };
        let settings = out.settings.clone();
        let read = described(&opened, settings, request, Secrets::Leave, &Default::default()).await?;
        let unread = opened.contents.unread.iter().map(|unread| (unread.what.clone(), unread.why.clone()));
        out.kept = Some(Kept { desired: read.desired, unread: unread.collect(), encrypted: header.encrypted });
        out.is_live = true;
        out.domain = Some(canonical_domain(&header.domain));
        let when = header.started.strftime("%Y-%m-%d %H:%M UTC");
        out.what = format!("the tenant {} as it was kept on {when}", header.domain);
        Ok(out)
    }

    /// A side of no environment and without a description.
    fn nowhere(text: &str, request: &Request) -> Result<Read, Failed> {
        let mut request = request.clone();
        let project = find_project_file(&request.around.directory).filter(|_| request.flags.config.is_none());
        if let (Some(project), None) = (&project, &request.flags.environment) {
            request.flags.environment =
                load_project_file(project, &request.around)?.environments.keys().next().cloned();
        }
        let loaded = load_settings(&request.flags, &request.around)?;
        let mut settings = loaded.settings;
        settings.filters = Default::default();
        settings.target = None;
        settings.sandbox = None;
        Ok(Read {
            text: text.to_owned(),
            what: String::new(),
            environment: None,
            place: Place::Now,
            loaded: None,
            is_live: true,
            live: None,
            kept: None,
            domain: None,
            problems: loaded.warnings,
            around: request.around.clone(),
            request,
            settings,
            _files: None,
        })
    }

    fn live_what(&mut self) {
        let domain = self.tenant_domain().unwrap_or_else(|| "no tenant".to_owned());
        self.what = format!("the tenant {domain}");
    }

    /// Takes the description of a commit.
    async fn then(&mut self, commit: &str) -> Result<(), Problem> {
        let repository = Repository::open(&self.settings.root)?.ok_or_else(|| {
            Problem::error("no-repository", "the description stands in no git repository, so it has no commits")
                .help("run it where the repository is")
        })?;
        let id = repository.commit(commit)?;
        let (files, settings, loaded) = described_at(&repository, commit, &self.settings, &self.request).await?;
        let short: String = id.chars().take(7).collect();
        self.what = match &self.environment {
            Some(name) => format!("the description of commit {short} with the variables that {name} had then"),
            None => format!("the description of commit {short}"),
        };
        self.around = files.around.clone();
        (self.settings, self.place, self.loaded, self._files) =
            (settings, Place::Commit(id), Some(loaded), Some(files));
        Ok(())
    }

    /// Reads the description; a tenant can do without one.
    async fn describe(&mut self, bare: bool, mut sources: Sources) -> Result<(), Failed> {
        let there = self.settings.description.as_ref().is_some_and(|path| path.exists());
        if self.is_live && !there {
            return Ok(());
        }
        let loaded = load_description(&self.settings, &self.around, Secrets::Ask).await;
        let mut loaded = loaded.map_err(|problem| Failed::one(problem, sources.clone()))?;
        // Nothing is going to be written by it.
        loaded.problems.retain(|problem| problem.id != "reference-not-described");
        self.problems.append(&mut loaded.problems);
        if has_errors(&self.problems) {
            sources.merge(loaded.sources);
            for problem in self.problems.iter_mut().filter(|problem| problem.is_error()) {
                let unset = bare && problem.id == "unset-variable";
                *problem = problem.clone().note(format!("found while reading `{}`", self.text));
                if unset {
                    *problem = problem.clone().help("add `-e ENV` to render it with the variables of an environment");
                }
            }
            return Err(Failed::new(std::mem::take(&mut self.problems), sources));
        }
        self.loaded = Some(loaded);
        Ok(())
    }

    /// Renders the description of another side with this side's variables; `None` where that does not hold.
    pub(super) async fn rendered(&self, other: &Read) -> Option<LoadedDescription> {
        let settings = Settings {
            description: other.settings.description.clone(),
            base_path: other.settings.base_path.clone(),
            ..self.settings.clone()
        };
        let loaded = load_description(&settings, &other.around, Secrets::Ask).await.ok()?;
        (!has_errors(&loaded.problems)).then_some(loaded)
    }

    /// Reads the tenant, as far as it is compared: what `speaks` describes, else everything that is managed.
    ///
    /// # Errors
    ///
    /// Those of the connection.
    pub(super) async fn tenant(&mut self, other: &Read) -> Result<(), Problem> {
        let registry = Registry::get();
        let session = Session::open(&self.settings, &self.request).await?;
        self.problems.extend(session.client.warnings());
        let found = match other.loaded.as_ref().filter(|_| !other.is_live) {
            Some(described) => {
                let mut all = described.outcome.desired.clone();
                if let Some(own) = &self.loaded {
                    // Whether it is as its own environment asks is looked at too.
                    for (name, kind) in &own.outcome.desired.kinds {
                        let known = all.kinds.entry(name.clone()).or_default();
                        known.resources.extend(kind.resources.iter().cloned());
                    }
                }
                read(&session.client, registry, Reach::Described(&all)).await
            }
            None => {
                let covered =
                    |kind: &&str| self.settings.filters.covers_kind(kind) || other.settings.filters.covers_kind(kind);
                let kinds: BTreeSet<String> = registry.names().filter(covered).map(str::to_owned).collect();
                read(&session.client, registry, Reach::Whole(&kinds)).await
            }
        };
        session.close().await;
        let found = found?;
        self.what = format!("the tenant {}", found.0.domain);
        if let Some(kept) = &other.kept {
            self.kept = Some(self.as_kept(&found.0, kept).await?);
        }
        self.live = Some(found);
        Ok(())
    }

    /// Takes down a tenant as a backup does. A backup leaves out what the server fills in: so both sides have to.
    async fn as_kept(&self, live: &Live, like: &Kept) -> Result<Kept, Problem> {
        let options = ExportOptions { ids: true, secrets: like.encrypted, ..ExportOptions::default() };
        let export = export::files(Registry::get(), live, &options);
        let named = export.files.iter().map(|(path, text)| (path.to_string_lossy().replace('\\', "/"), text));
        let found: Vec<(String, Arc<[u8]>)> = named.map(|(path, text)| (path, Arc::from(text.as_bytes()))).collect();
        let files = in_memory(found.iter().map(|(path, bytes)| (path.as_str(), Arc::clone(bytes))));
        let loaded = literal(files, &self.settings, &self.request, Secrets::Leave, &IndexMap::new()).await;
        if let Some(problem) = loaded.problems.into_iter().find(Problem::is_error) {
            return Err(problem);
        }
        let unread = unread(live).into_iter().map(|unread| (unread.what, unread.why)).collect();
        let mut desired = loaded.outcome.desired;
        for (kind, _) in live.kinds.iter().filter(|(_, found)| matches!(found, LiveKind::Read(_))) {
            desired.kinds.entry(kind.clone()).or_default();
        }
        Ok(Kept { desired, unread, encrypted: like.encrypted })
    }

    /// Makes what is compared of it.
    pub(super) fn side(&self, other: &Read) -> Side {
        if let Some(Kept { desired, unread, .. }) = &self.kept {
            let registry = Registry::get();
            let mut desired = desired.clone();
            self.complete(&mut desired, other);
            let filters = self.loaded.as_ref().map(|loaded| loaded.outcome.filters.clone()).unwrap_or_default();
            return Side::kept(registry, &desired, unread, filters);
        }
        match (&self.live, &self.loaded) {
            (Some((live, names)), loaded) if self.is_live => {
                let registry = Registry::get();
                let mut desired = as_described(live);
                // Nothing in a tenant refers to what is not there, but for what it hides.
                let _ = plan::complete(registry, &mut desired, live, names);
                let filters = loaded.as_ref().map_or(&self.settings.filters, |loaded| &loaded.outcome.filters);
                Side::live(registry, live, desired, filters.clone())
            }
            (_, Some(loaded)) => self.described(loaded, other),
            (_, None) => Side::described(&Desired::default(), Default::default(), Vec::new()),
        }
    }

    /// Makes a side of a description that was rendered for this side's environment.
    pub(super) fn described(&self, loaded: &LoadedDescription, other: &Read) -> Side {
        let mut desired = loaded.outcome.desired.clone();
        self.complete(&mut desired, other);
        Side::described(&desired, loaded.outcome.filters.clone(), loaded.outcome.left_alone.clone())
    }

    /// Brings resources into canonical form, by what is known of their tenant.
    fn complete(&self, desired: &mut Desired, other: &Read) {
        let same_tenant = self.same_tenant(other);
        let live = self.live.as_ref().or(other.live.as_ref().filter(|_| same_tenant));
        let none = (Live::default(), Names::default());
        let (live, names) = live.unwrap_or(&none);
        // What refers to nothing in another tenant differs there, which is what is asked.
        let _ = plan::complete(Registry::get(), desired, live, names);
    }

    /// Says whether both sides are about one tenant.
    pub(super) fn same_tenant(&self, other: &Read) -> bool {
        self.tenant_domain().is_some_and(|domain| other.tenant_domain().as_ref() == Some(&domain))
    }

    /// The canonical domain of the tenant it is of; `None` where it is of none.
    fn tenant_domain(&self) -> Option<String> {
        let of_settings = || match (&self.settings.sandbox, &self.settings.target) {
            (Some(sandbox), _) => Some(canonical_domain(&sandbox.domain)),
            (None, Some(target)) => Some(canonical_domain(&target.domain)),
            (None, None) => None,
        };
        self.domain.clone().or_else(of_settings)
    }

    /// Which variables stand where in the description.
    pub(super) fn places(&self) -> Places {
        let Some(loaded) = &self.loaded else { return Places::default() };
        let mut places = Places::of(&loaded.description);
        for path in &loaded.outcome.files {
            if let Ok(bytes) = loaded.files.tree.read(path) {
                let shown = loaded.files.tree.shown(path);
                places.side_file(&shown, markers_in(&shown, bytes, &loaded.variables));
            }
        }
        places
    }

    /// Takes the texts of its files.
    pub(super) fn sources(&mut self) -> Sources {
        self.loaded.as_mut().map(|loaded| std::mem::take(&mut loaded.sources)).unwrap_or_default()
    }

    /// Names that its environment has a value for, secrets as `secrets.NAME`.
    pub(super) fn names(&self) -> BTreeSet<String> {
        let secrets = self.settings.secrets.keys().map(|name| format!("secrets.{name}"));
        self.settings.values.values.keys().cloned().chain(secrets).collect()
    }
}

/// Names the environments of the project that holds for a folder.
///
/// # Errors
///
/// Those of the project file.
pub(super) fn environments(request: &Request) -> Result<Vec<String>, Failed> {
    let file: Option<PathBuf> = find_project_file(&request.around.directory).filter(|_| request.flags.config.is_none());
    match file.as_deref().map(|path: &Path| load_project_file(path, &request.around)) {
        Some(file) => Ok(file?.environments.into_keys().collect()),
        None => Ok(Vec::new()),
    }
}
