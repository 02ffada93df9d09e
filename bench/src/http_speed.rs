//! Popular endpoints under wrk, compared with a handler of the same server kit that returns a constant of that size.

use crate::chains::{config, easy_params, store_chain};
use crate::lab::{Node, folder};
use crate::report::Row;
use anyhow::{Context, Result, anyhow};
use runtime::client::Client;
use runtime::server::{self, Request, Response, Router, Service, get, reply};
use shared::params::Params;
use shared::wire::{Info, Problem};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Blocks of the served chain.
const BLOCKS: u64 = 10_000;

pub(crate) async fn measure(dir: &Path) -> Result<()> {
    if Command::new("wrk").arg("--version").output().is_err() {
        println!("HTTP: not run, because wrk is not installed (apt-get install wrk)");
        return Ok(());
    }
    let folder = folder(dir)?;
    let params = easy_params("bench-http");
    let node =
        Node::start(config(params.clone(), folder.path()), &[], |data| store_chain(&params, data, BLOCKS)).await?;
    let block = Client::new(None, None)?.block(&node.address, BLOCKS / 2, 1 << 20).await?;
    let json = serde_json::to_vec(&block)?;
    let length = (BLOCKS + 1).to_string().into_bytes();
    for (path, constant, goal) in [
        ("/chainlength".to_owned(), length, ">= 0.9"),
        (format!("/block/{}", BLOCKS / 2), json.clone(), ">= 0.8"),
        (format!("/block/{}", block.hash()), json, ">= 0.9"),
    ] {
        let (limit_at, stop) = serve_constant(constant).await?;
        // Alternating, so that a change of the machine's load affects both.
        let (mut ours, mut limit) = (0.0_f64, 0.0_f64);
        for _ in 0..3 {
            ours = ours.max(wrk(&format!("http://{}{path}", node.address)).await?);
            limit = limit.max(wrk(&format!("http://{limit_at}/constant")).await?);
        }
        stop.cancel();
        let what = if path.len() > 40 { "GET /block/<hash>".to_owned() } else { format!("GET {path}") };
        println!("{}", Row { what, ours, limit, unit: "requests/s", goal: goal.into() });
    }
    node.stop().await
}

/// Requests a second of `url` under wrk, with one thread and 32 connections.
pub(crate) async fn wrk(url: &str) -> Result<f64> {
    let url = url.to_owned();
    let output = tokio::task::spawn_blocking(move || Command::new("wrk").args(["-t1", "-c32", "-d2s", &url]).output());
    let output = String::from_utf8(output.await??.stdout)?;
    if output.contains("Non-2xx") {
        return Err(anyhow!("wrk got error statuses: {output}"));
    }
    let rate = output.lines().find_map(|line| line.strip_prefix("Requests/sec:"));
    rate.and_then(|rate| rate.trim().parse().ok()).with_context(|| format!("wrk printed no rate: {output}"))
}

/// A service that returns the same bytes for every request.
struct Constant {
    body: Vec<u8>,
    info: Info,
}

impl Service for Constant {
    fn info(&self) -> Info {
        self.info.clone()
    }
}

async fn constant(constant: Arc<Constant>, _: Request) -> Result<Response, Problem> {
    Ok(reply::json_bytes(constant.body.clone()))
}

async fn serve_constant(body: Vec<u8>) -> Result<(String, CancellationToken)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?.to_string();
    let params = Params::default();
    let info = Info {
        service: "constant".to_owned(),
        version: String::new(),
        network_id: params.network_id(),
        network: serde_json::to_value(&params)?,
        address: address.clone(),
        started: params.genesis_time,
        tip: None,
        peers: None,
        mining: None,
        pool: None,
        members: None,
        health: None,
    };
    let shutdown = CancellationToken::new();
    let settings = server::Settings::default();
    let router = Router::new("constant", "").group("constant", "", [get("/constant", "", constant)]);
    tokio::spawn(server::serve(listener, Arc::new(Constant { body, info }), router, settings, shutdown.clone()));
    Ok((address, shutdown))
}
