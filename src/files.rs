//! Files: a description's tree into memory, and atomic writes.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use crate::description::MAX_FILE_BYTES;
use crate::description::layout::{FileState, Tree};
use crate::model::Locus;
use crate::problem::Problem;

mod together;

pub use together::{Together, write_together};

/// Folders that are never part of a description, beside those whose name starts with a dot.
const NEVER: [&str; 3] = ["node_modules", "target", "vendor"];

/// Extensions that are read at once; other files are read when something names them.
const READ_AT_ONCE: [&str; 9] = ["json", "yaml", "yml", "js", "html", "liquid", "css", "pem", "txt"];

/// Most that is read at once, in bytes; the rest is read when something names it.
const MOST_BYTES_AT_ONCE: u64 = 128 * 1024 * 1024;

/// Deepest folder that is looked into.
const DEEPEST: usize = 16;

/// A write beyond the limit on a file's size (`ulimit -f`) ends a process by a signal, unless somebody listens to it; then the
/// write fails, and can be reported. Needs the runtime.
#[cfg(unix)]
pub fn survive_limits() {
    use tokio::signal::unix::{SignalKind, signal};
    /// `SIGXFSZ` on Linux and macOS.
    const FILE_SIZE: i32 = 25;
    // Without it the signal ends the process as it always did; a journal shows where.
    let _ = signal(SignalKind::from_raw(FILE_SIZE));
}

/// A write beyond the limit on a file's size fails by itself here.
#[cfg(not(unix))]
pub fn survive_limits() {}

/// A description found on a disk, or in a commit.
#[derive(Debug)]
pub struct DescriptionFiles {
    /// Its files.
    pub tree: Tree,
    /// The single YAML file, where a file and no folder was named.
    pub single: Option<String>,
    canonical: PathBuf,
    behind: Arc<dyn Behind>,
}

/// Where a description's files come from.
pub trait Behind: std::fmt::Debug + Send + Sync {
    /// Reads a file; paths are those of [`Tree`].
    fn read(&self, path: &str) -> FileState;
}

/// The disk, below a folder.
#[derive(Debug)]
struct Disk {
    root: PathBuf,
}

impl Behind for Disk {
    fn read(&self, path: &str) -> FileState {
        let on_disk = if path.starts_with('/') { PathBuf::from(path) } else { self.root.join(path) };
        match fs::metadata(&on_disk) {
            Ok(metadata) if metadata.is_file() => read_file(&on_disk, metadata.len()),
            Ok(_) => FileState::Absent,
            Err(error) if error.kind() == io::ErrorKind::NotFound => FileState::Absent,
            Err(error) => FileState::Unreadable(why(&error)),
        }
    }
}

/// Says whether a folder of this name may hold files of a description.
pub fn is_looked_into(name: &str) -> bool {
    !name.starts_with('.') && !NEVER.contains(&name)
}

/// Says whether a file at this path, relative with `/`, may be part of a description.
pub fn may_describe(path: &str) -> bool {
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    READ_AT_ONCE.contains(&extension) && folders.split('/').all(|folder| folder.is_empty() || is_looked_into(folder))
}

/// Finds the description at `path`, a folder or a YAML file. `base` is what paths in that file are relative to, where it is not its
/// folder; `directory` the working directory, for showing paths.
///
/// # Errors
///
/// `missing-description`, `unreadable-file`.
pub fn find_description(path: &Path, base: Option<&Path>, directory: &Path) -> Result<DescriptionFiles, Problem> {
    let metadata = fs::metadata(path).map_err(|error| {
        let title = format!("the description {} cannot be found: {}", shown(path, directory), why(&error));
        Problem::error("missing-description", title).help("check the path given with -i or `description`")
    })?;
    let (root, single) = if metadata.is_dir() {
        (path.to_path_buf(), None)
    } else {
        let folder = path.parent().unwrap_or(Path::new("")).to_path_buf();
        let root = base.map(Path::to_path_buf).unwrap_or(folder);
        let name = relative(path, &root);
        (root, Some(name))
    };
    let canonical = fs::canonicalize(&root).map_err(|error| unreadable(&root, directory, &error))?;
    let prefix = shown(&root, directory);
    let mut tree = Tree::new(if prefix == "." { "" } else { &prefix });
    let mut budget = MOST_BYTES_AT_ONCE;
    walk(&mut tree, &root, &canonical, "", 0, &mut budget);
    let mut files = DescriptionFiles { tree, single, canonical, behind: Arc::new(Disk { root }) };
    files.read_single();
    Ok(files)
}

