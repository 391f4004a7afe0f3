//! What stands against applying, as far as the plan alone tells.

use crate::change::{Kept, Plan};
use crate::problem::Problem;

/// Says what stands against applying, as far as the plan alone tells.
pub fn problems(plan: &Plan) -> Vec<Problem> {
    let left = plan.left.iter().filter_map(|left| match &left.why {
        Kept::Ambiguous(ids) => Some(
            Problem::error("ambiguous-resource", format!("several live resources are `{}`", left.address))
                .note(format!("ids: {}", ids.join(", ")))
                .help("give the id of the one that is meant"),
        ),
        Kept::Fixed => {
            let field = left.fields.first();
            let path = field.map(|f| f.path.to_string()).unwrap_or_default();
            Some(
                Problem::error("immutable-field", format!("`{path}` of `{}` can never change", left.address))
                    .at_maybe(field.and_then(|f| f.locus.as_ref()))
                    .help("put the live value back, or describe a new resource under another name"),
            )
        }
        _ => None,
    });
    left.chain(plan.notes.iter().cloned()).collect()
}
