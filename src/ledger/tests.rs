#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod folder;
mod git;
mod racing;

use super::*;
use crate::deployment::stored::tests::{ended, sample};

/// Ids of deployments, oldest first.
fn id(n: u8) -> String {
    format!("01JD7Z00000000000000000{n:03}")
}

fn ids(history: &History) -> Vec<String> {
    history.iter().map(|record| record.id.clone()).collect()
}

fn unfinished(history: &History) -> usize {
    history.unfinished().count()
}

fn problem_ids(problems: &[Problem]) -> Vec<&str> {
    problems.iter().map(|problem| problem.id).collect()
}

const DOMAIN: &str = "acme.eu.auth0.com";
