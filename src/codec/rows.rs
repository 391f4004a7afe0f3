//! Rows of lists behind endpoints of their own, kept inside the raw object of the resource they belong to.

use serde_json::{Value as Json, json};

/// The raw object's member that holds them, by the list's place. No member of the API begins with `$`.
const ROWS: &str = "$sub";

/// Returns the rows read for a list.
pub fn sub_rows<'a>(raw: &'a Json, list: &str) -> Option<&'a [Json]> {
    raw.get(ROWS)?.get(list)?.as_array().map(Vec::as_slice)
}

/// Returns the rows read for a list, for writing.
pub fn sub_rows_mut<'a>(raw: &'a mut Json, list: &str) -> Option<&'a mut Vec<Json>> {
    raw.get_mut(ROWS)?.get_mut(list)?.as_array_mut()
}

/// Puts the rows of a list into the raw object.
pub fn put_sub_rows(raw: &mut Json, list: &str, rows: Vec<Json>) {
    if let Json::Object(members) = raw
        && let Json::Object(lists) = members.entry(ROWS).or_insert_with(|| json!({}))
    {
        lists.insert(list.to_owned(), Json::Array(rows));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_kept_by_list() {
        let mut raw = json!({"id": "r"});
        put_sub_rows(&mut raw, "permissions", vec![json!({"n": 1})]);
        put_sub_rows(&mut raw, "options.users", Vec::new());
        assert_eq!(sub_rows(&raw, "permissions"), Some(&[json!({"n": 1})][..]));
        assert_eq!(sub_rows(&raw, "options.users"), Some(&[][..]));
        if let Some(rows) = sub_rows_mut(&mut raw, "permissions") {
            rows.clear();
        }
        assert_eq!(sub_rows(&raw, "permissions"), Some(&[][..]));
    }

    #[test]
    fn what_was_not_read_has_no_rows() {
        assert_eq!(sub_rows(&json!({"permissions": [1]}), "permissions"), None, "a member of the API is none of them");
        assert_eq!(sub_rows(&Json::Null, "permissions"), None);
        let mut none = Json::Null;
        put_sub_rows(&mut none, "permissions", vec![Json::Null]);
        assert_eq!(none, Json::Null);
        assert_eq!(sub_rows_mut(&mut none, "permissions"), None);
    }
}
