//! A tiny layer for tests, since layer `data` writes no state: each line of `data` is a command.
//!
//! ```text
//! put k v          sets a key                       bad               breaks a rule by itself (stage 3)
//! del k            removes a key                    fail              breaks a rule on any state (stage 4)
//! say …            does nothing                     fail unless k=v   breaks a rule on other states (stage 4)
//! claim k v        puts a key that must not be there yet, as a transaction's id must not: applied twice it fails
//! ```

use shared::layer::{Effect, EffectError, Layer, Position, TemplateRequest};
use shared::state::{StateRead, StateView};
use shared::violation::RuleViolation;

/// The layer.
pub(crate) struct Ledger;

/// The rule that `bad` and unknown commands break.
pub(crate) const BAD: &str = "ledger-bad";
/// The rule that `fail` breaks.
pub(crate) const FAIL: &str = "ledger-fail";

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Command {
    Put(String, String),
    Claim(String, String),
    Del(String),
    Say,
    Fail,
    FailUnless(String, String),
}

/// Reads data as commands; `None` if one is bad.
pub(crate) fn commands(data: &str) -> Option<Vec<Command>> {
    data.lines().map(command).collect()
}

fn command(line: &str) -> Option<Command> {
    let words: Vec<_> = line.split(' ').collect();
    Some(match words.as_slice() {
        ["put", key, value] => Command::Put((*key).to_owned(), (*value).to_owned()),
        ["claim", key, value] => Command::Claim((*key).to_owned(), (*value).to_owned()),
        ["del", key] => Command::Del((*key).to_owned()),
        ["say", ..] => Command::Say,
        ["fail"] => Command::Fail,
        ["fail", "unless", condition] => {
            let (key, value) = condition.split_once('=')?;
            Command::FailUnless(key.to_owned(), value.to_owned())
        }
        _ => return None,
    })
}

impl Layer for Ledger {
    fn read(&self, data: &str) -> Result<Box<dyn Effect>, RuleViolation> {
        let bad = || RuleViolation { rule: BAD, detail: format!("{data:?} has a bad command") };
        Ok(Box::new(Commands(commands(data).ok_or_else(bad)?)))
    }

    fn template(&self, _: &Position, _: &dyn StateRead, wanted: &TemplateRequest<'_>) -> Result<String, EffectError> {
        Ok(format!("say {}", wanted.message))
    }
}

struct Commands(Vec<Command>);

impl Effect for Commands {
    fn apply(&self, _: &Position, state: &mut dyn StateView) -> Result<(), EffectError> {
        for command in &self.0 {
            match command {
                Command::Put(key, value) => state.put(key.as_bytes(), value.as_bytes()),
                Command::Claim(key, value) if state.get(key.as_bytes())?.is_none() => {
                    state.put(key.as_bytes(), value.as_bytes());
                }
                Command::Del(key) => state.delete(key.as_bytes()),
                Command::Say => {}
                Command::FailUnless(key, value) if state.get(key.as_bytes())?.as_deref() == Some(value.as_bytes()) => {}
                Command::Fail | Command::FailUnless(..) | Command::Claim(..) => {
                    return Err(RuleViolation { rule: FAIL, detail: format!("{command:?}") }.into());
                }
            }
        }
        Ok(())
    }
}
