//! Syncing a chain from node to node, compared with a bare bulk insert of the same rows into the same store.

use crate::chains::{blocks, config, easy_params, store_chain};
use crate::lab::{Node, folder, resident_mb, wait};
use crate::report::Row;
use anyhow::Result;
use runtime::client::Client;
use runtime::store::RedbStore;
use shared::store::{Batch, Store, Table};
use std::path::Path;
use std::time::{Duration, Instant};

/// Blocks in one bare commit, as many as a syncing node commits at a time.
const COMMIT: u64 = 10_000;

pub(crate) async fn measure(dir: &Path, count: u64) -> Result<()> {
    let folder = folder(dir)?;
    let params = easy_params("bench-sync");
    let bare = bare_rate(&folder.path().join("bare.redb"), count)?;

    let full_config = config(params.clone(), &folder.path().join("full"));
    let full = Node::start(full_config, &[], |data| store_chain(&params, data, count)).await?;
    let before_mb = resident_mb(std::process::id()).unwrap_or_default();
    let start = Instant::now();
    let empty_config = config(params, &folder.path().join("empty"));
    let empty = Node::start(empty_config, &[&full.address], |_| Ok(())).await?;
    let client = Client::new(None, None)?;
    let mut peak_mb = before_mb;
    wait("the empty node has the chain", Duration::from_secs(600), async || {
        peak_mb = peak_mb.max(resident_mb(std::process::id()).unwrap_or_default());
        Ok(client.chain_length(&empty.address).await? == count + 1)
    })
    .await?;
    let ours = count as f64 / start.elapsed().as_secs_f64();
    let what = format!("sync {count} blocks node to node");
    println!("{}", Row { what, ours, limit: bare, unit: "blocks/s", goal: ">= 0.7".into() });
    println!("  both nodes in one process: {before_mb:.0} MB resident before, {peak_mb:.0} MB at most");
    empty.stop().await?;
    full.stop().await
}

/// Blocks a second when their rows are inserted into the same tables in the same batches, and nothing else is done.
fn bare_rate(path: &Path, count: u64) -> Result<f64> {
    let rows: Vec<_> = blocks(&easy_params("bench-sync"), count).collect();
    let store = RedbStore::open(path)?;
    let mut batch = Batch::default();
    let start = Instant::now();
    for (block, number) in rows.iter().zip(1_u64..) {
        let height = block.index().0.to_be_bytes();
        let key = [&height[..], block.hash().as_bytes()].concat();
        batch.put(Table::Headers, key.clone(), [0; 104]);
        batch.put(Table::Bodies, key, block.data());
        batch.put(Table::Best, height, *block.hash().as_bytes());
        if number % COMMIT == 0 || number == count {
            store.commit(&std::mem::take(&mut batch))?;
        }
    }
    // The hash index is sorted and written in bulk, as the chain does it.
    let mut hashes: Vec<_> = rows.iter().map(|block| (block.hash(), block.index().0)).collect();
    hashes.sort_unstable();
    for (hash, height) in hashes {
        batch.put(Table::Index, *hash.as_bytes(), height.to_be_bytes());
    }
    store.commit(&batch)?;
    Ok(count as f64 / start.elapsed().as_secs_f64())
}