impl DescriptionFiles {
    /// A description whose files are not those on the disk; `folder` is where they would be.
    pub fn from_elsewhere(tree: Tree, single: Option<String>, folder: PathBuf, behind: Box<dyn Behind>) -> Self {
        let mut files = DescriptionFiles { tree, single, canonical: folder, behind: Arc::from(behind) };
        files.read_single();
        files
    }

    /// Returns the description as it would be with other content in some files, by path, and without others.
    #[must_use]
    pub fn with<'a>(
        &self,
        changed: impl IntoIterator<Item = (&'a str, &'a [u8])>,
        removed: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let mut tree = self.tree.clone();
        for (path, bytes) in changed {
            tree.insert(path, FileState::Read(Arc::from(bytes)));
        }
        for path in removed {
            tree.insert(path, FileState::Absent);
        }
        DescriptionFiles {
            tree,
            single: self.single.clone(),
            canonical: self.canonical.clone(),
            behind: Arc::clone(&self.behind),
        }
    }

    /// Reads files that a layout or a description wants. They are in the tree afterwards, if only as absent: asking again for the
    /// same file means there is nothing more to read.
    pub fn read(&mut self, wanted: &BTreeSet<String>) {
        for path in wanted {
            let state = self.behind.read(path);
            self.tree.insert(path, state);
        }
    }

    fn read_single(&mut self) {
        if let Some(single) = self.single.clone()
            && !matches!(self.tree.get(&single), Some(FileState::Read(_)))
        {
            self.read(&BTreeSet::from([single]));
        }
    }

    /// Returns the description's folder, without links.
    pub fn folder(&self) -> &Path {
        &self.canonical
    }
}

fn walk(tree: &mut Tree, folder: &Path, root: &Path, prefix: &str, depth: usize, budget: &mut u64) {
    let Ok(entries) = fs::read_dir(folder) else {
        tree.insert(prefix, FileState::Unreadable("the folder cannot be listed".to_owned()));
        return;
    };
    for entry in entries {
        let Ok(entry) = entry else {
            tree.insert(prefix, FileState::Unreadable("the folder cannot be listed".to_owned()));
            return;
        };
        // A name that is not Unicode can be named by no file of a description.
        let Ok(name) = entry.file_name().into_string() else { continue };
        let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}/{name}") };
        let on_disk = entry.path();
        let is_link = entry.file_type().is_ok_and(|kind| kind.is_symlink());
        let leaves = is_link && !fs::canonicalize(&on_disk).is_ok_and(|target| target.starts_with(root));
        match fs::metadata(&on_disk) {
            Err(error) if is_link && error.kind() == io::ErrorKind::NotFound => {
                tree.insert(&path, FileState::Unreadable("the link leads nowhere".to_owned()));
            }
            // A file that went away.
            Err(error) => tree.insert(&path, FileState::Unreadable(why(&error))),
            Ok(metadata) if metadata.is_dir() => {
                // A link to a folder may lead in circles; folders are followed only where they are.
                if !is_looked_into(&name) || is_link || depth >= DEEPEST {
                    continue;
                }
                tree.insert_folder(&path);
                walk(tree, &on_disk, root, &path, depth + 1, budget);
            }
            Ok(_) if leaves => tree.insert(&path, FileState::Outside),
            Ok(metadata) if metadata.is_file() => {
                let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
                let size = metadata.len();
                let state = if READ_AT_ONCE.contains(&extension) && size <= *budget {
                    *budget -= size;
                    read_file(&on_disk, size)
                } else {
                    FileState::Unread
                };
                tree.insert(&path, state);
            }
            // Pipes, sockets and devices are no files to read: opening one may wait for ever.
            Ok(_) => tree.insert(&path, FileState::Unreadable("it is not an ordinary file".to_owned())),
        }
    }
}

fn read_file(path: &Path, size: u64) -> FileState {
    if size > MAX_FILE_BYTES as u64 {
        return FileState::TooLarge(size);
    }
    match fs::read(path) {
        Ok(bytes) => FileState::Read(Arc::from(bytes)),
        Err(error) => FileState::Unreadable(why(&error)),
    }
}

