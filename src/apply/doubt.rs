//! Looks for what was made when the answer that would have told was lost.

use serde_json::Value as Json;

use super::run::Site;
use super::step::fill;
use crate::api::Failure;
use crate::change::{Change, Step};
use crate::live::list_style;
use crate::schema::{FieldSpec, KindSpec, ListEndpoint, Registry, Verb};

/// What a look showed.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Look {
    /// It was made: the tenant's own object.
    There(Json),
    /// It is not there.
    Missing,
    /// Several things could be it; their ids.
    Several(Vec<String>),
    /// Nothing lists it.
    Blind,
}

/// Looks once for what a step was to make.
pub(super) async fn look(site: &Site<'_>, change: &Change, step: &Step, body: Option<&Json>) -> Result<Look, Failure> {
    let Some(spec) = Registry::get().kind(&change.address.kind) else { return Ok(Look::Blind) };
    let body = body.unwrap_or(&Json::Null);
    if let Some(create) = spec.create.as_ref().filter(|create| create.method == Verb::Post && create.path == step.path)
    {
        let Some(list) = &spec.list else { return Ok(Look::Blind) };
        let body = create.wrap.as_ref().and_then(|member| body.get(member)).unwrap_or(body);
        let rows = rows(site, list, &list.path).await?;
        let is_new = |row: &&Json| {
            let id = spec.id.as_ref().and_then(|member| row.get(member)).and_then(Json::as_str);
            id.is_some_and(|id| !site.index.was_live(&spec.name, id))
        };
        return Ok(one(spec.id.as_deref(), rows.iter().filter(is_new).filter(|row| is_same(spec, body, row))));
    }
    for (_, field) in spec.subs() {
        let Some(sub) = &field.sub else { continue };
        if sub.add.method != Verb::Post || !fits(&sub.add.path, &step.path) {
            continue;
        }
        let body = sub.add.wrap.as_ref().and_then(|member| body.get(member)).unwrap_or(body);
        let Ok(path) = fill(&sub.list.path, site.index, change) else { return Ok(Look::Blind) };
        if path.contains('{') {
            return Ok(Look::Blind);
        }
        let keys = match (&sub.item, field.key.as_slice()) {
            (Some(member), _) => vec![member.clone()],
            (None, keys) => keys.iter().map(|key| api_name(field.item(), key)).collect(),
        };
        let told = |row: &&Json| {
            !keys.is_empty() && keys.iter().all(|key| body.get(key).is_some() && body.get(key) == row.get(key))
        };
        let rows = rows(site, &sub.list, &path).await?;
        return Ok(one(None, rows.iter().filter(told)));
    }
    for part in &spec.parts {
        let made_by = |create: &&crate::schema::Create| create.method == Verb::Post && create.path == step.path;
        if part.create.as_ref().filter(made_by).is_none() {
            continue;
        }
        let Some(get) = &part.get else { return Ok(Look::Blind) };
        let Ok(path) = fill(&get.path, site.index, change) else { return Ok(Look::Blind) };
        let query: Vec<(&str, &str)> = get.query.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        return match site.client.finishing().get(&path, &query).await {
            Ok(found) => Ok(Look::There(found)),
            Err(Failure::NotFound { .. }) => Ok(Look::Missing),
            Err(failure) => Err(failure),
        };
    }
    Ok(Look::Blind)
}

async fn rows(site: &Site<'_>, list: &ListEndpoint, path: &str) -> Result<Vec<Json>, Failure> {
    let query: Vec<(&str, &str)> = list.query.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    site.client.finishing().list(path, &query, &list_style(list)).await
}

fn one<'a>(id: Option<&str>, found: impl Iterator<Item = &'a Json>) -> Look {
    let found: Vec<&Json> = found.collect();
    match found.as_slice() {
        [] => Look::Missing,
        [one] => Look::There((*one).clone()),
        several => {
            let id_of = |row: &&Json| Some(row.get(id?)?.as_str()?.to_owned());
            Look::Several(several.iter().filter_map(id_of).collect())
        }
    }
}

/// Says whether a row has the identity that a body asked for.
fn is_same(spec: &KindSpec, body: &Json, row: &Json) -> bool {
    !spec.identity.is_empty()
        && spec.identity.iter().all(|member| {
            let api = api_name(Some(&spec.fields), member);
            let default = spec.field(member).and_then(|field| field.default.as_ref());
            let value = |of: &Json| of.get(&api).filter(|value| !value.is_null()).or(default).cloned();
            value(body) == value(row)
        })
}

fn api_name(of: Option<&FieldSpec>, member: &str) -> String {
    of.and_then(|of| of.member(member)).and_then(|field| field.api.clone()).unwrap_or_else(|| member.to_owned())
}

/// Says whether a path is made from a template whose variables stand for one segment each.
fn fits(template: &str, path: &str) -> bool {
    let (template, path): (Vec<&str>, Vec<&str>) = (template.split('/').collect(), path.split('/').collect());
    template.len() == path.len() && template.iter().zip(&path).all(|(one, two)| one == two || one.starts_with('{'))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use serde_json::json;

    use super::*;

    #[test]
    fn an_identity_counts_with_its_defaults() {
        let text = "x-tenantry: {identity: [a, b]}\nproperties: {a: {x-api: A}, b: {default: z}}";
        let registry = Registry::of(&[("things", text)]);
        let spec = registry.kind("things").unwrap();
        assert!(is_same(spec, &json!({"A": "x"}), &json!({"A": "x", "b": "z"})));
        assert!(is_same(spec, &json!({"A": "x", "b": "z"}), &json!({"A": "x"})));
        assert!(!is_same(spec, &json!({"A": "x", "b": "y"}), &json!({"A": "x"})));
        assert!(!is_same(spec, &json!({"A": "x"}), &json!({"A": "y"})));
    }

    #[test]
    fn several_of_one_identity_are_none() {
        let rows = [json!({"id": "1"}), json!({"id": "2"})];
        assert_eq!(one(Some("id"), rows.iter()), Look::Several(vec!["1".to_owned(), "2".to_owned()]));
        assert_eq!(one(Some("id"), rows.iter().take(1)), Look::There(json!({"id": "1"})));
        assert_eq!(one(Some("id"), rows.iter().take(0)), Look::Missing);
    }

    #[test]
    fn variables_of_a_path_stand_for_a_segment() {
        assert!(fits("/a/{id}/b", "/a/{id}/b") && fits("/a/{name}/b", "/a/x/b"));
        assert!(!fits("/a/{id}", "/a/x/b") && !fits("/a/{id}/b", "/a/x/c"));
    }
}
