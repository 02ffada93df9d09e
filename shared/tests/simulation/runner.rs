//! Runs a scenario from many seeds, lets the network settle after each, and says which (scenario, seed) failed.

use crate::checks;
use crate::world::World;
use shared::block::BlockHash;

/// The result of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Virtual time from healing until all honest nodes had one tip.
    pub agreed_after_ms: u64,
    /// Blocks that were mined to decide between branches of equal work.
    pub ties: u64,
    pub deepest_reorganisation: u64,
    pub height: u64,
    digest: (Vec<Option<BlockHash>>, u64, u64),
}

/// Names the run that is under way, if it fails.
struct Announced(&'static str, u64);

impl Drop for Announced {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let Self(scenario, seed) = self;
            let test = scenario.split(':').next().unwrap_or_default();
            eprintln!("FAILED: scenario {scenario}, seed {seed}");
            eprintln!("replay: CHAINLAB_SEED={seed} cargo test -p shared --test simulation {test}");
        }
    }
}

/// Runs `scenario` from `seeds` seeds, every tenth of them twice. `CHAINLAB_SEEDS` multiplies them, `CHAINLAB_SEED`
/// replays one.
pub fn run(name: &'static str, seeds: u64, scenario: impl Fn(u64) -> Outcome) {
    let setting = |name| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    let seeds = match setting("CHAINLAB_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..seeds * setting("CHAINLAB_SEEDS").unwrap_or(1),
    };
    let mut outcomes = Vec::new();
    for seed in seeds {
        let _announced = Announced(name, seed);
        let outcome = scenario(seed);
        if seed % 10 == 0 {
            assert_eq!(scenario(seed), outcome, "two runs of the same seed differ");
        }
        outcomes.push(outcome);
    }
    let mut times: Vec<_> = outcomes.iter().map(|outcome| outcome.agreed_after_ms).collect();
    times.sort_unstable();
    let at = |percent: usize| times[(times.len() - 1) * percent / 100];
    let most = |of: fn(&Outcome) -> u64| outcomes.iter().map(of).max().unwrap_or(0);
    println!(
        "{name}: {} seeds; agreed after ms: median {}, 99 % {}, most {}; deepest reorganisation {}, highest {}, \
         ties {}",
        times.len(),
        at(50),
        at(99),
        at(100),
        most(|outcome| outcome.deepest_reorganisation),
        most(|outcome| outcome.height),
        outcomes.iter().map(|outcome| outcome.ties).sum::<u64>(),
    );
}

/// Ends all faults and all mining, waits until the honest agree, and judges everything once more.
pub fn settle(world: &mut World, within_ms: u64) -> Outcome {
    world.mining = false;
    world.network.heal();
    for node in &mut world.nodes {
        (node.full, node.clock_offset_ms) = (false, 0);
        node.store.set_full(false);
    }
    world.start_all();
    let healed_ms = world.kernel.now_ms();
    let mut ties = 0;
    while !world.run_until((world.kernel.now_ms() + 20_000).min(healed_ms + within_ms), agreed) {
        if world.kernel.now_ms() >= healed_ms + within_ms {
            panic!("no agreement {within_ms} ms after healing: {}", describe(world));
        }
        // Between branches of equal work each node keeps the one that it saw first, until a block is mined.
        if tie(world) {
            ties += 1;
            let node = world.nodes.iter().position(|node| node.is_honest()).unwrap();
            world.mine_now(node);
        }
    }
    let now_ms = world.kernel.now_ms();
    let honest = || world.nodes.iter().filter(|node| node.is_honest());
    for node in honest() {
        checks::at_the_end(node, now_ms);
    }
    let deepest = honest().flat_map(|node| &node.record.undone).max().copied().unwrap_or(0);
    let height = honest().filter_map(|node| node.running.as_ref()).map(|running| running.chain.tip().index.0).max();
    Outcome {
        agreed_after_ms: now_ms - healed_ms,
        ties,
        deepest_reorganisation: deepest,
        height: height.unwrap_or(0),
        digest: world.digest(),
    }
}

pub fn agreed(world: &World) -> bool {
    let mut tips = world.nodes.iter().filter(|node| node.is_honest());
    let tip = |node: &crate::node::Node| node.running.as_ref().map(|running| running.chain.tip().hash());
    let first = tips.next().and_then(tip);
    first.is_some() && tips.all(|node| tip(node) == first)
}

fn tie(world: &World) -> bool {
    let mut honest = world.nodes.iter().filter(|node| node.is_honest()).map(|node| node.work);
    let first = honest.next();
    honest.all(|work| Some(work) == first)
}

fn describe(world: &World) -> String {
    use std::fmt::Write;
    let mut text = String::new();
    for node in &world.nodes {
        let Some(running) = &node.running else { continue };
        let tip = running.chain.tip();
        let _ = writeln!(text, "\n{}: tip {} {}, work {}", node.address, tip.index, tip.hash(), tip.work);
        for peer in running.syncer.peers() {
            let _ = writeln!(
                text,
                "  knows {} {:?} {:?}",
                peer.address,
                peer.tip.map(|tip| (tip.index.0, tip.work.0)),
                peer.error
            );
        }
        for note in node.record.notes.iter().rev().take(5) {
            let _ = writeln!(text, "  {note}");
        }
    }
    text
}
