#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
//! Descriptions of small kinds, validated as a whole.

mod files;
mod resources;
mod values;

use super::*;
use crate::description::layout::{LayoutOptions, read_layout, test_texts as texts};

const CLIENTS: &str = r#"
type: object
additionalProperties: false
required: [name]
x-tenantry: {identity: [name], unique: false, id: client_id, limit: 3, directory: {folder: clients, file: "{name}"}}
properties:
  name: {type: string, minLength: 1, pattern: '^[^<>]+$'}
  client_id: {type: string, readOnly: true}
  tenant: {type: string, readOnly: true}
  app_type: {type: string, enum: [spa, native, regular_web]}
  callbacks: {type: [array, 'null'], items: {type: string}, x-set: true, maxItems: 2}
  lifetime: {type: integer, minimum: 1, maximum: 100}
  secret: {type: string, x-secret: true, minLength: 8, enum: [aaaaaaaa]}
  sso: {type: boolean, x-skip: true}
  cross_origin_auth: {type: boolean, x-alias: cross_origin_authentication}
  cross_origin_authentication: {type: boolean}
  old: {type: boolean, deprecated: true}
  methods: {type: object, maxProperties: 1, additionalProperties: {type: object}}
  not_here: false
  page: {type: string, x-file: {directory: kind, single: clients, optional: true, default_directory: '{name}_page.html'}}
  options:
    type: object
    additionalProperties: false
    properties:
      a: {type: integer}
      scripts:
        type: object
        additionalProperties: false
        properties:
          login: {type: string, x-file: {directory: file, single: root, missing: error, default_directory: 'x/{name}/login.js'}}
  scripts: {type: object, x-alias: options.scripts}
not: {required: [lifetime, app_type]}
"#;

const GRANTS: &str = r#"
type: object
additionalProperties: false
oneOf: [{required: [client_id]}, {required: [default_for]}]
x-tenantry: {identity: [client_id, default_for, audience, subject_type], id: id, directory: {folder: grants, file: "{client_id}"}}
properties:
  id: {type: string, readOnly: true}
  client_id: {type: string, x-ref: clients}
  default_for: {type: string}
  audience: {type: string, x-literal-ref: apis}
  subject_type: {type: string, default: client}
"#;

const APIS: &str = r#"
type: object
additionalProperties: true
required: [identifier]
x-tenantry: {identity: [identifier], id: id, directory: {folder: apis, file: "{name}"}}
properties:
  identifier: {type: string}
  order: {type: [number, 'null'], x-null: absent}
  look: {type: object, properties: {logo: {type: [string, 'null'], x-null: absent}}}
"#;

const ACTIONS: &str = r#"
type: object
additionalProperties: false
x-tenantry: {identity: [name], id: id, directory: {folder: actions, file: "{name}"}}
properties:
  name: {type: string}
  code: {type: string, x-file: {directory: root, single: root, missing: warn, or_default: true, default_directory: 'actions/{name}/code.js'}}
  note: {type: string, x-file: {directory: kind, single: inline, missing: empty, trim: true}}
"#;

struct Case {
    files: Tree,
    variables: Variables,
    filters: Filters,
    compatibility: bool,
    lenient: bool,
}

fn case(files: &[(&str, &str)]) -> Case {
    Case {
        files: Tree::of(files.iter().copied()),
        variables: Variables::default(),
        filters: Filters::default(),
        compatibility: false,
        lenient: false,
    }
}

fn yaml(text: &str) -> Case {
    case(&[("tenant.yaml", text)])
}

impl Case {
    fn compatible(mut self) -> Self {
        self.compatibility = true;
        self
    }

    fn run(&self) -> DescribeOutcome {
        let registry =
            Registry::of(&[("actions", ACTIONS), ("apis", APIS), ("clientGrants", GRANTS), ("clients", CLIENTS)]);
        let layout = read_layout(
            &self.files,
            &LayoutOptions {
                registry: &registry,
                names: &self.variables.known_names(),
                filters: &self.filters,
                compatibility: self.compatibility,
                single: None,
                connections_directory: None,
            },
        );
        assert_eq!(texts(&layout.problems), "", "the layout is not the subject of these tests");
        let options = DescribeOptions {
            registry: &registry,
            variables: &self.variables,
            filters: &self.filters,
            compatibility: self.compatibility,
            lenient: self.lenient,
        };
        describe(&layout.description, &self.files, &options)
    }

    fn problems(&self) -> String {
        texts(&self.run().problems)
    }
}

fn addresses(outcome: &DescribeOutcome) -> Vec<String> {
    outcome.desired.kinds.values().flat_map(|kind| &kind.resources).map(|r| r.address.to_string()).collect()
}

fn value(outcome: &DescribeOutcome, kind: &str) -> serde_json::Value {
    outcome.desired.kinds[kind].resources[0].value.redacted()
}
