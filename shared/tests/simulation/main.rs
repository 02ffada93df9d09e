//! Deterministic simulation: many nodes in virtual time, under faults of networks, machines, clocks and peers.
//!
//! The nodes run the real chain and the real syncer of `shared`; the network, the clocks, the disks and the lying peers
//! are made here; in `money`, people pay one another through the real pool. A run is replayed from its scenario and
//! seed: `CHAINLAB_SEED=7 cargo test -p shared --test simulation lossy`. `CHAINLAB_SEEDS=10` runs ten times as many;
//! `-- --nocapture` shows the results of the runs.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    missing_docs,
    unreachable_pub,
    reason = "a simulation fails by panicking, and nobody links to it"
)]

mod announcements;
mod checks;
mod claims;
mod damaged_block;
mod economy;
mod event;
mod forge;
mod interrupted_download;
mod kernel;
mod layer;
mod liar;
mod liars;
mod mempool;
mod money;
mod network;
mod node;
#[path = "../common/transactions_oracle.rs"]
#[expect(dead_code, reason = "the scripts of the core ask it more")]
mod oracle;
mod runner;
mod scenarios;
mod slow_claim;
mod steering;
mod world;
