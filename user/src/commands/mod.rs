//! The commands, one file each: its flags (`Args`), its result (`Output`), and `run`.
//!
//! `Output` is what `--json` prints, one value a line, with money in grains; its `text` is for people, with money in
//! LAB.

pub mod address;
pub mod balance;
pub mod bump;
pub mod coins;
pub mod completions;
pub mod confirmations;
pub mod explain;
pub mod health;
pub mod history;
pub mod man;
pub mod mine;
pub mod network;
pub mod new;
pub mod programs;
pub mod rnd;
pub mod rpc;
pub mod send;
pub mod tx;
pub mod verify;
pub mod watch;
