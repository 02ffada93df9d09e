//! Gamma is a property of the network: measured, it decides what a selfish pool earns, as the formula of Eyal and
//! Sirer says.

use super::{CONFIDENCE, Finding, Publication, Source};
use crate::exact::selfish_revenue;
use crate::kernel::run_seed;
use crate::measure::mean;
use crate::model::Outcome;
use crate::model::relay::{Pool, Relay, RelayMode, Upload};
use crate::network::{Maker, NetworkSetting, Power, PresetName};
use crate::strategy::StrategySetting;
use shared::params::Params;
use shared::params::RetargetRule;

pub(super) const PUBLICATION: Publication = Publication {
    name: "gamma",
    citation: "I. Eyal and E. G. Sirer, 2014, equation 8, at the gamma of a network of 100 nodes",
    source: Source::AsCited,
    findings,
};

const SHARE: f64 = 1.0 / 3.0;
/// What a message takes over the pool's links.
const LINKS_MS: [u64; 5] = [0, 50, 100, 200, 400];
const RUNS: u64 = 20;
const BLOCKS: u64 = 2000;

fn findings(seed: u64) -> Vec<Finding> {
    let mut gammas = Vec::new();
    let mut findings: Vec<Finding> = LINKS_MS
        .into_iter()
        .map(|link_ms| {
            let name = format!("gamma link_ms={link_ms}");
            let seeds = (0..RUNS).map(|run| run_seed(seed, &name, run));
            let outcomes: Vec<Outcome> = seeds.map(|seed| relay(link_ms).run(seed)).collect();
            let measured: Vec<f64> = outcomes.iter().filter_map(|outcome| outcome.gamma).collect();
            let gamma = measured.iter().sum::<f64>() / measured.len() as f64;
            gammas.push(gamma);
            let shares: Vec<f64> = outcomes.iter().filter_map(Outcome::share).collect();
            let what =
                format!("simulated: share of a pool of 1/3 with links of {link_ms} ms, where gamma is {gamma:.3}");
            let seed = run_seed(seed, &name, 0);
            Finding::simulated(what, selfish_revenue(SHARE, gamma), mean(&shares, CONFIDENCE), seed)
        })
        .collect();
    let falls = gammas.windows(2).all(|pair| pair[1] < pair[0]);
    findings.push(Finding {
        what: "gamma falls as the pool's links get slower, from almost 1 to almost 0".to_owned(),
        published: "1 to 0".to_owned(),
        ours: format!(
            "{:.3} to {:.3}",
            gammas.first().copied().unwrap_or(f64::NAN),
            gammas.last().copied().unwrap_or(f64::NAN)
        ),
        interval: None,
        holds: falls && gammas.first().is_some_and(|g| *g > 0.98) && gammas.last().is_some_and(|g| *g < 0.02),
        seed: None,
    });
    findings
}

fn relay(link_ms: u64) -> Relay {
    Relay {
        network: NetworkSetting {
            preset: PresetName::Simblock2019,
            nodes: 100,
            latency_ms: 0,
            power: Power::Normal,
            graph: Maker::Degrees,
        },
        mode: RelayMode::Compact,
        upload: Upload::Transfer,
        block_bytes: 535_000,
        pool: Some(Pool { share: SHARE, strategy: StrategySetting::Selfish, link_ms }),
        events: Vec::new(),
        params: Params { retarget: RetargetRule::Fixed, block_interval_ms: 600_000, ..Params::default() },
        blocks: BLOCKS,
        warm_up: 0,
    }
}
