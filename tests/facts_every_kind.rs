//! Whoever deploys a description of every kind is named for every field of it: each write that Tenantry knows how to send leads
//! back to the field it is for.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use common::{Place, Sandbox};
use tenantry::api::{Client, Credentials, Settings};
use tenantry::change::{Action, Certainty, Plan, Question};
use tenantry::facts::{Asking, answer};
use tenantry::live::{Reach, read};
use tenantry::model::{Desired, Secret};
use tenantry::plan;
use tenantry::project::{Flags, Secrets, Surroundings, load_description, load_settings};
use tenantry::schema::Registry;

/// Fields whose writes do not name them: kind, beginning of the path, why.
const NOT_EXACT: &[(&str, &str, &str)] = &[("organizations", "client_grants", "a grant is added by its id alone")];

async fn connect(sandbox: &Sandbox) -> Client {
    let settings = Settings {
        domain: sandbox.url.clone(),
        audience: None,
        credentials: Credentials::Secret {
            client_id: sandbox.client_id.clone(),
            client_secret: Secret::new(sandbox.client_secret.clone(), "the sandbox"),
        },
        ca_file: None,
        proxy: None,
        budget: 1.0,
        deadline: Duration::from_secs(60),
        max_retries: 3,
        user_agent: "test".to_owned(),
    };
    Client::connect(settings, tokio_util::sync::CancellationToken::new()).await.unwrap()
}

/// The worked example, as it is meant for its sandbox.
async fn described() -> Desired {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tenants/travel0");
    let around = Surroundings { directory, env: BTreeMap::new() };
    let flags = Flags { environment: Some("sandbox".to_owned()), ..Flags::default() };
    let loaded = load_settings(&flags, &around).unwrap_or_else(|failed| panic!("{:?}", failed.problems));
    load_description(&loaded.settings, &around, Secrets::Ask).await.unwrap().outcome.desired
}

/// Plans the whole description on the tenant as it is.
async fn planned(client: &Client, mut desired: Desired) -> Plan {
    let registry = Registry::get();
    let (live, names) = read(client, registry, Reach::Described(&desired)).await.unwrap();
    let _ = plan::complete(registry, &mut desired, &live, &names);
    plan::make(registry, &desired, &live, None, &plan::Options::default())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_write_leads_back_to_its_field() {
    let place = Place::with("tenants/travel0");
    let sandbox = Sandbox::start(&place, &["--rate", "1000/s,1000"]);
    let client = connect(&sandbox).await;
    let desired = described().await;
    let before = planned(&client, desired.clone()).await;
    assert!(before.changes.len() > 30, "{}", before.changes.len());

    let text = place.read("tenantry.yaml");
    let there = format!("  there:\n    domain: {}\n    policy: {{ delete: all }}\n", sandbox.url);
    place.write("tenantry.yaml", &text.replacen("  sandbox:\n    sandbox: {}\n", &there, 1));
    let place = sandbox.point(place);
    let _ = place.run(&["-e", "there", "apply", "--yes"]).code(0);

    let mut asked = Plan::default();
    for change in &before.changes {
        let paths: Vec<_> = change.fields.iter().map(|field| field.path.clone()).collect();
        if !paths.is_empty() {
            asked.questions.push(Question::WhoOutside(change.address.clone(), paths));
        }
    }
    let of = |question: &Question| match question {
        Question::WhoOutside(address, _) => address.clone(),
        _ => unreachable!(),
    };
    let whole: Vec<Question> = asked.questions.iter().map(|q| Question::WhoOutside(of(q), Vec::new())).collect();
    asked.questions.extend(whole);

    let registry = Registry::get();
    let (live, names) = read(&client, registry, Reach::Described(&desired)).await.unwrap();
    let nobody = |_: &str, _: &str, _: &str| false;
    let asking =
        Asking { client: &client, registry, live: &live, names: &names, base: None, since: None, is_ours: &nobody };
    let facts = answer(&asked, asking).await;
    assert!(facts.requests <= 11, "{}", facts.requests);

    let action =
        |address: &tenantry::model::Address| before.changes.iter().find(|c| c.address == *address).unwrap().action;
    let (mut fields, mut vague, mut excused) = (0, Vec::new(), BTreeSet::new());
    for (address, blames) in &facts.outside {
        for (path, blame) in blames {
            if path.is_root() && action(address) != Action::Create {
                continue;
            }
            fields += 1;
            if blame.certainty == Certainty::Exact {
                assert_eq!(blame.who.as_deref(), Some("Tenantry Deployer"), "{address} {path}");
                continue;
            }
            let shown = path.to_string();
            let known = NOT_EXACT.iter().find(|(kind, start, _)| *kind == address.kind && shown.starts_with(start));
            match known {
                Some((kind, start, _)) => drop(excused.insert((*kind, *start))),
                None => vague.push(format!("{address} {path}: {}", blame.certainty.as_str())),
            }
        }
    }
    assert!(vague.is_empty(), "{} of {fields}:\n{}", vague.len(), vague.join("\n"));
    assert!(fields > 300, "{fields}");
    assert_eq!(excused.len(), NOT_EXACT.len(), "{excused:?}");
}
