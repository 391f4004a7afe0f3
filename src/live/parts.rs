//! Reads parts of a resource behind endpoints of their own.

use futures_util::future::join_all;
use serde_json::{Value as Json, json};

use super::ask::{Reader, note, status};
use super::raw::put;
use super::reach::Reach;
use crate::api::Failure;
use crate::codec::encode_segment;
use crate::model::{Unavailable, Value};
use crate::schema::{AllValues, KindSpec, Part, PartStep, Registry};

/// The steps to one value of a part, each with the name it stands for.
type Instance = Vec<(PartStep, String)>;

impl Reader<'_> {
    /// Reads a part of one resource of a collection: from the list over all of them, where there is one.
    pub(super) async fn part_of(&self, part: &Part, id: &str) -> Result<Option<Json>, Failure> {
        if let Some((list, member)) = &part.bulk {
            let rows = self.cached_list(list).await?;
            let row = rows.as_array().into_iter().flatten().find(|r| r.get(member).and_then(Json::as_str) == Some(id));
            return Ok(row.cloned());
        }
        let Some(get) = &part.get else { return Ok(None) };
        match self.get(get, &get.path.replace("{id}", &encode_segment(id))).await {
            Ok(found) => Ok(Some(found)),
            Err(failure) if status(&failure).is_some_and(|s| get.absent.contains(&s)) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    pub(super) async fn part(
        &self,
        spec: &KindSpec,
        part: &Part,
        raw: &mut Json,
        unreadable: &mut Vec<(String, Unavailable)>,
    ) -> Result<(), Failure> {
        let instances = self.instances(spec, part).await?;
        // One list tells them all, so it need not be known beforehand which there are.
        if instances.is_empty() && !(part.bulk.is_some() && self.wants(spec, part)) {
            return Ok(());
        }
        if let Some(needed) = &part.needs
            && !self.has_any(&needed.path).await?
        {
            let why = Unavailable::Feature(format!("the tenant has no {}", needed.what));
            if let Some(PartStep::Key(member)) = part.at.first() {
                unreadable.push((member.clone(), why));
            }
            return Ok(());
        }
        if let Some((list, _)) = &part.bulk {
            let rows = match self.list(list, &list.path).await {
                Ok(rows) => rows,
                Err(failure) => return note(unreadable, part, &failure).ok_or(failure),
            };
            for row in rows {
                let steps: Option<Vec<(PartStep, String)>> = part
                    .at
                    .iter()
                    .map(|step| match step {
                        PartStep::Key(key) | PartStep::Item(key) => Some((step.clone(), key.clone())),
                        PartStep::Capture(name) => Some((step.clone(), row.get(name)?.as_str()?.to_owned())),
                    })
                    .collect();
                if let Some(steps) = steps {
                    put(raw, &steps, row);
                }
            }
            return Ok(());
        }
        let Some(get) = &part.get else { return Ok(()) };
        let answers = join_all(instances.iter().map(|steps| {
            let path = steps.iter().fold(get.path.clone(), |path, (step, value)| match step {
                PartStep::Capture(name) => path.replace(&format!("{{{name}}}"), &encode_segment(value)),
                _ => path,
            });
            async move {
                match &part.list_style() {
                    Some(list) => self.list(list, &path).await.map(Json::Array),
                    None => self.get(get, &path).await,
                }
            }
        }))
        .await;
        for (steps, answer) in instances.iter().zip(answers) {
            match answer {
                Ok(found) => {
                    let mut value = get.wrap.as_ref().and_then(|w| found.get(w)).cloned().unwrap_or(found);
                    if let (Some(member), Some((PartStep::Item(name), _))) = (&part.item, steps.last()) {
                        let key = part_key(spec, part);
                        value = json!({key: name, member: value});
                    }
                    put(raw, steps, value);
                }
                Err(failure) if status(&failure).is_some_and(|s| get.absent.contains(&s)) => {}
                Err(failure) => {
                    if note(unreadable, part, &failure).is_none() {
                        return Err(failure);
                    }
                }
            }
        }
        Ok(())
    }

    /// Says whether anything of a part is to be read.
    fn wants(&self, spec: &KindSpec, part: &Part) -> bool {
        let Reach::Described(desired) = self.reach.of(&spec.name) else { return true };
        let resource = desired.kinds.get(&spec.name).and_then(|described| described.resources.first());
        let Some(PartStep::Key(member)) = part.at.first() else { return false };
        resource.is_some_and(|resource| resource.value.get(member).is_some())
    }

    /// Finds which values of a part are to be read.
    async fn instances(&self, spec: &KindSpec, part: &Part) -> Result<Vec<Instance>, Failure> {
        let described = match self.reach.of(&spec.name) {
            Reach::Described(desired) | Reach::Both(desired, _) => {
                let resource = desired.kinds.get(&spec.name).and_then(|d| d.resources.first());
                match resource {
                    Some(resource) => Some(&resource.value),
                    None => return Ok(Vec::new()),
                }
            }
            Reach::Whole(_) => None,
        };
        let mut found: Vec<(Instance, Option<&Value>)> = vec![(Vec::new(), described)];
        for step in &part.at {
            let mut next = Vec::new();
            for (steps, value) in found {
                let values: Vec<String> = match (step, value) {
                    (PartStep::Key(key), Some(Value::Object(map))) if !map.contains_key(key) => Vec::new(),
                    (PartStep::Item(key), Some(Value::Array(items))) if !items.iter().any(|i| names(i, key)) => {
                        Vec::new()
                    }
                    (PartStep::Key(key) | PartStep::Item(key), _) => vec![key.clone()],
                    (PartStep::Capture(_), Some(Value::Object(map))) => map.keys().cloned().collect(),
                    (PartStep::Capture(_), Some(_)) => Vec::new(),
                    (PartStep::Capture(name), None) => self.all_values(part, name).await?,
                };
                for text in values {
                    let inner = value.map(|v| match v {
                        Value::Object(map) => map.get(&text).unwrap_or(&Value::Null),
                        other => other,
                    });
                    let mut steps = steps.clone();
                    steps.push((step.clone(), text));
                    next.push((steps, inner));
                }
            }
            found = next;
        }
        Ok(found.into_iter().map(|(steps, _)| steps).collect())
    }

    async fn all_values(&self, part: &Part, capture: &str) -> Result<Vec<String>, Failure> {
        match part.all.get(capture) {
            Some(AllValues::Fixed(values)) => Ok(values.clone()),
            Some(AllValues::Member(kind, member)) => {
                let Some(get) = Registry::get().kind(kind).and_then(|k| k.get.as_ref()) else { return Ok(Vec::new()) };
                let found = self.get(get, &get.path).await?;
                let values = found.get(member).and_then(Json::as_array).into_iter().flatten();
                Ok(values.filter_map(Json::as_str).map(str::to_owned).collect())
            }
            Some(AllValues::Listed(list, member, conditions)) => {
                let rows = self.list(list, &list.path).await?;
                let fits = |row: &&Json| conditions.iter().all(|(m, v)| row.get(m).is_none_or(|found| found == v));
                let mut values: Vec<String> =
                    rows.iter().filter(fits).filter_map(|r| r.get(member)?.as_str().map(str::to_owned)).collect();
                values.sort();
                values.dedup();
                Ok(values)
            }
            None => Ok(Vec::new()),
        }
    }
}

/// Says whether a resource can have a part.
pub(super) fn applies(part: &Part, raw: &Json) -> bool {
    part.only.iter().all(|(member, values)| raw.get(member).is_some_and(|found| values.contains(found)))
}

/// Says whether an item of a keyed list goes by a name.
fn names(item: &Value, name: &str) -> bool {
    item.as_object().is_some_and(|members| members.values().any(|v| v.as_str() == Some(name)))
}

/// Returns the member by which items of a part's list are told apart.
fn part_key(spec: &KindSpec, part: &Part) -> String {
    let list = part.at.first().and_then(|step| match step {
        PartStep::Key(key) => spec.field(key),
        _ => None,
    });
    list.and_then(|l| l.key.first().cloned()).unwrap_or_else(|| "name".to_owned())
}
