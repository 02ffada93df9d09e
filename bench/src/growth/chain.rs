//! By the length of the chain: opening it, reading it, extending it; and two node programs that sync it.

use super::{SIZES, Series, Table, micros, spread};
use crate::chains::{blocks, easy_params, store_chain};
use crate::lab::{folder, peak_mb};
use crate::long_chain::{node_program, start_node, wait_until_ready};
use anyhow::Result;
use runtime::data_dir::DataDir;
use runtime::store::RedbStore;
use shared::block::{BlockHash, Height, Timestamp};
use shared::chain::{Chain, Origin, Rules, SideLimits};
use shared::params::Params;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

/// Reads in one round.
const READS: u64 = 2000;
/// Blocks that are added to each chain, one commit each, as a node does it when it follows.
const ADDED: u64 = 200;
const FULL_PORT: u16 = 18_110;
const EMPTY_PORT: u16 = 18_111;

pub(super) async fn measure(dir: &Path, sizes: [u64; SIZES]) -> Result<Vec<Series>> {
    let mut table = Table::new(sizes);
    for (size, count) in sizes.into_iter().enumerate() {
        let folder = folder(dir)?;
        let params = easy_params("bench-growth");
        let data = DataDir::open(&folder.path().join("full"), &params, "node", FULL_PORT)?;
        store_chain(&params, &data, count)?;
        let file = data.path().join("chain.redb");
        table.record(size, "disk for each block", "bytes", std::fs::metadata(&file)?.len() as f64 / count as f64);
        drop(data);
        sync(&mut table, size, folder.path(), &params, count).await?;
        in_process(&mut table, size, &file, &params, count)?;
    }
    Ok(table.series)
}

fn in_process(table: &mut Table, size: usize, file: &Path, params: &Params, count: u64) -> Result<()> {
    let opened = Instant::now();
    let store = Arc::new(RedbStore::open(file)?);
    let mut chain = Chain::open(Arc::new(Rules::new(params.clone())), store, SideLimits::default())?;
    table.record(size, "open a chain of n blocks", "us", opened.elapsed().as_secs_f64() * 1e6);

    let snapshot = chain.view().snapshot()?;
    let reader = snapshot.chain();
    let height = |number| Height(spread(number, count));
    let by_height = micros(READS, |number| {
        let id = reader.best_at(height(number))?;
        anyhow::ensure!(id.map(|id| reader.block(id)).transpose()?.is_some(), "no such block");
        Ok(())
    })?;
    table.record(size, "read a block by its height", "us", by_height);
    let hashes: Vec<BlockHash> = (0..READS)
        .map(|number| reader.best_at(height(number)).map(|id| id.map_or(BlockHash::ZERO, |id| id.hash)))
        .collect::<Result<_, _>>()?;
    let by_hash = micros(READS, |number| {
        let id = reader.find(&hashes[number as usize])?;
        anyhow::ensure!(id.map(|id| reader.block(id)).transpose()?.is_some(), "no such block");
        Ok(())
    })?;
    table.record(size, "read a block by its hash", "us", by_hash);
    let locator = micros(READS / 20, |_| Ok(reader.locator()?))?;
    table.record(size, "make a locator", "us", locator);

    let added: Vec<_> = blocks(params, count + ADDED).skip(count as usize).collect();
    let start = Instant::now();
    for block in added {
        chain.accept(block, Timestamp::MAX, Origin::Bulk)?;
        chain.commit()?;
    }
    table.record(size, "accept a block and commit it", "us", start.elapsed().as_secs_f64() * 1e6 / ADDED as f64);
    Ok(())
}

/// An empty node program syncs from a full one.
async fn sync(table: &mut Table, size: usize, folder: &Path, params: &Params, count: u64) -> Result<()> {
    let Some(program) = node_program() else {
        println!("memory and sync: not run, because the node program is not built (cargo build --release)");
        return Ok(());
    };
    let mut full = start_node(&program, &folder.join("full"), params, FULL_PORT, &[])?;
    wait_until_ready(FULL_PORT, count).await?;
    let peer = format!("127.0.0.1:{FULL_PORT}");
    let start = Instant::now();
    let mut empty = start_node(&program, &folder.join("empty"), params, EMPTY_PORT, &[&peer])?;
    wait_until_ready(EMPTY_PORT, count).await?;
    let micros = start.elapsed().as_secs_f64() * 1e6 / count as f64;
    table.record(size, "sync a block, node to node", "us", micros);
    for (what, child) in
        [("memory of the node that serves them, at most", &full), ("memory of the node that syncs, at most", &empty)]
    {
        table.record(size, what, "MB", peak_mb(child.id()).unwrap_or(f64::NAN));
    }
    for child in [&mut full, &mut empty] {
        child.kill()?;
        child.wait()?;
    }
    Ok(())
}
