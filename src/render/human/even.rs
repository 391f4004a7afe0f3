//! Leaves of two sides that are equals: neither is the goal of the other.

use jiff::Timestamp;

use super::change::text_rows;
use super::rows::{Context, Table, rows};
use crate::change::{Facts, FieldChange, Origin};
use crate::model::Address;
use crate::render::line::Lines;
use crate::render::view::Options;
use crate::schema::Risk;

/// Adds what differs of one resource: `-` stands on the first side, `+` on the second.
pub(in crate::render) fn evenly(lines: &mut Lines, address: &Address, fields: &[FieldChange], options: &Options) {
    // Nothing is written: there is no danger in it.
    let fields: Vec<FieldChange> =
        fields.iter().map(|field| FieldChange { risk: Risk::Safe, why: None, ..field.clone() }).collect();
    let rows = rows(fields.iter());
    let facts = Facts::default();
    let context = Context { facts: &facts, address, now: Timestamp::UNIX_EPOCH };
    let table = Table::new(&rows, options, Some(Origin::Unknown), context).with_places(None).evenly();
    text_rows(lines, rows.iter(), &table, options, usize::MAX);
}
