//! Everything that the first page shows, at one moment.

use super::aftermath::Aftermath;
use super::making::Making;
use super::purse::Purses;
use super::standing::Standing;
use super::story::Story;
use crate::names::Cast;
use crate::network::NetworkState;
use crate::thefts::TheftNews;
use shared::block::{BlockId, Timestamp};
use shared::ledger::Address;
use shared::params::Params;
use std::collections::BTreeMap;
use std::sync::Arc;

#[derive(Debug, Clone)]
pub(crate) struct Scene {
    pub(crate) now: Timestamp,
    pub(crate) params: Arc<Params>,
    pub(crate) state: Arc<NetworkState>,
    pub(crate) cast: Cast,
    pub(crate) standing: Standing,
    pub(crate) act: Act,
    pub(crate) story: Story,
    /// One for each lane, or one; none without money or while no mempool answers.
    pub(crate) making: Vec<Making>,
    pub(crate) people: Vec<Person>,
    pub(crate) purses: Option<Arc<Purses>>,
    /// What became of the branch that lost last.
    pub(crate) aftermath: Option<Aftermath>,
    /// Payments that wait; `None` if no mempool answers.
    pub(crate) waiting: Option<u64>,
    /// `None` where nobody can be let steal.
    pub(crate) thefts: Option<TheftNews>,
    /// It is of a recording: there are no mempools, and nothing can be done.
    pub(crate) is_recorded: bool,
}

/// What the button does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Act {
    Split {
        halves: [Vec<String>; 2],
    },
    Heal,
    /// Not possible: why, in a few words. Empty if the explorer steers no node.
    None(&'static str),
}

/// A person, and what they have, in grains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Person {
    pub(crate) address: Address,
    pub(crate) grains: i128,
    /// During a split, what each side says, if that differs.
    pub(crate) two: Option<[i128; 2]>,
    /// The blocks that they have found lately and earned with the newest one.
    pub(crate) earned: Option<u64>,
}

impl Scene {
    /// The same moment with the clock at its beginning: two scenes that look the same like this differ only in ages,
    /// which open pages count themselves.
    pub(crate) fn without_clock(&self) -> Self {
        Self { now: Timestamp::from_ms(0), ..self.clone() }
    }

    /// The people, the richest first.
    pub(crate) fn people_of(purses: Option<&Purses>, state: &NetworkState, sides: Option<[BlockId; 2]>) -> Vec<Person> {
        let Some(purses) = purses else { return Vec::new() };
        let both = sides.and_then(|sides| {
            let [one, other] = sides.map(|tip| purses.at(state, tip.hash));
            Some((one?, other?))
        });
        let newest = state.contents.get(&purses.at);
        let mut people: Vec<Person> = purses
            .grains
            .iter()
            .map(|(address, grains)| {
                let of = |at: &BTreeMap<Address, i128>| at.get(address).copied().unwrap_or(0);
                let two = both.as_ref().map(|(one, other)| [of(one), of(other)]).filter(|[one, other]| one != other);
                let earned = newest.filter(|contents| contents.miner == Some(*address)).map(|contents| contents.earned);
                Person { address: *address, grains: (*grains).into(), two, earned }
            })
            .collect();
        people.sort_by_key(|person| (std::cmp::Reverse(person.grains), person.address));
        people
    }
}
