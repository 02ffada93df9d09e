//! Plays a policy by branch lengths alone: a few nanoseconds a block, in constant memory.

use super::Race;
use crate::kernel::{Probability, Stream, mixed, stream};
use crate::model::tally::BATCHES;
use crate::model::{Outcome, Tally};
use crate::strategy::{Action, Fork, Policy};

/// Branches since they parted, and what has been settled below.
struct Lengths {
    ours: u32,
    theirs: u32,
    fork: Fork,
    settled: [u64; 2],
}

pub(super) fn run(race: &Race, policy: &impl Policy, seed: u64) -> Outcome {
    let (share, gamma) = (Probability::new(race.share), Probability::new(race.gamma));
    let mut random = stream(seed, Stream::Miner);
    let mut state = Lengths { ours: 0, theirs: 0, fork: Fork::Irrelevant, settled: [0, 0] };
    let mut found = [0_u64; 2];
    let mut before = ([0_u64; 2], [0_u64; 2]);
    // Where batches of found blocks end, and what was settled there.
    let batch = (race.blocks / BATCHES as u64).max(1);
    let mut marks = Vec::with_capacity(BATCHES + 1);
    let mut next_mark = race.warm_up;
    for block in 0..race.warm_up + race.blocks {
        if block == race.warm_up {
            let pending = [u64::from(state.ours), u64::from(state.theirs)];
            before = ([found[0] - pending[0], found[1] - pending[1]], state.settled);
        }
        if block == next_mark {
            marks.push(state.settled);
            next_mark += batch;
        }
        if share.happens(&mut random) {
            found[0] += 1;
            state.ours += 1;
            if state.fork == Fork::Relevant {
                state.fork = Fork::Irrelevant;
            }
        } else {
            found[1] += 1;
            if state.fork == Fork::Active && gamma.happens(&mut random) {
                // The others have extended our published branch: it is settled.
                state.settled[0] += u64::from(state.theirs);
                state.ours -= state.theirs;
                state.theirs = 1;
            } else {
                state.theirs += 1;
            }
            state.fork = Fork::Relevant;
        }
        state.act(policy);
    }
    let tally = |who: usize, pending: u32| Tally {
        found: found[who] - u64::from(pending) - before.0[who],
        main: state.settled[who] - before.1[who],
    };
    let miners = vec![tally(0, state.ours), tally(1, state.theirs)];
    // Under the fixed rule a block takes one interval on average, no matter who finds it.
    let elapsed_ms = race.blocks * race.params.block_interval_ms;
    let digest = mixed(seed, &[miners[0].found, miners[0].main, miners[1].found, miners[1].main]);
    marks.push(state.settled);
    let batches = marks.windows(2).take(BATCHES).filter_map(|pair| {
        let (ours, theirs) = (pair[1][0] - pair[0][0], pair[1][1] - pair[0][1]);
        (ours + theirs > 0).then(|| ours as f64 / (ours + theirs) as f64)
    });
    Outcome { miners, elapsed_ms, digest, batches: batches.collect(), ..Outcome::default() }
}

impl Lengths {
    #[inline]
    fn act(&mut self, policy: &impl Policy) {
        let decision = policy.decide(self.ours, self.theirs, self.fork);
        match decision.where_possible(self.ours, self.theirs, self.fork) {
            Action::Adopt => {
                self.settled[1] += u64::from(self.theirs);
                (self.ours, self.theirs, self.fork) = (0, 0, Fork::Irrelevant);
            }
            Action::Override => {
                self.settled[0] += u64::from(self.theirs) + 1;
                (self.ours, self.theirs, self.fork) = (self.ours - self.theirs - 1, 0, Fork::Irrelevant);
            }
            Action::Match => self.fork = Fork::Active,
            Action::Wait => {}
        }
    }
}
