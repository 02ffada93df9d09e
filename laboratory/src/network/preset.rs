//! Presets: regions, latencies and bandwidths of known network models.
//!
//! The figures of `simblock-2019` and `simblock-2015` are those of SimBlock (Aoki et al., "SimBlock: a blockchain
//! network simulator", 2019; dsg-titech/simblock, `NetworkConfiguration.java` and `SimulationConfiguration.java`).

use serde::{Deserialize, Serialize};

/// The presets by name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PresetName {
    /// The Internet of 2019 as SimBlock has it: six regions.
    #[default]
    #[serde(rename = "simblock-2019")]
    Simblock2019,
    /// The same of 2015.
    #[serde(rename = "simblock-2015")]
    Simblock2015,
    /// One place: 1 ms, a gigabit a second.
    Lan,
    /// Every message takes `latency_ms`; a gigabit a second.
    Uniform,
}

impl PresetName {
    /// Every preset, with its name and what it is.
    pub const ALL: [(Self, &str, &str); 4] = [
        (Self::Simblock2019, "simblock-2019", "the Internet of 2019 as SimBlock has it: six regions"),
        (Self::Simblock2015, "simblock-2015", "the same of 2015"),
        (Self::Lan, "lan", "one place: 1 ms, a gigabit a second"),
        (Self::Uniform, "uniform", "every message takes latency_ms; a gigabit a second"),
    ];
}

/// A region.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Region {
    /// Its name.
    pub name: &'static str,
    /// The share of nodes that are there.
    pub share: f64,
    /// Bits a second that a node sends.
    pub upload_bits: u64,
    /// Bits a second that a node receives.
    pub download_bits: u64,
}

/// A network model.
#[derive(Debug, Clone)]
pub struct Preset {
    /// Its regions.
    pub regions: Vec<Region>,
    /// Mean latency from region to region.
    pub latencies_ms: Vec<Vec<u64>>,
    /// Whether latencies follow SimBlock's Pareto distribution.
    pub latency_varies: bool,
    /// The share of nodes that use compact blocks.
    pub compact_share: f64,
    /// The share of nodes that join and leave often.
    pub churn_share: f64,
}

const NAMES: [&str; 6] = ["north-america", "europe", "south-america", "asia-pacific", "japan", "australia"];

const LATENCY_2019: [[u64; 6]; 6] = [
    [32, 124, 184, 198, 151, 189],
    [124, 11, 227, 237, 252, 294],
    [184, 227, 88, 325, 301, 322],
    [198, 237, 325, 85, 58, 198],
    [151, 252, 301, 58, 12, 126],
    [189, 294, 322, 198, 126, 16],
];
const SHARE_2019: [f64; 6] = [0.3316, 0.4998, 0.0090, 0.1177, 0.0224, 0.0195];
const DOWNLOAD_2019: [u64; 6] = [52_000_000, 40_000_000, 18_000_000, 22_800_000, 22_800_000, 29_900_000];
const UPLOAD_2019: [u64; 6] = [19_200_000, 20_700_000, 5_800_000, 15_700_000, 10_200_000, 11_300_000];

const LATENCY_2015: [[u64; 6]; 6] = [
    [36, 119, 255, 310, 154, 208],
    [119, 12, 221, 242, 266, 350],
    [255, 221, 137, 347, 256, 269],
    [310, 242, 347, 99, 172, 278],
    [154, 266, 256, 172, 9, 163],
    [208, 350, 269, 278, 163, 22],
];
const SHARE_2015: [f64; 6] = [0.3869, 0.5159, 0.0113, 0.0574, 0.0119, 0.0166];
const DOWNLOAD_2015: [u64; 6] = [25_000_000, 24_000_000, 6_500_000, 10_000_000, 17_500_000, 14_000_000];
const UPLOAD_2015: [u64; 6] = [4_700_000, 8_100_000, 1_800_000, 5_300_000, 3_400_000, 5_200_000];

/// The share of nodes that open at most 1, 2, 3 … links (Miller et al., "Discovering Bitcoin's public topology and
/// influential nodes", 2015).
const DEGREES: [f64; 20] = [
    0.025, 0.050, 0.075, 0.10, 0.20, 0.30, 0.40, 0.50, 0.60, 0.70, 0.80, 0.85, 0.90, 0.95, 0.97, 0.97, 0.98, 0.99,
    0.995, 1.0,
];

/// The share of nodes that use compact blocks, and of those that join and leave often.
const COMPACT_SHARE: f64 = 0.964;
const CHURN_SHARE: f64 = 0.976;

impl Preset {
    /// The preset of this name.
    pub fn new(name: PresetName, latency_ms: u64) -> Self {
        match name {
            PresetName::Simblock2019 => Self::simblock(SHARE_2019, UPLOAD_2019, DOWNLOAD_2019, LATENCY_2019),
            PresetName::Simblock2015 => Self::simblock(SHARE_2015, UPLOAD_2015, DOWNLOAD_2015, LATENCY_2015),
            PresetName::Lan => Self::one_place(1),
            PresetName::Uniform => Self::one_place(latency_ms),
        }
    }

    fn simblock(share: [f64; 6], upload: [u64; 6], download: [u64; 6], latencies_ms: [[u64; 6]; 6]) -> Self {
        let region = |number: usize| Region {
            name: NAMES[number],
            share: share[number],
            upload_bits: upload[number],
            download_bits: download[number],
        };
        Self {
            regions: (0..6).map(region).collect(),
            latencies_ms: latencies_ms.iter().map(|row| row.to_vec()).collect(),
            latency_varies: true,
            compact_share: COMPACT_SHARE,
            churn_share: CHURN_SHARE,
        }
    }

    fn one_place(latency_ms: u64) -> Self {
        let gigabit = 1_000_000_000;
        let region = Region { name: "everywhere", share: 1.0, upload_bits: gigabit, download_bits: gigabit };
        Self {
            regions: vec![region],
            latencies_ms: vec![vec![latency_ms]],
            latency_varies: false,
            compact_share: 1.0,
            churn_share: 0.0,
        }
    }

    /// The share of nodes that open 1, 2, 3 … links.
    pub fn degree_shares(&self) -> Vec<f64> {
        let before = std::iter::once(0.0).chain(DEGREES);
        DEGREES.iter().zip(before).map(|(up_to, before)| up_to - before).collect()
    }
}
