//! Asks the tenant, kind by kind.

use std::collections::BTreeSet;

use futures_util::future::{join_all, try_join_all};
use futures_util::{StreamExt, TryStreamExt, stream};
use indexmap::IndexMap;
use serde_json::{Value as Json, json};

use super::ask::{Answers, Reader, lacks, status, unavailable};
use super::assemble::{Kept, RawKind, RawResource, Token, assemble};
use super::found::Found;
use super::parts::applies;
use super::raw::{fill, put};
use super::reach::{Reach, needed};
use crate::api::{Client, Failure};
use crate::codec::{Names, encode_segment, put_sub_rows};
use crate::model::{Live, Path, Segment, Unavailable, Value};
use crate::problem::Problem;
use crate::schema::{KindShape, KindSpec, ListEndpoint, ListPaging, Part, PartStep, Registry, SubSpec};

/// Resources of one kind that are read at once, each with the lists that belong to it.
const RESOURCES_AT_ONCE: usize = 64;

/// Reads the live tenant.
///
/// # Errors
///
/// Returns the first failure that is neither a missing scope nor a missing feature.
pub async fn read(client: &Client, registry: &Registry, reach: Reach<'_>) -> Result<(Live, Names), Problem> {
    read_again(client, registry, reach, &Answers::default()).await
}

/// Reads the live tenant as [`read`] does, and asks for nothing that is among the answers already.
///
/// # Errors
///
/// Those of [`read`].
pub async fn read_again(
    client: &Client,
    registry: &Registry,
    reach: Reach<'_>,
    answers: &Answers,
) -> Result<(Live, Names), Problem> {
    let raw = asked(client, registry, reach, answers).await?;
    Ok(assemble(registry, raw, client.domain(), &token(client)))
}

/// Reads the live tenant as [`read`] does, and keeps what was read packed until it is asked for.
///
/// # Errors
///
/// Those of [`read`].
pub async fn gather(client: &Client, registry: &Registry, reach: Reach<'_>) -> Result<Found, Problem> {
    let raw = asked(client, registry, reach, &Answers::default()).await?;
    Ok(Found::new(registry, raw, token(client)))
}

fn token(client: &Client) -> Token {
    Token { client_id: client.client_id().map(str::to_owned), scopes: client.scopes().map(<[String]>::to_vec) }
}

/// Asks for all that is in reach.
async fn asked<T: Kept>(
    client: &Client,
    registry: &Registry,
    reach: Reach<'_>,
    answers: &Answers,
) -> Result<IndexMap<String, RawKind<T>>, Problem> {
    let reader = Reader { client, reach, answers };
    let kinds: Vec<&KindSpec> = match reach {
        Reach::Described(desired) => needed(registry, desired),
        Reach::Whole(kinds) => registry.kinds().filter(|spec| kinds.contains(&spec.name)).collect(),
        Reach::Both(desired, kinds) => {
            let described: BTreeSet<&str> =
                needed(registry, desired).into_iter().map(|spec| spec.name.as_str()).collect();
            let is_read = |spec: &&KindSpec| kinds.contains(&spec.name) || described.contains(spec.name.as_str());
            registry.kinds().filter(is_read).collect()
        }
    };
    let found = try_join_all(kinds.into_iter().map(|spec| async {
        let raw = reader.kind(spec).await.map_err(|failure| failure.problem())?;
        Ok::<_, Problem>((spec.name.clone(), raw))
    }))
    .await?;
    Ok(found.into_iter().collect())
}

