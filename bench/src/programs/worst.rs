//! How long the most expensive block takes, by kind of work: one call that repeats it until the gas of a block is used
//! up. A block must validate in a tenth of the interval.

use super::engine::{ENVIRONMENT, TOKEN};
use crate::report::Row;
use ::engine::RevmEngine;
use anyhow::{Result, ensure};
use sha2::{Digest, Sha256};
use shared::params::{DEFAULT_BLOCK_GAS, Params};
use shared::program::{
    Account, AccountId, Engine, Halt, HexBytes, Message, Status, Target, Word, assemble, code_key, write_account,
};
use shared::state::{Overlay, State, StateView};
use shared::store::{MemoryStore, Store};
use std::time::Instant;

/// A kind of work: what is repeated, and what it is called with.
struct Work {
    name: &'static str,
    /// Instructions; the input is in the memory.
    repeated: String,
    input: Vec<u8>,
}

pub(super) fn measure() -> Result<()> {
    let limit = Params::of_programs().block_interval_ms as f64 / 1000.0 / 10.0;
    let mut worst = (0.0_f64, "");
    let mut lines = Vec::new();
    for work in works() {
        let seconds = seconds(&work)?;
        let rate = DEFAULT_BLOCK_GAS as f64 / seconds / 1e6;
        lines.push(format!("  {:<24} {:.3} s, {rate:.0} Mgas/s", work.name, seconds));
        if seconds > worst.0 {
            worst = (seconds, work.name);
        }
    }
    let what = format!("worst block of {} Mgas: {}", DEFAULT_BLOCK_GAS / 1_000_000, worst.1);
    println!("{}", Row { what, ours: worst.0, limit, unit: "s", goal: "<= 1".into() });
    lines.iter().for_each(|line| println!("{line}"));
    println!("  the limit: a tenth of the interval");
    Ok(())
}

fn works() -> Vec<Work> {
    let simple = |name, repeated: &str| Work { name, repeated: repeated.to_owned(), input: Vec::new() };
    let built_in = |name, address: u64, input: Vec<u8>| Work {
        name,
        repeated: format!("PUSH0 PUSH0 CALLDATASIZE PUSH0 PUSH {address} GAS STATICCALL POP"),
        input,
    };
    let number = |digits: &str| hex(&format!("{digits:0>64}"));
    // The generators of the curves, as keys and as points.
    let secp256k1_x = hex("79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798");
    let p256 = hex(concat!(
        "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296",
        "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
    ));
    let infinity = [&[0xc0][..], &[0; 47]].concat();
    let mut commitment: Vec<u8> = Sha256::digest(&infinity).to_vec();
    commitment[0] = 1;
    let modexp = [number("100"), number("20"), number("100"), vec![0xfe; 256], vec![0xff; 32], vec![0xfd; 256]];
    vec![
        simple("jumps", "PUSH0 POP"),
        simple("additions", "GAS GAS ADD POP"),
        simple("divisions", "PUSH 7 GAS PUSH0 NOT DIV MOD POP"),
        simple("hashes of 32 bytes", "PUSH 32 PUSH0 KECCAK256 POP"),
        simple("hashes of 4 KiB", "PUSH 4096 PUSH0 KECCAK256 POP"),
        simple("copies of 4 KiB", "PUSH 4096 PUSH0 PUSH 4096 MCOPY"),
        simple("cold reads of slots", "GAS SLOAD POP"),
        simple("new slots", "GAS GAS SSTORE"),
        simple("cold balances", "GAS BALANCE POP"),
        simple("calls of an empty account", "PUSH0 PUSH0 PUSH0 PUSH0 PUSH0 PUSH0 NOT GAS CALL POP"),
        simple("new programs", "PUSH0 PUSH0 PUSH0 CREATE POP"),
        simple("logs", "PUSH 1024 PUSH0 LOG0"),
        built_in("ecrecover", 1, [number("1"), number("1b"), secp256k1_x, number("1")].concat()),
        built_in("sha256 of 4 KiB", 2, vec![1; 4096]),
        built_in("modexp of 2048 bits", 5, modexp.concat()),
        built_in("bn254 multiplication", 7, [number("1"), number("2"), vec![0xff; 32]].concat()),
        built_in("KZG proof", 10, [commitment, number("1"), number("0"), infinity.clone(), infinity].concat()),
        built_in("BLS12-381 field to G1", 16, [number("0"), number("3")].concat()),
        built_in("p256verify", 256, [number("1"), number("2"), number("3"), p256].concat()),
    ]
}

/// Seconds for one call with the gas of a block, the best of three.
fn seconds(work: &Work) -> Result<f64> {
    let Work { repeated, input, .. } = work;
    let code = assemble(&format!(
        "CALLDATASIZE PUSH0 PUSH0 CALLDATACOPY start: JUMPDEST {} PUSH @start JUMP",
        format!("{repeated} ").repeat(20)
    ))?;
    let state = State::stored_in(MemoryStore::default().snapshot()?, false);
    let mut rows = Overlay::new(&state);
    let hash = Word([0xff; 32]);
    rows.put(&code_key(&hash), &code);
    write_account(&mut rows, &TOKEN, &Account { code_hash: Some(hash), ..Account::default() });
    let caller = AccountId([1; 20]);
    let message = Message { caller, target: Target::Call(TOKEN), value: 0, gas: DEFAULT_BLOCK_GAS, input };
    let engine = RevmEngine::default();
    let mut best = f64::MAX;
    for _ in 0..3 {
        let start = Instant::now();
        let ended = engine.run(&message, &ENVIRONMENT, &rows)?;
        ensure!(ended.status == Status::Halted(Halt::OutOfGas), "{} ended with {:?}", work.name, ended.status);
        best = best.min(start.elapsed().as_secs_f64());
    }
    Ok(best)
}

fn hex(digits: &str) -> Vec<u8> {
    let bytes: Option<HexBytes> = format!("0x{digits}").parse().ok();
    bytes.unwrap_or_default().0
}
