//! Laws of the graph of delays, and agreement with the race.

use super::*;
use crate::measure::mean;
use crate::model::race::Race;
use shared::params::RetargetRule;

fn params() -> Params {
    Params { retarget: RetargetRule::Fixed, block_interval_ms: 600_000, ..Params::default() }
}

fn honest(powers: &[f64]) -> Vec<LinkedMiner> {
    powers.iter().map(|&power| LinkedMiner { power, strategy: StrategySetting::Honest }).collect()
}

fn links(miners: Vec<LinkedMiner>, maker: Maker, latency_ms: u64) -> Links {
    let graph = LinkGraph::Made { maker, latency_ms };
    Links { miners, graph, validation_ms: 0, params: params(), blocks: 20_000, warm_up: 0 }
}

#[test]
fn without_delay_no_block_is_stale_and_shares_are_fair() {
    let outcome = links(honest(&[0.5, 0.3, 0.2]), Maker::Full, 0).run(1);
    assert_eq!(outcome.stale(), Some(0.0));
    assert!((outcome.share().unwrap() - 0.5).abs() < 0.013, "{outcome:?}");
}

#[test]
fn two_equal_miners_lose_as_many_blocks_as_they_find_within_the_delay_of_one_another() {
    // A block is met by a rival if the other miner finds one while it is on its way: 1 - exp(-delay / (2 intervals)).
    let found = links(honest(&[1.0, 1.0]), Maker::Full, 60_000);
    let rates: Vec<f64> = (0..20).map(|seed| found.run(seed).stale().unwrap()).collect();
    let interval = mean(&rates, 0.999).unwrap();
    assert!((0.04..0.05).contains(&interval.estimate), "{interval:?}");
}

#[test]
fn blocks_take_the_fastest_way_and_a_miner_that_cannot_be_reached_is_refused() {
    let edge = |from, to, ms| Edge { from, to, ms };
    let ring = [edge(0, 1, 5), edge(1, 2, 5), edge(2, 0, 30), edge(0, 2, 20)];
    let delays = Delays::new(3, &ring).unwrap();
    assert_eq!([delays.ms(0, 2), delays.ms(2, 1), delays.ms(1, 1), delays.longest_ms(2)], [10, 35, 0, 35]);
    assert_eq!(Delays::new(3, &ring[..2]), Err(Unreachable { from: 1, to: 0 }));
}

#[test]
fn two_nodes_without_delay_are_the_race_with_gamma_0() {
    let stubborn = crate::strategy::Stubborn { lead: true, equal_fork: false, trail: 1 };
    for (share, strategy) in [
        (0.3, StrategySetting::Honest),
        (0.35, StrategySetting::Selfish),
        (0.4, StrategySetting::Selfish),
        (0.42, StrategySetting::Stubborn(stubborn)),
    ] {
        let mut miners = honest(&[share, 1.0 - share]);
        miners[0].strategy = strategy.clone();
        let graph = links(miners, Maker::Full, 0);
        let race = Race {
            share,
            gamma: 0.0,
            strategy: strategy.clone(),
            clock_ahead_ms: 0,
            params: params(),
            blocks: 20_000,
            warm_up: 0,
        };
        let shares =
            |run: &dyn Fn(u64) -> Outcome| -> Vec<f64> { (0..30).map(|seed| run(seed).share().unwrap()).collect() };
        let one = mean(&shares(&|seed| graph.run(seed)), 0.999).unwrap();
        let other = mean(&shares(&|seed| race.run(seed + 100)), 0.999).unwrap();
        assert!(one.low <= other.high && other.low <= one.high, "{strategy:?}: {one:?} and {other:?}");
    }
}

#[test]
fn a_pool_with_faster_links_than_the_others_wins_ties() {
    // A star: the pool in the middle, 20 ms from everybody; the others are 400 ms apart.
    let gamma = |pool_ms: u64| {
        let mut miners = honest(&[0.35, 0.13, 0.13, 0.13, 0.13, 0.13]);
        miners[0].strategy = StrategySetting::Selfish;
        let mut edges = Vec::new();
        for one in 0..6 {
            for other in (0..6).filter(|other| *other != one) {
                let ms = if one == 0 || other == 0 { pool_ms } else { 400 };
                edges.push(Edge { from: one, to: other, ms });
            }
        }
        let graph = LinkGraph::Listed(Arc::new(Delays::with_silent(&edges, &silent(&miners)).unwrap()));
        let mut links = links(miners, Maker::Full, 0);
        links.graph = graph;
        links.run(2).gamma.unwrap()
    };
    // The finder of the rival block stays on it.
    assert!((gamma(20) - 0.8).abs() < 0.01, "{}", gamma(20));
    assert!(gamma(500) < 0.01);
}

#[test]
fn several_strategies_at_once_and_who_watches_changes_nothing() {
    let mut miners = honest(&[0.2, 0.2, 0.3, 0.3]);
    miners[0].strategy = StrategySetting::Selfish;
    miners[1].strategy = StrategySetting::Withhold { hold_ms: Some(100_000) };
    let links = links(miners, Maker::Ring, 3000);
    let mut steps = 0;
    let outcome = links.run_watched(5, Some(&mut |_: &crate::model::Step| steps += 1));
    assert_eq!((outcome.clone(), links.run(5)), (links.run(5), outcome.clone()));
    assert!(steps > 20_000);
    assert!(outcome.miners[1].main < outcome.miners[2].main);
}

#[test]
fn a_seed_means_the_same_run_for_ever() {
    assert_eq!(links(honest(&[1.0; 8]), Maker::Regular(3), 10_000).run(42).digest, 11_523_658_844_036_498_180);
}
