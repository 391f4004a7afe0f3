//! Prompts: two written forms of partials and of screen renderers; a standard screen takes few settings.

use serde_json::Value as Json;

use super::{Quirk, Write};
use crate::change::Step;
use crate::codec::{Body, Names};
use crate::model::{Map, Value};

/// See the module.
pub(super) struct Prompts;

impl Quirk for Prompts {
    fn canonical(&self, members: &mut Map) {
        if let Some(Value::Object(partials)) = members.get_mut("partials") {
            for screens in partials.values_mut() {
                partial_map(screens);
            }
        }
        if let Some(renderers) = members.get_mut("screenRenderers") {
            renderer_map(renderers);
        }
    }

    /// The rows of the list name their prompt and screen, which are the keys here.
    fn decode(&self, _raw: &Json, members: &mut Map, _names: &Names) {
        let Some(Value::Object(prompts)) = members.get_mut("screenRenderers") else { return };
        let screens = prompts.values_mut().filter_map(Value::as_object_mut).flat_map(|screens| screens.values_mut());
        for settings in screens.filter_map(Value::as_object_mut) {
            settings.shift_remove("prompt");
            settings.shift_remove("screen");
        }
    }

    /// In standard mode the API takes `rendering_mode` and `head_tags` only (auth0-deploy-cli 8.43 source).
    fn steps(&self, _write: &Write<'_>, steps: &mut Vec<Step>) {
        for step in steps.iter_mut().filter(|s| s.path.ends_with("/rendering")) {
            let Some(Body::Object(members)) = &mut step.body else { continue };
            let standard =
                matches!(members.get("rendering_mode"), Some(Body::Value(Value::String(mode))) if mode == "standard");
            if standard {
                members.retain(|name, _| name == "rendering_mode" || name == "head_tags");
            }
        }
    }
}

/// `[{screen: [{name, template}]}]` → `{screen: {name: template}}`.
fn partial_map(screens: &mut Value) {
    let Value::Array(items) = screens else { return };
    let mut out = Map::new();
    for item in items.drain(..) {
        let Value::Object(item) = item else { continue };
        for (screen, points) in item {
            let Value::Array(points) = points else { continue };
            let by_name = points.into_iter().filter_map(|point| {
                let name = point.get("name")?.as_str()?.to_owned();
                Some((name, point.get("template").cloned().unwrap_or_default()))
            });
            out.insert(screen, Value::Object(by_name.collect()));
        }
    }
    *screens = Value::Object(out);
}

/// A list of one-key objects, or of settings that name their prompt and screen → `{prompt: {screen: settings}}`.
fn renderer_map(renderers: &mut Value) {
    let Value::Array(items) = renderers else { return };
    let mut out = Map::new();
    let mut put = |prompt: String, screen: String, settings: Value| {
        let screens = out.entry(prompt).or_insert_with(Value::object);
        if let Value::Object(screens) = screens {
            screens.insert(screen, settings);
        }
    };
    for item in items.drain(..) {
        let Value::Object(mut item) = item else { continue };
        let named = (item.get("prompt").and_then(Value::as_str), item.get("screen").and_then(Value::as_str));
        if let (Some(prompt), Some(screen)) = named {
            let (prompt, screen) = (prompt.to_owned(), screen.to_owned());
            item.shift_remove("prompt");
            item.shift_remove("screen");
            put(prompt, screen, Value::Object(item));
            continue;
        }
        for (prompt, screens) in item {
            let Value::Object(screens) = screens else { continue };
            for (screen, mut settings) in screens {
                if let Value::Object(settings) = &mut settings {
                    settings.shift_remove("prompt");
                    settings.shift_remove("screen");
                }
                put(prompt.clone(), screen, settings);
            }
        }
    }
    *renderers = Value::Object(out);
}
