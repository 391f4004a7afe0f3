//! Members of an object that the directory layout keeps in files of their own.

use std::path::PathBuf;

use super::lay::Writer;
use super::name::part;
use super::text::{Out, json, marker_in};
use crate::description::layout::{PIECES, PieceHome, join, parent};
use crate::problem::Problem;

impl Writer<'_> {
    /// Writes one object, of which some members have files of their own.
    pub(super) fn gathered(&mut self, path: &str, mut members: Vec<(String, Out)>) {
        let folder = parent(path);
        for piece in PIECES.iter().filter(|piece| piece.folder == folder) {
            let Some(at) = members.iter().position(|(name, _)| name == piece.member) else { continue };
            let is_whole = match (&piece.home, members.get(at)) {
                (PieceHome::List(_), Some((_, Out::List(items)))) => !items.is_empty(),
                (PieceHome::Screens(_) | PieceHome::Partials(_), Some((_, Out::Object(prompts)))) => {
                    !prompts.is_empty()
                }
                (PieceHome::File(_), Some(_)) => true,
                _ => false,
            };
            if !is_whole {
                continue;
            }
            let (_, value) = members.remove(at);
            match (&piece.home, value) {
                (PieceHome::List(name), Out::List(items)) => self.list_piece(&join(folder, name), &items),
                (PieceHome::Screens(name), Out::Object(prompts)) => self.screens(&join(folder, name), prompts),
                (PieceHome::Partials(name), Out::Object(prompts)) => self.partials(folder, name, prompts),
                (PieceHome::File(name), value) => self.file(&join(folder, name), &value),
                _ => {}
            }
        }
        if !members.is_empty() {
            self.file(path, &Out::Object(members));
        }
    }

    fn list_piece(&mut self, folder: &str, items: &[Out]) {
        for item in items {
            let name = match item {
                Out::Object(members) => {
                    members.iter().find_map(|(_, value)| if let Out::Text(text) = value { Some(text) } else { None })
                }
                _ => None,
            };
            let name = name.map_or_else(|| "undefined".to_owned(), |name| part(name));
            let path = self.free(&join(folder, &name), "", "", &json(item));
            self.file(&path, item);
        }
    }

    /// Writes which snippets stand in which files, and these.
    fn partials(&mut self, folder: &str, name: &str, prompts: Vec<(String, Out)>) {
        let mut list = Vec::new();
        for (prompt, screens) in prompts {
            let mut by_screen = Vec::new();
            for (screen, points) in members_of(screens) {
                let mut items = Vec::new();
                for (point, text) in members_of(points) {
                    let template = match text {
                        Out::Text(text) if !text.is_empty() => {
                            let parts = [prompt.as_str(), &screen, &point].map(part);
                            Out::Text(self.partial(folder, &format!("{name}/{}", parts.join("/")), &text))
                        }
                        other => other,
                    };
                    items.push(Out::Object(vec![
                        ("name".to_owned(), Out::Text(point)),
                        ("template".to_owned(), template),
                    ]));
                }
                by_screen.push(Out::Object(vec![(screen, Out::List(items))]));
            }
            list.push((prompt, Out::List(by_screen)));
        }
        self.file(&join(folder, name), &Out::Object(list));
    }

    /// Writes one snippet and returns its path below the kind's folder.
    fn partial(&mut self, folder: &str, path: &str, text: &str) -> String {
        if let Some(found) = marker_in(text) {
            self.marker(path, found);
        }
        if text.trim() != text {
            let title = format!("white space around the snippet {path} is not kept");
            self.report.push(Problem::warning("export-trimmed", title));
        }
        let full = self.free(&join(folder, path), ".liquid", "", path);
        self.files.insert(PathBuf::from(&full), text.to_owned());
        full.strip_prefix(&format!("{folder}/")).map_or(full.clone(), str::to_owned)
    }

    /// Writes a file per screen, which says which it is.
    fn screens(&mut self, folder: &str, prompts: Vec<(String, Out)>) {
        for (prompt, screens) in prompts {
            let Out::Object(screens) = screens else { continue };
            for (screen, settings) in screens {
                let Out::Object(settings) = settings else { continue };
                let name = part(&format!("{prompt}_{screen}"));
                let mut members =
                    vec![("prompt".to_owned(), Out::Text(prompt.clone())), ("screen".to_owned(), Out::Text(screen))];
                members.extend(settings);
                self.file(&join(folder, &name), &Out::Object(members));
            }
        }
    }
}

fn members_of(value: Out) -> Vec<(String, Out)> {
    if let Out::Object(members) = value { members } else { Vec::new() }
}
