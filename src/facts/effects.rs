//! Blast radius: how many users and resources a change hits.

use std::collections::BTreeMap;

use super::{Asker, Asking};
use crate::change::{Effect, Plan};
use crate::model::Address;
use crate::problem::Problem;

type Effects = BTreeMap<Address, Vec<Effect>>;

pub(super) async fn answer(_plan: &Plan, _asking: &Asking<'_>, _asker: &Asker<'_>) -> (Effects, Vec<Problem>) {
    (Effects::new(), Vec::new())
}
