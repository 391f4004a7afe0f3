//! Reads everything of a tenant, for `export`.

use std::collections::BTreeSet;

use super::{Failed, Request, Session};
use crate::codec::Names;
use crate::live::{Reach, read};
use crate::model::{Live, Sources};
use crate::problem::Problem;
use crate::project::{Settings, load_settings};
use crate::schema::Registry;

/// A tenant as it was found.
pub struct ReadTenant {
    /// What is live.
    pub live: Live,
    /// Its names.
    pub names: Names,
    /// The settings it was read with.
    pub settings: Settings,
    /// Warnings found on the way.
    pub problems: Vec<Problem>,
    /// Texts of the files.
    pub sources: Sources,
}

/// Reads every kind that the settings do not exclude.
///
/// # Errors
///
/// Errors of the settings, or the first of the network.
pub async fn read_tenant(request: &Request) -> Result<ReadTenant, Failed> {
    let loaded = load_settings(&request.flags, &request.around)?;
    let (settings, sources, mut problems) = (loaded.settings, loaded.sources, loaded.warnings);
    let session = Session::open(&settings, request).await.map_err(|p| Failed::one(p, sources.clone()))?;
    problems.extend(session.client.warnings());
    let found = whole(&session, &settings).await;
    session.close().await;
    let (live, names) = found.map_err(|p| Failed::one(p, sources.clone()))?;
    Ok(ReadTenant { live, names, settings, problems, sources })
}

/// Reads every kind that is not excluded.
///
/// # Errors
///
/// The first of the network.
pub(super) async fn whole(session: &Session, settings: &Settings) -> Result<(Live, Names), Problem> {
    let registry = Registry::get();
    let kinds: BTreeSet<String> =
        registry.names().filter(|kind| settings.filters.covers_kind(kind)).map(str::to_owned).collect();
    read(&session.client, registry, Reach::Whole(&kinds)).await
}