impl Reader<'_> {
    async fn kind<T: Kept>(&self, spec: &KindSpec) -> Result<RawKind<T>, Failure> {
        let found = self.whole_kind(spec).await;
        match found {
            Ok(found) => Ok(Ok(found)),
            Err(failure) => unavailable(&failure, spec.optional).map(Err).ok_or(failure),
        }
    }

    async fn whole_kind<T: Kept>(&self, spec: &KindSpec) -> Result<Vec<T>, Failure> {
        let few = if !spec.places.is_empty() {
            Some(self.places(spec).await?)
        } else if !spec.names.is_empty() {
            Some(self.named(spec).await?)
        } else if spec.shape == KindShape::Single {
            Some(self.single(spec).await?.into_iter().collect())
        } else {
            None
        };
        if let Some(few) = few {
            return Ok(few.into_iter().map(T::keep).collect());
        }
        let Some(list) = &spec.list else { return Ok(Vec::new()) };
        let is_excluded = |row: &Json| {
            list.exclude.iter().any(|(member, values)| row.get(member).is_some_and(|v| values.contains(v)))
        };
        let keep = |raw: Json| {
            let resource = |raw| T::keep(RawResource { raw, place: None, unreadable: Vec::new() });
            (!is_excluded(&raw)).then(|| resource(raw))
        };
        let rows = self.list_keeping(list, &list.path, keep).await?;
        // As many as any rate limit keeps busy, and not thousands, each with what it waits for.
        let resources =
            rows.into_iter().map(|row| async { self.resource(spec, row.into_raw().raw).await.map(T::keep) });
        stream::iter(resources).buffered(RESOURCES_AT_ONCE).try_collect().await
    }

    /// Reads what a list row leaves out: details and described sub-resources.
    async fn resource(&self, spec: &KindSpec, row: Json) -> Result<RawResource, Failure> {
        let id = spec.id.as_ref().and_then(|id| row.get(id)).and_then(Json::as_str).unwrap_or_default().to_owned();
        let mut raw = row;
        let described = self.described(spec, &raw, &id);
        if spec.detail
            && let (Some(get), true) = (&spec.get, self.is_whole(spec) || described.is_some())
        {
            raw = self.get(get, &get.path.replace("{id}", &encode_segment(&id))).await?;
        }
        let mut unreadable = Vec::new();
        let top =
            |path: &Path| self.is_whole(spec) && path.0.len() == 1 || described.is_some_and(|d| holds(&d.value, path));
        self.subs(spec, &id, &mut raw, &mut unreadable, top).await?;
        let parts: Vec<&Part> = spec.parts.iter().filter(|part| applies(part, &raw)).collect();
        for part in parts {
            let [PartStep::Key(member)] = part.at.as_slice() else { continue };
            if !self.is_whole(spec) && described.is_none_or(|d| d.value.get(member).is_none()) {
                continue;
            }
            match self.part_of(part, &id).await {
                Ok(Some(found)) => put(&mut raw, &[(PartStep::Key(member.clone()), member.clone())], found),
                Ok(None) => {}
                Err(failure) => match unavailable(&failure, part.optional) {
                    Some(why) => unreadable.push((member.clone(), why)),
                    None => return Err(failure),
                },
            }
        }
        if self.is_whole(spec) {
            // What hangs below a member can be there only once that member is.
            let below = spec.subs().into_iter().map(|(path, _)| path).filter(|path| is_below(&raw, path));
            let present: Vec<Path> = below.collect();
            self.subs(spec, &id, &mut raw, &mut unreadable, |path| present.contains(path)).await?;
        }
        for (name, path) in crate::quirk::of(spec).further_reads(&raw) {
            let wanted = self.is_whole(spec) || described.is_some();
            if wanted {
                match self.list(&ARRAY, &fill(&path, &id, &raw)).await {
                    Ok(rows) => put_sub_rows(&mut raw, name, rows),
                    Err(failure) => match unavailable(&failure, false) {
                        Some(why) => unreadable.push((name.to_owned(), why)),
                        None => return Err(failure),
                    },
                }
            }
        }
        Ok(RawResource { raw, place: None, unreadable })
    }

    /// Reads the lists behind endpoints of their own that are wanted.
    async fn subs(
        &self,
        spec: &KindSpec,
        id: &str,
        raw: &mut Json,
        unreadable: &mut Vec<(String, Unavailable)>,
        wanted: impl Fn(&Path) -> bool,
    ) -> Result<(), Failure> {
        let subs: Vec<(String, &SubSpec)> = spec
            .subs()
            .into_iter()
            .filter(|(path, _)| wanted(path))
            .filter_map(|(path, field)| Some((path.to_string(), field.sub.as_deref()?)))
            .collect();
        let lists = join_all(subs.iter().map(|(_, sub)| {
            let path = fill(&sub.list.path, id, raw);
            async move { self.list(&sub.list, &path).await }
        }))
        .await;
        for ((name, sub), rows) in subs.into_iter().zip(lists) {
            match rows {
                Ok(rows) => put_sub_rows(raw, &name, rows),
                Err(failure) => match unavailable(&failure, sub.optional) {
                    Some(why) => unreadable.push((name, why)),
                    None => return Err(failure),
                },
            }
        }
        Ok(())
    }

    async fn single(&self, spec: &KindSpec) -> Result<Option<RawResource>, Failure> {
        let mut raw = json!({});
        if let Some(get) = &spec.get {
            match self.get(get, &get.path).await {
                Ok(found) => raw = found,
                Err(failure) if status(&failure).is_some_and(|s| spec.absent.contains(&s)) => return Ok(None),
                Err(failure) => return Err(failure),
            }
        }
        let mut unreadable = Vec::new();
        for part in &spec.parts {
            self.part(spec, part, &mut raw, &mut unreadable).await?;
        }
        Ok(Some(RawResource { raw, place: None, unreadable }))
    }

    async fn named(&self, spec: &KindSpec) -> Result<Vec<RawResource>, Failure> {
        let Some(get) = &spec.get else { return Ok(Vec::new()) };
        let Some(identity) = spec.identity.first() else { return Ok(Vec::new()) };
        let wanted: Vec<&String> = match self.reach.of(&spec.name) {
            Reach::Described(_) | Reach::Both(..) => {
                spec.names.iter().filter(|name| self.describes(spec, name)).collect()
            }
            Reach::Whole(_) => spec.names.iter().collect(),
        };
        let answers = join_all(wanted.iter().map(|name| {
            let path = get.path.replace(&format!("{{{identity}}}"), &encode_segment(name));
            async move { self.get(get, &path).await }
        }))
        .await;
        let mut out = Vec::new();
        for (name, answer) in wanted.into_iter().zip(answers) {
            match answer {
                Ok(mut raw) => {
                    if let Json::Object(members) = &mut raw {
                        members.entry(identity.clone()).or_insert_with(|| Json::String(name.clone()));
                    }
                    out.push(RawResource { raw, place: None, unreadable: Vec::new() });
                }
                Err(failure) if status(&failure).is_some_and(|s| spec.absent.contains(&s)) => {}
                Err(failure) if status(&failure).is_some_and(|s| lacks(spec, name, s)) => {}
                Err(failure) => return Err(failure),
            }
        }
        Ok(out)
    }

    async fn places(&self, spec: &KindSpec) -> Result<Vec<RawResource>, Failure> {
        let mut out = Vec::new();
        for (name, place) in &spec.places {
            if !self.is_whole(spec) && !self.describes(spec, name) {
                continue;
            }
            let mut found = self.get(&place.get, &place.get.path).await?;
            if place.pick_first {
                let rows = match found {
                    Json::Array(rows) => rows,
                    Json::Object(members) => {
                        members.into_iter().find_map(|(_, v)| v.as_array().cloned()).unwrap_or_default()
                    }
                    _ => Vec::new(),
                };
                found = rows.into_iter().next().unwrap_or(Json::Null);
            }
            let raw = match &place.at {
                Some(member) => found.get(member).cloned().unwrap_or_else(|| json!({})),
                None => found,
            };
            out.push(RawResource { raw, place: Some(name.clone()), unreadable: Vec::new() });
        }
        Ok(out)
    }
}

/// Says whether a described value has something at a path of members.
fn holds(value: &Value, path: &crate::model::Path) -> bool {
    let mut keys = path.0.iter().filter_map(|s| if let crate::model::Segment::Key(key) = s { Some(key) } else { None });
    keys.try_fold(value, |here, key| here.get(key)).is_some()
}

/// A bare array without pages.
static ARRAY: ListEndpoint = ListEndpoint {
    path: String::new(),
    query: Vec::new(),
    paging: ListPaging::Array,
    rows: String::new(),
    max: 100,
    exclude: Vec::new(),
};

/// Says whether a path of several keys hangs below an object that is there.
fn is_below(raw: &Json, path: &Path) -> bool {
    let Some((_, above)) = path.0.split_last().filter(|(_, above)| !above.is_empty()) else { return false };
    let mut here = raw;
    for segment in above {
        let Segment::Key(key) = segment else { return false };
        let Some(inner) = here.get(key) else { return false };
        here = inner;
    }
    here.is_object()
}
