//! Pieces of a resource that the directory layout writes in another shape than the single file.

use std::collections::BTreeMap;

use super::directory::object_of;
use super::known::Piece;
use super::{ResourceNode, SideText};
use crate::description::node::{Member, Node, NodeMap, NodeValue, Text};
use crate::model::{Locus, Path};
use crate::problem::Problem;

/// Turns `prompt → [{screen → [{name, template}]}]` into `prompt → screen → name → path`, the shape of the single file.
///
/// Where a template is left out it is `partials/PROMPT/SCREEN/NAME.liquid` (auth0-deploy-cli 8.43 source).
pub(super) fn by_screen(node: Node, problems: &mut Vec<Problem>) -> Node {
    let NodeValue::Object(map) = node.value else {
        problems.push(wrong(&node, "an object of prompts"));
        return Node { value: NodeValue::Null, ..node };
    };
    let mut prompts: BTreeMap<String, Node> = BTreeMap::new();
    for Member { key, value, .. } in map.members {
        let prompt = key.as_written();
        let NodeValue::Array(screens) = value.value else {
            // It is written in the shape of the single file already.
            prompts.insert(prompt, value);
            continue;
        };
        let mut by_screen: BTreeMap<String, Node> = BTreeMap::new();
        for screen in screens {
            let NodeValue::Object(map) = screen.value else {
                problems.push(wrong(&screen, "an object with a screen"));
                continue;
            };
            for Member { key, value, .. } in map.members {
                let screen = key.as_written();
                let points = points(&prompt, &screen, value, problems);
                by_screen.insert(screen, points);
            }
        }
        let object = object_of(&value.locus, by_screen);
        prompts.insert(prompt, object);
    }
    object_of(&node.locus, prompts)
}

fn points(prompt: &str, screen: &str, node: Node, problems: &mut Vec<Problem>) -> Node {
    let NodeValue::Array(items) = &node.value else {
        problems.push(wrong(&node, "a list of `{name, template}`"));
        return node;
    };
    let mut points = BTreeMap::new();
    for item in items {
        let Some(name) = item.get("name").and_then(Node::as_str) else {
            problems.push(
                Problem::error("missing-field", "a partial needs a `name`: where it is put into the page")
                    .at(&item.locus),
            );
            continue;
        };
        let template = item.get("template").cloned().unwrap_or_else(|| Node {
            locus: item.locus.clone(),
            value: NodeValue::Text(Text::plain(format!("partials/{prompt}/{screen}/{name}.liquid"))),
        });
        points.insert(name.to_owned(), template);
    }
    object_of(&node.locus, points)
}

/// Returns where the paths stand in what [`by_screen`] made.
pub(super) fn texts(node: &Node, piece: &Piece) -> Vec<SideText> {
    let mut texts = Vec::new();
    let root = Path::root().key(piece.member);
    let members = |node: &Node| node.as_object().map(|map| map.members.clone()).unwrap_or_default();
    for prompt in members(node) {
        for screen in members(&prompt.value) {
            for point in members(&screen.value) {
                let at = root.key(&prompt.key.as_written()).key(&screen.key.as_written()).key(&point.key.as_written());
                texts.push(SideText { at, base: piece.folder.to_owned(), is_json: false });
            }
        }
    }
    texts
}

/// Turns the single file's list of `prompt → {screen → path}` into `prompt → screen → path`, and notes the paths.
pub(super) fn renderers(resource: &mut ResourceNode) {
    const MEMBER: &str = "screenRenderers";
    let NodeValue::Object(map) = &mut resource.node.value else { return };
    let Some(member) = map.members.iter_mut().find(|member| member.key.as_str() == Some(MEMBER)) else { return };
    let NodeValue::Array(items) = &member.value.value else { return };
    let mut prompts: BTreeMap<String, BTreeMap<String, Node>> = BTreeMap::new();
    for prompt in items.iter().filter_map(Node::as_object).flat_map(NodeMap::iter) {
        let Some(screens) = prompt.value.as_object() else { return };
        for screen in screens.iter() {
            let key = screen.key.as_written();
            if matches!(screen.value.value, NodeValue::Text(_)) {
                let at = Path::root().key(MEMBER).key(&prompt.key.as_written()).key(&key);
                resource.side_texts.push(SideText { at, base: String::new(), is_json: true });
            }
            prompts.entry(prompt.key.as_written()).or_default().insert(key, screen.value.clone());
        }
    }
    let locus = member.value.locus.clone();
    let prompts = prompts.into_iter().map(|(prompt, screens)| (prompt, object_of(&locus, screens))).collect();
    member.value = object_of(&locus, prompts);
}

/// Turns one file per screen into `prompt → screen → settings`.
pub(super) fn screens(nodes: Vec<(String, Node)>, locus: &Locus, problems: &mut Vec<Problem>) -> Node {
    let mut prompts: BTreeMap<String, BTreeMap<String, Node>> = BTreeMap::new();
    for (_, node) in nodes {
        let text = |key: &str| node.get(key).and_then(Node::as_str).map(str::to_owned);
        let (Some(prompt), Some(screen)) = (text("prompt"), text("screen")) else {
            problems.push(
                Problem::error("missing-field", "the settings of a screen name their `prompt` and `screen`")
                    .at(&node.locus),
            );
            continue;
        };
        let NodeValue::Object(map) = node.value else { continue };
        let named = |member: &Member| matches!(member.key.as_str(), Some("prompt" | "screen"));
        let members = map.members.into_iter().filter(|member| !named(member)).collect();
        let settings = Node { locus: node.locus.clone(), value: NodeValue::Object(NodeMap { members }) };
        if let Some(other) = prompts.entry(prompt.clone()).or_default().insert(screen.clone(), settings) {
            problems.push(
                Problem::error("duplicate-file", format!("the screen `{screen}` of `{prompt}` is described twice"))
                    .at(&node.locus)
                    .label(&other.locus, "first here"),
            );
        }
    }
    let prompts = prompts.into_iter().map(|(prompt, screens)| (prompt, object_of(locus, screens))).collect();
    object_of(locus, prompts)
}

fn wrong(node: &Node, takes: &str) -> Problem {
    Problem::error("wrong-type", format!("{takes} is expected here, not {}", node.sort())).at(&node.locus)
}
