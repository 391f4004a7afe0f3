//! Wrong calls and project files that do not hold.

use crate::common::Place;
use crate::support::{refused, stable};

fn project(text: &str) -> Place {
    let place = Place::new();
    place.write("tenantry.yaml", text);
    place.write("clients/shop.yaml", "name: Shop\n");
    place
}

macro_rules! project {
    ($name:ident, $code:literal, $text:expr, [$($argument:expr),*]) => {
        #[test]
        fn $name() {
            insta::assert_snapshot!(stable(&refused(&project($text), &[$($argument,)* "plan"], $code)));
        }
    };
}

const TWO: &str = "environments:\n  dev: {domain: acme-dev.eu.auth0.com}\n  prod: {domain: acme.eu.auth0.com}\n";

project!(unknown_environment, 64, TWO, ["-e", "prd"]);
project!(no_environment_named, 64, TWO, []);
project!(unknown_key, 1, "description: .\nenvironments:\n  dev:\n    domian: acme.eu.auth0.com\n", []);
project!(unknown_key_at_the_top, 1, "enviroments:\n  dev: {sandbox: {}}\n", []);
project!(
    unknown_policy_key,
    1,
    "environments:\n  dev:\n    domain: acme.eu.auth0.com\n    policy:\n      max_delete: 5\n      drift: ignore\n      delete: [clientz]\n",
    []
);
project!(
    duplicate_key_in_the_project_file,
    1,
    "environments:\n  dev: {domain: a.eu.auth0.com}\n  dev: {domain: b.eu.auth0.com}\n",
    []
);
project!(
    wrong_types_in_the_project_file,
    1,
    "description: [.]\nenvironments:\n  dev:\n    domain: 5\n    variables: [a]\n    policy: strict\n",
    []
);
project!(a_project_file_that_is_no_yaml, 1, "environments: [\n", []);
project!(an_empty_project_file, 1, "", []);
project!(
    a_secret_written_down,
    1,
    "environments:\n  dev:\n    domain: acme.eu.auth0.com\n    secrets:\n      google: hunter2hunter2\n",
    []
);
project!(
    a_file_of_variables_that_is_missing,
    1,
    "environments:\n  dev:\n    domain: acme.eu.auth0.com\n    variables: environments/dev.yaml\n",
    []
);
project!(a_name_of_an_environment, 1, "environments:\n  Dev_1: {domain: acme.eu.auth0.com}\n", []);
project!(an_environment_without_a_tenant, 1, "environments:\n  dev: {}\n", []);

#[test]
fn a_configuration_beside_a_project_file() {
    let place = project(TWO);
    place.write("config.json", "{\"AUTH0_DOMAIN\": \"acme.eu.auth0.com\"}");
    insta::assert_snapshot!(stable(&refused(&place, &["-c", "config.json", "plan"], 1)));
}

#[test]
fn no_project_at_all() {
    insta::assert_snapshot!(stable(&refused(&Place::new(), &["plan"], 1)));
}

#[test]
fn credentials_that_are_missing() {
    let place = project(TWO);
    insta::assert_snapshot!(stable(&refused(&place, &["-e", "dev", "plan"], 1)));
}
