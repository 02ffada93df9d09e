//! `policy`: a policy read from a table, so that results of solvers come in without a line of Rust.
//!
//! The table is CSV with the columns `ours,theirs,fork,action`: lengths of the secret and the public branch since they
//! parted, `irrelevant`, `relevant` or `active`, and `adopt`, `override`, `match` or `wait`, as in Sapirshtein,
//! Sompolinsky and Zohar, "Optimal selfish mining strategies in Bitcoin" (2016). Lines that are empty or begin with `#`
//! are skipped, and so is a first line with the names of the columns. A state that no line names gives up, or publishes
//! all that wins.

use super::{Action, Fork, Policy};

/// The longest branch that a table may name.
const LONGEST: u32 = 400;
/// The most bytes of a table.
const MOST_BYTES: usize = 16 << 20;

/// A policy as a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyTable {
    /// Lengths below this are in the table.
    side: u32,
    /// By ours, theirs and fork.
    actions: Vec<Option<Action>>,
}

/// Why a table is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TableError {
    /// It is too long.
    #[error("the table has more than {MOST_BYTES} bytes")]
    TooLong,
    /// A line is none of a table.
    #[error("line {line}: expected ours,theirs,fork,action, for example 2,1,relevant,override; got {got:?}")]
    Line {
        /// Its number, from 1.
        line: usize,
        /// Its beginning.
        got: String,
    },
    /// A length is above the bound.
    #[error("line {line}: branches of more than {LONGEST} blocks are not for tables")]
    Length {
        /// Its number, from 1.
        line: usize,
    },
    /// Two lines decide the same state.
    #[error("line {line}: this state has an action already")]
    Twice {
        /// Its number, from 1.
        line: usize,
    },
    /// There is no line.
    #[error("the table is empty")]
    Empty,
}

impl PolicyTable {
    /// Reads a table.
    ///
    /// # Errors
    /// The first line that is wrong.
    pub fn read(text: &str) -> Result<Self, TableError> {
        if text.len() > MOST_BYTES {
            return Err(TableError::TooLong);
        }
        let mut states = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') || (states.is_empty() && line.starts_with("ours")) {
                continue;
            }
            let state = parse(line)
                .ok_or_else(|| TableError::Line { line: number, got: line.chars().take(40).collect::<String>() })?;
            if state.0 > LONGEST || state.1 > LONGEST {
                return Err(TableError::Length { line: number });
            }
            states.push((number, state));
        }
        let longest = states.iter().map(|(_, (ours, theirs, ..))| *ours.max(theirs)).max().ok_or(TableError::Empty)?;
        let side = longest + 1;
        let mut table = Self { side, actions: vec![None; (side * side * 3) as usize] };
        for (line, (ours, theirs, fork, action)) in states {
            let place = table.place(ours, theirs, fork).and_then(|place| table.actions.get_mut(place));
            match place {
                Some(place) if place.is_none() => *place = Some(action),
                _ => return Err(TableError::Twice { line }),
            }
        }
        Ok(table)
    }

    fn place(&self, ours: u32, theirs: u32, fork: Fork) -> Option<usize> {
        let fork = match fork {
            Fork::Irrelevant => 0,
            Fork::Relevant => 1,
            Fork::Active => 2,
        };
        (ours < self.side && theirs < self.side).then(|| ((ours * self.side + theirs) * 3 + fork) as usize)
    }
}

impl Policy for PolicyTable {
    fn decide(&self, ours: u32, theirs: u32, fork: Fork) -> Action {
        let listed = self.place(ours, theirs, fork).and_then(|place| self.actions.get(place).copied().flatten());
        listed.unwrap_or(if ours > theirs { Action::Override } else { Action::Adopt })
    }
}

fn parse(line: &str) -> Option<(u32, u32, Fork, Action)> {
    let cells: Vec<&str> = line.split(',').map(str::trim).collect();
    let [ours, theirs, fork, action] = cells[..] else { return None };
    let fork = match fork {
        "irrelevant" => Fork::Irrelevant,
        "relevant" => Fork::Relevant,
        "active" => Fork::Active,
        _ => return None,
    };
    let action = match action {
        "adopt" => Action::Adopt,
        "override" => Action::Override,
        "match" => Action::Match,
        "wait" => Action::Wait,
        _ => return None,
    };
    Some((ours.parse().ok()?, theirs.parse().ok()?, fork, action))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exact::{policy_revenue, selfish_revenue};
    use crate::strategy::Selfish;

    /// The table of a policy, up to branches of `longest` blocks.
    fn table_of(policy: &impl Policy, longest: u32) -> String {
        let mut text = "ours,theirs,fork,action\n".to_owned();
        for (ours, theirs) in (0..=longest).flat_map(|ours| (0..=longest).map(move |theirs| (ours, theirs))) {
            for (fork, name) in
                [(Fork::Irrelevant, "irrelevant"), (Fork::Relevant, "relevant"), (Fork::Active, "active")]
            {
                let action = format!("{:?}", policy.decide(ours, theirs, fork)).to_lowercase();
                text.push_str(&format!("{ours},{theirs},{name},{action}\n"));
            }
        }
        text
    }

    #[test]
    fn selfish_mining_as_a_table_earns_the_same() {
        let table = PolicyTable::read(&table_of(&Selfish, 60)).unwrap();
        let share = policy_revenue(&table, 0.3, 0.5, 60).share();
        assert!((share - selfish_revenue(0.3, 0.5)).abs() < 1e-6, "{share}");
    }

    #[test]
    fn what_is_no_table_is_refused_with_its_line() {
        for (text, complaint) in [
            ("", "the table is empty"),
            ("# nothing\n", "the table is empty"),
            ("1,0,relevant,override\n1,0,relevant,wait", "line 2: this state has an action already"),
            ("1,0,relevant", "line 1: expected ours,theirs,fork,action"),
            ("1,0,often,wait", "line 1"),
            ("1,-1,active,wait", "line 1"),
            ("0,4000000000,active,wait", "line 1: branches of more than 400 blocks"),
        ] {
            let error = PolicyTable::read(text).unwrap_err().to_string();
            assert!(error.contains(complaint), "{text}: {error}");
        }
    }
}