/// Reads one text file that is no part of a description: the project file, a configuration, variables.
///
/// # Errors
///
/// `missing-file`, `unreadable-file`, `file-too-large`.
pub fn read_settings_file(path: &Path, directory: &Path) -> Result<(String, Vec<u8>), Problem> {
    let name = shown(path, directory);
    let locus = Locus::file(&name);
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(Problem::error("missing-file", format!("{name} is missing")).at(&locus))
        }
        Err(error) => Err(unreadable(path, directory, &error)),
        Ok(metadata) if metadata.len() > MAX_FILE_BYTES as u64 => {
            Err(Problem::error("file-too-large", "this file is larger than 16 MiB").at(&locus))
        }
        Ok(_) => fs::read(path).map(|bytes| (name, bytes)).map_err(|error| unreadable(path, directory, &error)),
    }
}

/// Who may read a file that is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Whoever the system lets.
    Usual,
    /// Its owner alone (0600).
    Owner,
}

/// Writes a file whole or not at all: into a new file beside it, flushed, then renamed over it. Missing folders are made.
///
/// # Errors
///
/// `unwritable-file`.
pub fn write_atomically(path: &Path, bytes: &[u8], access: Access) -> Result<(), Problem> {
    let run = || -> io::Result<()> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        // A link stays one: what it points at is replaced.
        let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
        let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut file = tempfile::Builder::new().prefix(".tenantry-").tempfile_in(folder)?;
        file.write_all(bytes)?;
        set_access(file.as_file(), &target, access)?;
        file.as_file().sync_all()?;
        file.persist(&target).map_err(|error| error.error)?;
        sync_folder(folder);
        Ok(())
    };
    run().map_err(|error| {
        let title = format!("{} cannot be written: {}", path.display(), why(&error));
        Problem::error("unwritable-file", title).at(&Locus::file(&path.display().to_string()))
    })
}

#[cfg(unix)]
fn set_access(file: &fs::File, target: &Path, access: Access) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    // New files of `tempfile` are 0600; what everyone may read has to be opened, as the file before it was.
    let mode = match access {
        Access::Owner => 0o600,
        Access::Usual => fs::metadata(target).map_or(0o644, |metadata| metadata.permissions().mode() & 0o777),
    };
    file.set_permissions(fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn set_access(_: &fs::File, _: &Path, _: Access) -> io::Result<()> {
    Ok(())
}

/// Makes a rename last over a power cut, where the system can. What it cannot is no error: the file is there.
fn sync_folder(folder: &Path) {
    if let Ok(folder) = fs::File::open(folder) {
        let _ = folder.sync_all();
    }
}

/// Shows a path: relative to the working directory where it lies below it.
pub fn shown(path: &Path, directory: &Path) -> String {
    let clean = |path: &Path| path.components().filter(|part| *part != Component::CurDir).collect::<PathBuf>();
    let path = clean(path);
    let relative = path.strip_prefix(clean(directory)).unwrap_or(&path);
    let text = relative.to_string_lossy().replace('\\', "/");
    if text.is_empty() { ".".to_owned() } else { text }
}

/// Returns `path` relative to `root`, with `../` where it has to be.
fn relative(path: &Path, root: &Path) -> String {
    let absolute = |path: &Path| fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let (path, root) = (
        absolute(path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new(".")))
            .join(path.file_name().unwrap_or_default()),
        absolute(if root.as_os_str().is_empty() { Path::new(".") } else { root }),
    );
    let shared = path.components().zip(root.components()).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n("..".to_owned(), root.components().count() - shared);
    let down = path.components().skip(shared).map(|part| part.as_os_str().to_string_lossy().into_owned());
    up.chain(down).collect::<Vec<_>>().join("/")
}

fn unreadable(path: &Path, directory: &Path, error: &io::Error) -> Problem {
    let name = shown(path, directory);
    Problem::error("unreadable-file", format!("{name} cannot be read: {}", why(error))).at(&Locus::file(&name))
}

