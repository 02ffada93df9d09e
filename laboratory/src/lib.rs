//! Experiments with proof-of-work chains in virtual time: a question in, an answer with its uncertainty out.
//!
//! The library is pure, as `shared` is: a run is a function of its scenario and its seed, and reads no clock, file,
//! thread or foreign random number. The program `laboratory` (`main.rs`, `program/`) brings files, threads and flags.
//!
//! | module | what lives there |
//! |---|---|
//! | `published` | results of publications, and how to compute and simulate them again |
//! | `recording` | what the nodes of a `core` run told, for the explorer |
//! | `report` | tables, charts and pages |
//! | `plan` | the runs of a scenario: points, replications, seeds, rows and summaries |
//! | `scenario` | the TOML file that describes an experiment |
//! | `model` | what runs: `race`, two parties; `links`, a graph of delays; `relay`, a network; `core`, real nodes |
//! | `strategy` | what a miner does with a block that it has found or heard of; one file a strategy |
//! | `exact` | closed forms and Markov chains, which simulations are compared with |
//! | `measure` | means and rates with their confidence intervals |
//! | `network` | presets, graphs, latencies |
//! | `tree` | the tree of all blocks of a run, with work and the real retarget rules |
//! | `kernel` | seeds, streams of random numbers, the queue of events |
//!
//! Nothing that decides a run uses a logarithm, power or cosine of the platform, so a seed means the same bytes
//! everywhere.

#![warn(missing_docs)]

pub mod exact;
pub mod kernel;
pub mod measure;
pub mod model;
pub mod network;
pub mod plan;
pub mod published;
pub mod recording;
pub mod report;
pub mod scenario;
pub mod strategy;
pub mod tree;
