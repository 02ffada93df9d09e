//! What a mempool serves of programs: calls a second, and the trace of a call of 100,000 steps; each compared with the
//! engine alone.

use super::engine::{ENVIRONMENT, TOKEN};
use crate::lab::{folder, wait};
use crate::report::Row;
use ::engine::RevmEngine;
use anyhow::{Result, ensure};
use runtime::client::Client;
use runtime::data_dir::DataDir;
use shared::config::Config;
use shared::params::Params;
use shared::program::{AccountId, Engine, HexBytes, Message, Target, assemble};
use shared::state::State;
use shared::store::{MemoryStore, Store};
use shared::wire::{CallRequest, RunRequest};
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Clients that call at a time.
const CLIENTS: usize = 8;
const CALLS: usize = 4000;
/// 11,111 rounds of nine instructions, and one before.
const LOOP: &str = "PUSH 11111 start: JUMPDEST PUSH 1 SWAP1 SUB DUP1 PUSH0 POP PUSH @start JUMPI";
const TRACES: usize = 5;

pub(super) async fn measure(dir: &Path) -> Result<()> {
    let folder = folder(dir)?;
    let mut config = Config { network: Params::of_programs(), ..Config::default() };
    config.mempool.data_dir = folder.path().join("data");
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let data = DataDir::open(&config.mempool.data_dir, &config.network, "mempool", address.port())?;
    let shutdown = CancellationToken::new();
    let settings = mempool::Settings { config, data, peers: Vec::new(), metrics: None };
    let mempool = tokio::spawn(mempool::run(listener, settings, shutdown.clone()));
    let (client, at) = (Client::new(None, None)?, address.to_string());
    wait("the mempool answers", Duration::from_secs(10), async || Ok(client.info(&at).await.is_ok())).await?;

    let limit = engine_rate()?;
    let ours = call_rate(&client, &at).await?;
    let what = format!("/call of a small program, {CLIENTS} clients");
    println!("{}", Row { what, ours, limit, unit: "calls/s", goal: "none".into() });
    println!("  the limit: the engine alone on one core; the rest is HTTP");
    let limit = bare_steps()?;
    let ours = traced_steps(&client, &at).await?;
    let what = "trace of a call of 100,000 steps".to_owned();
    println!("{}", Row { what, ours, limit, unit: "steps/s", goal: "none".into() });
    println!("  the limit: the engine without a trace");
    shutdown.cancel();
    Ok(mempool.await??)
}

/// Init code that returns one word: it runs without a program on the chain.
fn small_call() -> CallRequest {
    let data = HexBytes(vec![0x60, 1, 0x5f, 0x52, 0x60, 32, 0x5f, 0xf3]);
    CallRequest { from: None, to: None, data, amount: Default::default(), gas: Some(100_000), confirmations: None }
}

async fn call_rate(client: &Client, at: &str) -> Result<f64> {
    let start = Instant::now();
    let callers = (0..CLIENTS).map(|_| async {
        for _ in 0..CALLS / CLIENTS {
            let result = client.call_program(at, &small_call()).await?;
            ensure!(result.status == "succeeded", "a call ended with {}", result.status);
        }
        Ok(())
    });
    futures_util::future::try_join_all(callers).await?;
    Ok(CALLS as f64 / start.elapsed().as_secs_f64())
}

fn engine_rate() -> Result<f64> {
    let state = State::stored_in(MemoryStore::default().snapshot()?, false);
    let (engine, call) = (RevmEngine::default(), small_call());
    let caller = AccountId([1; 20]);
    let message = Message { caller, target: Target::Create(TOKEN), value: 0, gas: 100_000, input: &call.data.0 };
    let start = Instant::now();
    for _ in 0..CALLS {
        engine.run(&message, &ENVIRONMENT, &state)?;
    }
    Ok(CALLS as f64 / start.elapsed().as_secs_f64())
}

async fn traced_steps(client: &Client, at: &str) -> Result<f64> {
    let run = RunRequest { code: HexBytes(assemble(LOOP)?), data: HexBytes::default(), gas: Some(10_000_000) };
    let (start, mut steps) = (Instant::now(), 0);
    for _ in 0..TRACES {
        let trace = client.run_code(at, &run).await?;
        ensure!(trace.result.status == "succeeded", "the loop ended with {}", trace.result.status);
        steps += trace.steps_in_all;
    }
    Ok(steps as f64 / start.elapsed().as_secs_f64())
}

/// The same loop as init code, without a trace.
fn bare_steps() -> Result<f64> {
    let state = State::stored_in(MemoryStore::default().snapshot()?, false);
    let (engine, code) = (RevmEngine::default(), assemble(LOOP)?);
    let caller = AccountId([1; 20]);
    let message = Message { caller, target: Target::Create(TOKEN), value: 0, gas: 10_000_000, input: &code };
    let start = Instant::now();
    for _ in 0..TRACES {
        engine.run(&message, &ENVIRONMENT, &state)?;
    }
    Ok((TRACES * 100_000) as f64 / start.elapsed().as_secs_f64())
}
