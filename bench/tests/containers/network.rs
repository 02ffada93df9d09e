//! The network of compose.yaml from start to end: it mines, pays, is split, heals, stops and continues.

use crate::compose_project::{ComposeProject, height_within, tip};
use crate::docker::{docker, inspect, root, run};
use crate::harness::{NotRun, Outcome};
use futures_util::future::join_all;
use shared::block::{BlockHash, Height};
use std::process::Command;
use std::time::{Duration, Instant};
use testkit::{client, until_ok};

/// Bound on each wait; containers start slowly on a busy machine.
const TIMEOUT: Duration = Duration::from_secs(120);
/// Bytes of a block's JSON at most.
const MAX_BLOCK_BYTES: usize = 16 << 20;
const NODES: usize = 3;

pub(crate) async fn compose_network() -> Outcome {
    let project = ComposeProject::new()?;
    project.up(NODES);
    all_are_healthy(&project).await;
    let nodes = project.containers(Some("node"));
    assert_eq!(nodes.len(), NODES);
    let began = Instant::now();
    let (height, _) = agree(&nodes, Height(5)).await;
    println!("  {NODES} nodes agree on block {height} after {:.1} s", began.elapsed().as_secs_f64());
    members_pay(&project).await;
    people_reach_it(&project).await;
    split(&project, &nodes).await;
    stop_and_go_on(&project).await;
    Ok(())
}

/// Checks that Docker Swarm reads compose.yaml as a stack with all services; this needs no swarm.
pub(crate) async fn swarm_stack() -> Outcome {
    let config = |words: &[&str]| run(Command::new("docker").args(words).current_dir(root()));
    config(&["stack", "config", "--help"])
        .map_err(|_| NotRun("docker stack config is missing, which reads the stack".to_owned()))?;
    let stack = config(&["stack", "config", "--compose-file", "compose.yaml"]).unwrap();
    for service in ["tracker", "node", "mempool", "explorer", "simulator"] {
        assert!(stack.contains(&format!("\n  {service}:\n")), "{service} is not in the stack:\n{stack}");
    }
    Ok(())
}

async fn all_are_healthy(project: &ComposeProject) {
    until_ok("all services are healthy", TIMEOUT, async || {
        for container in project.containers(None) {
            let name = inspect(&container, ".Name")?;
            let health = "if .State.Health}}{{.State.Health.Status}}{{else}}{{.State.Status}}{{end";
            let health = inspect(&container, health)?;
            if !matches!(health.as_str(), "healthy" | "running") {
                return Err(format!("{name} is {health}"));
            }
        }
        Ok(())
    })
    .await;
}

/// The address of a node on the containers' network.
fn address(container: &str) -> Result<String, String> {
    let ip = inspect(container, "range .NetworkSettings.Networks}}{{.IPAddress}}{{end")?;
    let health = docker(&["exec", container, "user", "health", "--running", "--json"])?;
    let all: serde_json::Value = serde_json::from_str(&health).map_err(|error| error.to_string())?;
    let port = all[0]["at"].as_str().and_then(|at| at.rsplit_once(':')).ok_or("it says no port")?.1;
    Ok(format!("{ip}:{port}"))
}

async fn hash_at(node: &str, height: Height) -> Result<BlockHash, String> {
    let block = client().block(node, height.0, MAX_BLOCK_BYTES).await.map_err(|error| error.to_string())?;
    Ok(block.hash())
}

/// Waits until all nodes have the same block at the height of the lowest tip, which must be at least `least`.
async fn agree(nodes: &[String], least: Height) -> (Height, BlockHash) {
    until_ok("the nodes agree", TIMEOUT, async || {
        let at: Vec<String> = nodes.iter().map(|node| address(node)).collect::<Result<_, _>>()?;
        let tips = join_all(at.iter().map(|at| tip(at))).await.into_iter().collect::<Result<Vec<_>, _>>()?;
        let heights: Vec<Height> = tips.iter().map(|tip| tip.index).collect();
        let lowest = *heights.iter().min().ok_or("there are none")?;
        if lowest < least {
            return Err(format!("their heights are {heights:?}; expected at least {least}"));
        }
        let hashes = join_all(at.iter().map(|at| hash_at(at, lowest))).await;
        let hashes = hashes.into_iter().collect::<Result<Vec<_>, _>>()?;
        let all_same = hashes.iter().all(|hash| *hash == hashes[0]);
        if all_same { Ok((lowest, hashes[0])) } else { Err(format!("at height {lowest} they have {hashes:?}")) }
    })
    .await
}

