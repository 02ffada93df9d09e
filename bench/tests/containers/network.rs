//! The network of compose.yaml from its start to its end: it mines, pays, is split, heals, is stopped and goes on.

use crate::compose_project::{ComposeProject, height_within, tip};
use crate::docker::{docker, inspect, root, run};
use crate::harness::{NotRun, Outcome};
use crate::service::{client, until};
use futures_util::future::join_all;
use shared::block::{BlockHash, Height};
use std::process::Command;
use std::time::{Duration, Instant};

/// How long a state may be waited for; containers start slowly where others work, too.
const TIMEOUT: Duration = Duration::from_secs(120);
/// Bytes of a block's JSON.
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

/// The stack of Docker Swarm, as far as a machine that is in no swarm can tell: the file is one, with nothing left out.
pub(crate) async fn swarm_stack() -> Outcome {
    let config = |words: &[&str]| run(Command::new("docker").args(words).current_dir(root()));
    config(&["stack", "config", "--help"])
        .map_err(|_| NotRun("docker stack config is not here, so no stack can be read".to_owned()))?;
    let stack = config(&["stack", "config", "--compose-file", "compose.yaml"]).unwrap();
    for service in ["tracker", "node", "mempool", "explorer", "simulator"] {
        assert!(stack.contains(&format!("\n  {service}:\n")), "{service} is not in the stack:\n{stack}");
    }
    Ok(())
}

async fn all_are_healthy(project: &ComposeProject) {
    until("all services are healthy", TIMEOUT, async || {
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

/// Where a node is on the network of the containers.
fn address(container: &str) -> Result<String, String> {
    let ip = inspect(container, "range .NetworkSettings.Networks}}{{.IPAddress}}{{end")?;
    let said = docker(&["exec", container, "user", "health", "--json"])?;
    let all: serde_json::Value = serde_json::from_str(&said).map_err(|error| error.to_string())?;
    let port = all[0]["at"].as_str().and_then(|at| at.rsplit_once(':')).ok_or("it says no port")?.1;
    Ok(format!("{ip}:{port}"))
}

async fn hash_at(node: &str, height: Height) -> Result<BlockHash, String> {
    let block = client().block(node, height.0, MAX_BLOCK_BYTES).await.map_err(|error| error.to_string())?;
    Ok(block.hash())
}

/// Waits until the nodes have the same block where the shortest of them ends, at this height at least.
async fn agree(nodes: &[String], least: Height) -> (Height, BlockHash) {
    until("the nodes agree", TIMEOUT, async || {
        let at: Vec<String> = nodes.iter().map(|node| address(node)).collect::<Result<_, _>>()?;
        let tips = join_all(at.iter().map(|at| tip(at))).await.into_iter().collect::<Result<Vec<_>, _>>()?;
        let heights: Vec<Height> = tips.iter().map(|tip| tip.index).collect();
        let lowest = *heights.iter().min().ok_or("there are none")?;
        if lowest < least {
            return Err(format!("their heights are {heights:?}, and {least} is waited for"));
        }
        let hashes = join_all(at.iter().map(|at| hash_at(at, lowest))).await;
        let hashes = hashes.into_iter().collect::<Result<Vec<_>, _>>()?;
        let all_same = hashes.iter().all(|hash| *hash == hashes[0]);
        if all_same { Ok((lowest, hashes[0])) } else { Err(format!("at height {lowest} they have {hashes:?}")) }
    })
    .await
}

/// The narrator tells of payments, and of blocks that confirm them.
async fn members_pay(project: &ComposeProject) {
    until("members pay one another, and blocks confirm it", TIMEOUT, async || {
        let told = project.log("simulator");
        let is_told = [" pays ", " confirms "].iter().all(|word| told.contains(word));
        if is_told { Ok(()) } else { Err(format!("told so far:\n{told}")) }
    })
    .await;
    // The last of it, for whoever reads the test's output.
    let told = project.log("simulator");
    let lines: Vec<_> = told.lines().collect();
    lines[lines.len().saturating_sub(3)..].iter().for_each(|line| println!("  {line}"));
}

/// What is published answers, and so does the command line within a container.
async fn people_reach_it(project: &ComposeProject) {
    let mempool = client().info(&project.mempool()).await.unwrap();
    assert_eq!(mempool.service, "mempool");
    assert_eq!(project.nodes().await.unwrap().len(), NODES);
    let page = reqwest::get(format!("http://{}/", project.explorer())).await.unwrap();
    assert!(page.status().is_success(), "{}", page.status());
    let said = project.compose(&["exec", "-T", "tracker", "user", "balances"]);
    assert!(said.contains("lab1"), "{said}");
}

/// One node is cut off from the others; both sides mine; then all agree again.
async fn split(project: &ComposeProject, nodes: &[String]) {
    let (alone, others) = nodes.split_first().unwrap();
    let (height, _) = agree(nodes, Height(0)).await;
    project.network("disconnect", alone);
    let began = Instant::now();
    until("both sides have mined", TIMEOUT, async || {
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

/// Whether a node has told that it left a branch; programs tell on standard error.
fn reorganised(container: &str) -> bool {
    let output = Command::new("docker").args(["logs", container]).output().unwrap();
    String::from_utf8_lossy(&output.stderr).contains("reorganised")
}

/// `stop` ends every program by itself, and `up` goes on with the same chain.
async fn stop_and_go_on(project: &ComposeProject) {
    let (height, hash) = agree(&project.containers(Some("node")), Height(0)).await;
    project.compose(&["stop"]);
    for container in project.containers(None) {
        let name = inspect(&container, ".Name").unwrap();
        let code = inspect(&container, ".State.ExitCode").unwrap();
        // The narrator's code is its verdict: 1 if its report says that a block could not be fetched to be checked, as one that
        // only the node had that was cut off, and that nothing else was wrong.
        let told = if name.contains("simulator") { project.log("simulator") } else { String::new() };
        let is_verdict = code == "1" && told.contains("could not be fetched") && !told.contains("NOT proven");
        assert!(code == "0" || is_verdict, "{name} ended with {code}:\n{told}");
    }
    project.up(NODES);
    let nodes = project.containers(Some("node"));
    let (after, _) = agree(&nodes, height).await;
    for node in &nodes {
        assert_eq!(hash_at(&address(node).unwrap(), height).await.unwrap(), hash, "{node} has lost block {height}");
    }
    println!("  stopped at block {height}, went on to {after}");
}
