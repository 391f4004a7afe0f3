//! Why a plan may not be applied, guard by guard: what several have in common is said once.

use crate::change::Refusal;
use crate::guard::argument;

/// Resources whose names are put into one piece of advice; more are left to people.
const MOST: usize = 4;

/// Refusals of one guard that ask for the same.
pub(super) struct Group<'a> {
    /// Id of the guard.
    pub(super) guard: &'static str,
    /// What it refuses.
    pub(super) refusals: Vec<&'a Refusal>,
    /// What to do about all of it.
    pub(super) help: Vec<String>,
    /// Advice in which a stand-in takes the place of the address.
    template: Vec<String>,
}

/// What stands in for an address.
const ADDRESS: &str = "\u{0}";

/// Puts refusals together, in the order of the first of each group.
pub(super) fn groups(refusals: &[Refusal]) -> Vec<Group<'_>> {
    let mut out: Vec<Group<'_>> = Vec::new();
    for refusal in refusals {
        let template: Vec<String> = refusal.problem.help.iter().map(|help| without_address(help, refusal)).collect();
        match out.iter_mut().find(|group| group.guard == refusal.guard && group.template == template) {
            Some(group) => group.refusals.push(refusal),
            None => out.push(Group { guard: refusal.guard, refusals: vec![refusal], help: Vec::new(), template }),
        }
    }
    for group in &mut out {
        group.help = group.template.iter().map(|help| with_addresses(help, &group.refusals)).collect();
    }
    out
}

fn without_address(help: &str, refusal: &Refusal) -> String {
    match &refusal.address {
        Some(address) => {
            let address = address.to_string();
            help.replace(&argument(&address), ADDRESS).replace(&address, ADDRESS)
        }
        None => help.to_owned(),
    }
}

fn with_addresses(help: &str, refusals: &[&Refusal]) -> String {
    let named = refusals.iter().filter_map(|refusal| refusal.address.as_ref());
    let all: Vec<String> = named.map(|address| argument(&address.to_string())).collect();
    let flag = format!("--overwrite {ADDRESS}");
    if all.len() > MOST {
        return help.replace(&flag, "--overwrite ADDRESS").replace(ADDRESS, "ADDRESS");
    }
    let flags: Vec<String> = all.iter().map(|address| format!("--overwrite {address}")).collect();
    help.replace(&flag, &flags.join(" ")).replace(ADDRESS, &all.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Address;
    use crate::problem::Problem;

    fn refusal(guard: &'static str, name: &str) -> Refusal {
        let address = Address::new("clients", name);
        let named = argument(&address.to_string());
        let problem = Problem::error(guard, format!("`{address}` was changed"))
            .help(format!("keep it: `tenantry adopt {named}`"))
            .help(format!("put it back: add `--overwrite {named}`"));
        Refusal { guard, address: Some(address), problem }
    }

    #[test]
    fn advice_that_differs_in_the_address_alone_is_said_once() {
        let all = [refusal("drift", "a"), refusal("conflict", "b"), refusal("drift", "My App")];
        let groups = groups(&all);
        let told: Vec<(&str, usize)> = groups.iter().map(|group| (group.guard, group.refusals.len())).collect();
        assert_eq!(told, [("drift", 2), ("conflict", 1)]);
        let help = groups.first().map(|group| group.help.clone()).unwrap_or_default();
        assert_eq!(
            help,
            [
                "keep it: `tenantry adopt clients/a \"clients/My App\"`",
                "put it back: add `--overwrite clients/a --overwrite \"clients/My App\"`",
            ]
        );
    }

    #[test]
    fn advice_about_many_leaves_the_names_to_people() {
        let all: Vec<Refusal> = (0..9).map(|n| refusal("drift", &format!("c{n}"))).collect();
        let help = groups(&all).first().map(|group| group.help.clone()).unwrap_or_default();
        assert_eq!(help, ["keep it: `tenantry adopt ADDRESS`", "put it back: add `--overwrite ADDRESS`"]);
    }
}