/// Says what is wrong without the number the system has for it.
fn why(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file or folder".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        // The name of the file that is written first tells nobody anything.
        _ => error.to_string().split(" at path \"").next().unwrap_or_default().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn put(folder: &Path, path: &str, text: &str) {
        let file = folder.join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    #[test]
    fn reads_what_may_belong_to_a_description() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        put(root, "clients/a.json", "{}");
        put(root, ".git/config", "x");
        put(root, "node_modules/x/package.json", "{}");
        put(root, "logo.png", "x");
        fs::create_dir(root.join("roles")).unwrap();
        let mut files = find_description(root, None, root).unwrap();
        assert!(matches!(files.tree.get("clients/a.json"), Some(FileState::Read(_))));
        assert_eq!(files.tree.get("logo.png"), Some(&FileState::Unread));
        assert!(files.tree.has_folder("roles") && files.tree.get(".git/config").is_none());
        assert!(files.tree.get("node_modules/x/package.json").is_none());
        files.read(&BTreeSet::from(["logo.png".to_owned(), "../none.js".to_owned()]));
        assert!(matches!(files.tree.get("logo.png"), Some(FileState::Read(_))));
        assert_eq!(files.tree.get("../none.js"), Some(&FileState::Absent));
        assert_eq!(files.tree.shown("clients/a.json"), "clients/a.json");
    }

    #[test]
    fn a_large_file_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = fs::File::create(folder.path().join("tenant.json")).unwrap();
        file.set_len(MAX_FILE_BYTES as u64 + 1).unwrap();
        let files = find_description(folder.path(), None, folder.path()).unwrap();
        assert_eq!(files.tree.get("tenant.json"), Some(&FileState::TooLarge(MAX_FILE_BYTES as u64 + 1)));
    }

    #[cfg(unix)]
    #[test]
    fn links_stay_inside() {
        let outer = tempfile::tempdir().unwrap();
        put(outer.path(), "secret.json", "{}");
        let root = outer.path().join("d");
        put(&root, "clients/a.json", "{}");
        std::os::unix::fs::symlink("../../secret.json", root.join("clients/b.json")).unwrap();
        std::os::unix::fs::symlink("a.json", root.join("clients/c.json")).unwrap();
        std::os::unix::fs::symlink("nowhere", root.join("clients/e.json")).unwrap();
        std::os::unix::fs::symlink("..", root.join("clients/loop")).unwrap();
        let files = find_description(&root, None, &root).unwrap();
        assert_eq!(files.tree.get("clients/b.json"), Some(&FileState::Outside));
        assert!(matches!(files.tree.get("clients/c.json"), Some(FileState::Read(_))));
        assert!(matches!(files.tree.get("clients/e.json"), Some(FileState::Unreadable(_))));
        assert!(!files.tree.has_folder("clients/loop"));
    }

    #[test]
    fn a_single_file_has_its_folder_around_it() {
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), "t/tenant.yaml", "tenant: {}");
        put(folder.path(), "t/pages/login.html", "x");
        let path = folder.path().join("t/tenant.yaml");
        let files = find_description(&path, None, folder.path()).unwrap();
        assert_eq!(files.single.as_deref(), Some("tenant.yaml"));
        assert_eq!(files.tree.shown("pages/login.html"), "t/pages/login.html");
        let files = find_description(&path, Some(&folder.path().join("t/pages")), folder.path()).unwrap();
        assert_eq!(files.single.as_deref(), Some("../tenant.yaml"));
        assert_eq!(files.tree.read("../tenant.yaml").unwrap(), b"tenant: {}");
        assert_eq!(files.tree.shown("../tenant.yaml"), "t/tenant.yaml");
    }

    #[test]
    fn a_description_that_is_not_there_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let problem = find_description(&folder.path().join("x"), None, folder.path()).unwrap_err();
        assert_eq!(
            problem.to_string(),
            "[missing-description]: the description x cannot be found: there is no such file or folder"
        );
    }

    #[test]
    fn writes_replace_the_whole_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b/state.json");
        write_atomically(&path, b"one", Access::Owner).unwrap();
        write_atomically(&path, b"two", Access::Owner).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "nothing is left beside it");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
            let usual = folder.path().join("c.yaml");
            write_atomically(&usual, b"x", Access::Usual).unwrap();
            assert_eq!(fs::metadata(&usual).unwrap().permissions().mode() & 0o777, 0o644);
        }
        let blocked = folder.path().join("a/b/state.json/x");
        assert_eq!(write_atomically(&blocked, b"x", Access::Usual).unwrap_err().id, "unwritable-file");
    }
}