/// Waits until the simulator reports payments and blocks that confirm them.
async fn members_pay(project: &ComposeProject) {
    until_ok("members pay one another, and blocks confirm it", TIMEOUT, async || {
        let log = project.log("simulator");
        let is_there = [" pays ", " confirms "].iter().all(|word| log.contains(word));
        if is_there { Ok(()) } else { Err(format!("output so far:\n{log}")) }
    })
    .await;
    // The last lines, for the reader of the test's output.
    let log = project.log("simulator");
    let lines: Vec<_> = log.lines().collect();
    lines[lines.len().saturating_sub(3)..].iter().for_each(|line| println!("  {line}"));
}

/// The published ports answer, and so does the command line in a container.
async fn people_reach_it(project: &ComposeProject) {
    let mempool = client().info(&project.mempool()).await.unwrap();
    assert_eq!(mempool.service, "mempool");
    assert_eq!(project.nodes().await.unwrap().len(), NODES);
    let page = reqwest::get(format!("http://{}/", project.explorer())).await.unwrap();
    assert!(page.status().is_success(), "{}", page.status());
    let balances = project.compose(&["exec", "-T", "tracker", "user", "balances"]);
    assert!(balances.contains("lab1"), "{balances}");
}

/// Cuts off one node, lets both sides mine, and reconnects it; then all agree again.
async fn split(project: &ComposeProject, nodes: &[String]) {
    let (alone, others) = nodes.split_first().unwrap();
    let (height, _) = agree(nodes, Height(0)).await;
    project.network("disconnect", alone);
    let began = Instant::now();
    until_ok("both sides have mined", TIMEOUT, async || {
        let far = height_within(alone)?;
        let near = tip(&address(&others[0])?).await?.index.0;
        let both = far > height.0 + 1 && near > height.0 + 1;
        if both { Ok(()) } else { Err(format!("from {height} on, they came to {far} and {near}")) }
    })
    .await;
    let apart = height_within(alone).unwrap();
    println!("  cut for {:.1} s: the one that is alone came from {height} to {apart}", began.elapsed().as_secs_f64());

    project.network("connect", alone);
    let began = Instant::now();
    let (height, _) = agree(nodes, Height(apart)).await;
    println!("  healed after {:.1} s: all agree on block {height}", began.elapsed().as_secs_f64());
    assert!(nodes.iter().any(|node| reorganised(node)), "one side must have given way");
}

/// Whether a node has logged a reorganisation.
fn reorganised(container: &str) -> bool {
    let output = Command::new("docker").args(["logs", container]).output().unwrap();
    String::from_utf8_lossy(&output.stderr).contains("reorganised")
}

/// `stop` ends every program in order, and `up` continues the same chain.
async fn stop_and_go_on(project: &ComposeProject) {
    let (height, hash) = agree(&project.containers(Some("node")), Height(0)).await;
    project.compose(&["stop"]);
    for container in project.containers(None) {
        let name = inspect(&container, ".Name").unwrap();
        let code = inspect(&container, ".State.ExitCode").unwrap();
        // The simulator's exit code is its verdict. 1 is right if a block could not be fetched for checking (only the
        // node that was cut off had it) and nothing else was wrong.
        let log = if name.contains("simulator") { project.log("simulator") } else { String::new() };
        let is_verdict = code == "1" && log.contains("could not be fetched") && !log.contains("NOT proven");
        assert!(code == "0" || is_verdict, "{name} ended with {code}:\n{log}");
    }
    project.up(NODES);
    let nodes = project.containers(Some("node"));
    let (after, _) = agree(&nodes, height).await;
    for node in &nodes {
        assert_eq!(hash_at(&address(node).unwrap(), height).await.unwrap(), hash, "{node} has lost block {height}");
    }
    println!("  stopped at block {height}, went on to {after}");
}
