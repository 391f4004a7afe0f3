//! Rules: their order is unique, so rules that trade places need a free place in between.

use indexmap::IndexMap;
use serde_json::Value as Json;

use super::Quirk;
use crate::change::{Action, Change, Step};
use crate::codec::Body;
use crate::model::{Address, Live, Value};
use crate::schema::Verb;

/// See the module.
pub(super) struct Rules;

impl Quirk for Rules {
    /// The stage is not in the API description any more: only one that differs from the default is sent.
    fn body(&self, body: &mut Body, _creates: bool) {
        let Body::Object(members) = body else { return };
        if members.get("stage") == Some(&Body::Value(Value::from("login_success"))) {
            members.shift_remove("stage");
        }
    }

    /// Rules whose place another one takes in the same plan are first moved behind all others, by the first change.
    fn arrange(&self, changes: &mut [&mut Change], live: &Live) {
        let order = |raw: &Json| raw.get("order").and_then(Json::as_i64);
        let found = live.resources("rules");
        let wanted: Vec<(Address, i64)> = changes
            .iter()
            .filter(|c| c.action != Action::Delete)
            .filter_map(|c| {
                let field = c.fields.iter().find(|f| f.path.to_string() == "order")?;
                match &field.diff.after {
                    Some(Value::Number(n)) => Some((c.address.clone(), n.as_i64()?)),
                    _ => None,
                }
            })
            .collect();
        let moving = |address: &Address| changes.iter().any(|c| c.address == *address && c.action == Action::Update);
        let parked: Vec<String> = found
            .iter()
            .filter(|rule| {
                let taken = wanted.iter().any(|(by, place)| *by != rule.address && Some(*place) == order(&rule.raw));
                taken && moving(&rule.address) && wanted.iter().any(|(who, _)| *who == rule.address)
            })
            .map(|rule| rule.id.clone())
            .collect();
        if parked.is_empty() {
            return;
        }
        let highest = found.iter().filter_map(|rule| order(&rule.raw)).chain(wanted.iter().map(|(_, n)| *n)).max();
        let free = highest.unwrap_or(0) + 1..;
        let park = |(place, id): (i64, String)| {
            let body = IndexMap::from_iter([("order".to_owned(), Body::Value(Value::Number(place.into())))]);
            Step::new(Verb::Patch, format!("/rules/{id}"), Some(Body::Object(body)))
        };
        let mut steps: Vec<Step> = free.zip(parked).map(park).collect();
        let mut movers: Vec<&mut &mut Change> =
            changes.iter_mut().filter(|c| wanted.iter().any(|(who, _)| *who == c.address)).collect();
        movers.sort_by(|a, b| a.address.cmp(&b.address));
        let mut movers = movers.into_iter();
        let Some(first) = movers.next() else { return };
        steps.append(&mut first.steps);
        first.steps = steps;
        let address = first.address.clone();
        for other in movers {
            other.waits_for.push(address.clone());
        }
    }
}
