//! The scene of this moment, from everything that the explorer knows.

use crate::network::{NetworkState, PaymentStep, Side};
use crate::pending_cache::PendingLists;
use crate::stage::aftermath::{Aftermath, Branches};
use crate::stage::making::{Making, payments_in};
use crate::stage::purse::Purses;
use crate::stage::scene::{Act, Scene};
use crate::stage::standing::Standing;
use crate::stage::story::{Lane, Story, Tile};
use crate::state::ExplorerState;
use crate::thefts::Thefts;
use shared::block::{BlockHash, BlockId};
use shared::ledger::{Address, TransactionId};
use std::sync::Arc;

/// The scene of this moment without what only a mempool knows: payments that wait, and who has how much.
pub(crate) fn outline_now(explorer: &ExplorerState) -> Scene {
    compose(explorer, None, None)
}

/// The scene of this moment.
pub(crate) async fn scene_now(explorer: &ExplorerState) -> Scene {
    let has_money = explorer.params.layer.has_money();
    let (lists, purses) = if has_money {
        let (cast, state) = (explorer.cast(), explorer.network());
        let purses = explorer.purses.now(&cast, &state, &explorer.upstream);
        let (lists, purses) = tokio::join!(explorer.pending_cache.now(&explorer.upstream), purses);
        (lists.ok(), purses)
    } else {
        (None, None)
    };
    compose(explorer, lists, purses)
}

fn compose(explorer: &ExplorerState, lists: Option<PendingLists>, purses: Option<Arc<Purses>>) -> Scene {
    let (state, cast, now) = (explorer.network(), explorer.cast(), explorer.clock.time());
    let steered = explorer.splitter.current();
    let standing = Standing::of(&state, steered.as_ref(), explorer.params.block_interval_ms, now);
    let story = Story::of(&state, &cast, &explorer.params);
    let is_going_on = state.split.as_ref().is_some_and(|split| split.outcome.is_none());
    let sides = state.split.as_ref().filter(|_| is_going_on).map(|split| &*split.sides);
    let tips = match sides {
        Some([Side { tip: Some(one), .. }, Side { tip: Some(other), .. }]) => Some([*one, *other]),
        _ => None,
    };
    let waiting = lists.as_ref().map(|lists| lists.by_age.len() as u64);
    let making = lists.map(|lists| making(&state, &lists, sides, explorer)).unwrap_or_default();
    let people = Scene::people_of(purses.as_deref(), &state, tips);
    let balance = |address: &Address| purses.as_ref()?.grains.get(address).copied();
    let aftermath = aftermath(&state, &story, explorer, balance);
    let act = act(&standing, steered.is_some(), &state, explorer);
    let params = explorer.shown_params.clone();
    let thefts = explorer.thefts.as_ref().map(Thefts::news);
    Scene {
        now,
        params,
        cast,
        standing,
        act,
        story,
        making,
        people,
        purses,
        aftermath,
        waiting,
        thefts,
        is_recorded: false,
        state,
    }
}

fn act(standing: &Standing, is_steered: bool, state: &NetworkState, explorer: &ExplorerState) -> Act {
    match (explorer.splitter.halves(&explorer.tokens), standing) {
        _ if is_steered => Act::Heal,
        (None, _) => Act::None(""),
        (_, Standing::Empty { .. }) => Act::None("Possible from block 1 on"),
        (_, Standing::Parted { .. } | Standing::Switching { .. }) => Act::None("Possible once all nodes agree"),
        (Some(halves), _) => {
            Act::Split { halves: halves.map(|half| state.by_letter(&half).into_iter().cloned().collect()) }
        }
    }
}

fn making(state: &NetworkState, lists: &PendingLists, sides: Option<&[Side]>, explorer: &ExplorerState) -> Vec<Making> {
    let at = |tip: BlockId| {
        let heard = state.blocks.get(&tip.hash).map_or(explorer.params.genesis_time, |block| block.heard);
        (tip.index, heard)
    };
    let on =
        |lane, tip, has: &[BlockHash]| Making::on(lane, at(tip), lists, &payments_in(state, has), &explorer.params);
    match sides {
        Some([upper, lower]) => {
            let of = |lane, side: &Side| Some(on(lane, side.tip?, &side.blocks));
            [of(Lane::Upper, upper), of(Lane::Lower, lower)].into_iter().flatten().collect()
        }
        _ => state.tip().map(|tip| on(Lane::Trunk, tip.id(), &[])).into_iter().collect(),
    }
}

/// What became of the payments of the lost branch that the picture shows.
fn aftermath(
    state: &NetworkState,
    story: &Story,
    explorer: &ExplorerState,
    balance: impl Fn(&Address) -> Option<u64>,
) -> Option<Aftermath> {
    let lost: Vec<BlockHash> = story.tiles.iter().filter(|tile| tile.is_lost).map(|tile| tile.block.hash).collect();
    if lost.is_empty() {
        return None;
    }
    let won_until = state.split.as_ref().and_then(|split| split.outcome.map(|(at, _)| at));
    // The winner's blocks when it won; of a fork without a split, those as high as the lost ones.
    let highest = story.tiles.iter().filter(|tile| tile.is_lost).map(|tile| tile.block.index).max()?;
    let is_won = |tile: &&Tile| {
        let is_first = tile.block.index <= highest || won_until.is_some_and(|at| tile.block.heard <= at);
        !tile.is_lost && tile.lane != Lane::Trunk && is_first
    };
    let won: Vec<BlockHash> = story.tiles.iter().filter(is_won).map(|tile| tile.block.hash).collect();
    let tip = state.tip()?.hash;
    let is_dropped =
        |id: &TransactionId| matches!(explorer.monitor.steps_of(id).last(), Some((_, PaymentStep::Dropped(_))));
    Aftermath::of(state, Branches { lost: &lost, won: &won, tip }, is_dropped, balance)
}
