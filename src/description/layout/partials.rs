//! Pieces of a resource that the directory layout writes in another shape than the single file.

use std::collections::BTreeMap;

use super::directory::object_of;
use crate::description::node::{Member, Node, NodeMap, NodeValue, Text};
use crate::model::Locus;
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
