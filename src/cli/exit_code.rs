//! [`ExitCode`]: what the process says when it ends.

use crate::problem::Problem;

/// How a run ended. `help exit-codes` prints this table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitCode {
    /// Done, or nothing to do.
    Done = 0,
    /// Something is wrong: the description, a request, the network.
    Error = 1,
    /// A write is due (`plan --detailed-exitcode`).
    Differences = 2,
    /// A guard refuses the plan.
    Refused = 3,
    /// The tenant moved since the plan was made.
    Moved = 4,
    /// Done in part.
    Partial = 5,
    /// Another deployment holds the lock.
    Locked = 6,
    /// The command line is wrong, or there is a question and nobody to ask.
    Usage = 64,
    /// Interrupted (Ctrl-C) before anything was written.
    Interrupted = 130,
    /// Terminated (SIGTERM) before anything was written.
    Terminated = 143,
}

impl ExitCode {
    /// Every code, in order.
    pub const ALL: [ExitCode; 10] = [
        ExitCode::Done,
        ExitCode::Error,
        ExitCode::Differences,
        ExitCode::Refused,
        ExitCode::Moved,
        ExitCode::Partial,
        ExitCode::Locked,
        ExitCode::Usage,
        ExitCode::Interrupted,
        ExitCode::Terminated,
    ];

    /// Returns the number.
    pub fn number(self) -> u8 {
        self as u8
    }

    /// Says what it means, in one line.
    pub fn meaning(self) -> &'static str {
        match self {
            ExitCode::Done => "done, or nothing to do",
            ExitCode::Error => {
                "error: a description that does not hold, a refused request, a network that is not there"
            }
            ExitCode::Differences => {
                "differences: a write is due or drift stands (plan --detailed-exitcode, drift, compare), or some was left (adopt, export)"
            }
            ExitCode::Refused => {
                "refused by a guard: the policy, or what always protects you (plan, apply, revert, restore)"
            }
            ExitCode::Moved => "the tenant moved since the plan was made (apply, revert, restore)",
            ExitCode::Partial => "done in part: some changes are in and some are not, or parts were not readable",
            ExitCode::Locked => "another deployment holds the lock (apply, revert, restore)",
            ExitCode::Usage => "wrong usage: an unknown flag, a bad value; a question with no terminal and no --yes",
            ExitCode::Interrupted => "interrupted (Ctrl-C) before anything was written",
            ExitCode::Terminated => "terminated (SIGTERM) before anything was written",
        }
    }

    /// Returns the code for problems that stopped a command, by their ids.
    pub fn of(problems: &[Problem]) -> Self {
        let mut errors = problems.iter().filter(|problem| problem.is_error()).map(|problem| problem.id);
        match errors.find_map(|id| match id {
            "usage" | "environment-needed" | "unknown-environment" | "unknown-side" | "ambiguous-side" => {
                Some(ExitCode::Usage)
            }
            "locked" => Some(ExitCode::Locked),
            "interrupted" => Some(ExitCode::Interrupted),
            "plan-moved" => Some(ExitCode::Moved),
            _ => None,
        }) {
            Some(code) => code,
            None => ExitCode::Error,
        }
    }
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        std::process::ExitCode::from(code.number())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_ascend_and_are_documented() {
        let numbers: Vec<u8> = ExitCode::ALL.iter().map(|code| code.number()).collect();
        assert_eq!(numbers, [0, 1, 2, 3, 4, 5, 6, 64, 130, 143]);
    }

    #[test]
    fn problems_choose_a_code() {
        assert_eq!(ExitCode::of(&[Problem::error("unknown-field", "x")]), ExitCode::Error);
        assert_eq!(ExitCode::of(&[Problem::error("usage", "x")]), ExitCode::Usage);
        assert_eq!(ExitCode::of(&[Problem::warning("usage", "x"), Problem::error("locked", "x")]), ExitCode::Locked);
        assert_eq!(ExitCode::of(&[]), ExitCode::Error);
    }
}
