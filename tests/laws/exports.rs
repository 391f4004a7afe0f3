//! Export then load: every layout of an export describes what is live, and deploys the same to a fresh tenant.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use tenantry::description::layout::{LayoutOptions, Tree, read_layout};
use tenantry::description::{
    DescribeOptions, Filters, KnownNames, SecretState, Variables, describe as resolve, has_errors,
};
use tenantry::export::{self, Export, ExportOptions, FileFormat, Format};
use tenantry::model::{Desired, Secret};
use tenantry::schema::Registry;

use super::properties::{law, part, values};
use super::tenant::{Tenant, describe, told};

fn layouts() -> [ExportOptions; 3] {
    let of = |format, files| ExportOptions { format, files, ..ExportOptions::default() };
    [
        of(Format::Directory, FileFormat::Yaml),
        of(Format::Directory, FileFormat::Json),
        of(Format::Single, FileFormat::Yaml),
    ]
}

/// Loads an export as any description is loaded, with or without a value for each secret it asks for.
fn load(export: &Export, with_secrets: bool) -> Desired {
    let texts = export.files.iter().map(|(path, text)| (path.to_str().unwrap(), text.as_str()));
    let tree = Tree::of(texts);
    let mut variables = Variables::default();
    for name in &export.secrets {
        let made_up = || Secret::new(format!("law-{name}"), format!("secrets.{name}"));
        let state = if with_secrets { SecretState::Known(made_up()) } else { SecretState::Missing };
        variables.secrets.insert(name.clone(), state);
    }
    let layout = LayoutOptions {
        registry: Registry::get(),
        names: &KnownNames::default(),
        filters: &Filters::default(),
        compatibility: false,
        single: None,
        connections_directory: None,
    };
    let found = read_layout(&tree, &layout);
    assert!(found.wanted.is_empty() && !has_errors(&found.problems), "{:#?}", found.problems);
    let options = DescribeOptions {
        registry: Registry::get(),
        variables: &variables,
        filters: &Filters::default(),
        compatibility: false,
        lenient: false,
    };
    let described = resolve(&found.description, &tree, &options);
    assert!(!has_errors(&described.problems), "{:#?}", described.problems);
    described.desired
}

#[test]
fn an_export_is_what_is_live_and_deploys_the_same_elsewhere() {
    static TURN: AtomicUsize = AtomicUsize::new(0);
    law(|without, seed| async move {
        let tenant = Tenant::start().await;
        tenant.deploy(&describe(&part(&without, seed))).await;
        let kinds: BTreeSet<String> = Registry::get().names().map(str::to_owned).collect();
        let (live, _) = tenant.read_whole(&kinds).await;
        // Every case another layout.
        let layout = TURN.fetch_add(1, Ordering::Relaxed) % layouts().len();
        let options = &layouts()[layout];
        let export = export::files(Registry::get(), &live, options);
        let planned = tenant.plan(&load(&export, false)).await.plan;
        assert!(!planned.has_changes(), "{options:?}: {:#?}", told(&planned));
        let desired = load(&export, true);
        let other = Tenant::start().await;
        other.deploy(&desired).await;
        assert_eq!(values(&tenant, &desired).await, values(&other, &desired).await, "{options:?}");
    });
}
