//! Follows the tour's section on several machines to the letter; only host names are filled in.

use crate::harness::Outcome;
use crate::host_process::{HostProcess, shell};
use crate::lan::Lan;
use crate::measure::{agreement, lost_to_forks};
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use testkit::{DEADLINE, client, finish, program, until_ok};

const TOUR: &str = include_str!("../../../docs/tour.md");
/// How long `simulator drive` pays on the network.
const DRIVE_DURATION: Duration = Duration::from_secs(12);
/// Blocks that all nodes must have.
const BLOCKS: u64 = 6;

/// The commands of the section.
fn commands() -> Vec<&'static str> {
    let section = TOUR.split_once("## Several machines\n").unwrap().1;
    section.split_once("```sh\n").unwrap().1.split_once("```").unwrap().0.lines().collect()
}

/// The command line that starts one of the programs.
fn command(program: &str) -> &'static str {
    let start = format!("target/release/{program} ");
    let found: Vec<_> = commands().into_iter().filter(|line| line.contains(&start)).collect();
    let [command] = found[..] else { panic!("the tour must have one command for {program}: {found:?}") };
    command
}

/// That command as a person would type it on a host.
fn tour_command(lan: &Lan, host: usize, what: &str) -> Command {
    let line = command(what).replace("this-host", &lan.name(host));
    // exec: the shell becomes the program, so that killing it kills the program.
    shell(&line.replacen("target", "exec target", 1), &program(what, &lan.folder(host), &[]))
}

/// Runs `simulator drive` on a host for a while, stops it, and returns the line of its report with the result.
async fn run_drive(lan: &Lan, host: usize) -> String {
    let output = lan.folder(host).join("output");
    let mut drive = lan.on(host, &tour_command(lan, host, "simulator"));
    let mut drive = drive.stdout(std::fs::File::create(&output).unwrap()).spawn().unwrap();
    tokio::time::sleep(DRIVE_DURATION).await;
    let process = drive.id().to_string();
    assert!(finish(Command::new("kill").args(["-TERM", &process])).status.success());
    let ended = until_ok("the simulator reports", DEADLINE, async || {
        drive.try_wait().map_err(|error| error.to_string())?.ok_or_else(|| "it goes on".to_owned())
    });
    let (ended, output) = (ended.await, std::fs::read_to_string(&output).unwrap_or_default());
    assert!(ended.success() && output.contains("all 5 nodes agree"), "{ended}: {output}");
    output.lines().find(|line| line.starts_with("after ")).unwrap_or_default().to_owned()
}

/// Links the programs to where the tour expects them after `cargo build --release --workspace`.
fn install(lan: &Lan, host: usize) {
    let own = program("node", &lan.folder(host), &[]);
    let release = lan.folder(host).join("target/release");
    std::fs::create_dir_all(release.parent().unwrap()).unwrap();
    std::os::unix::fs::symlink(Path::new(own.get_program()).parent().unwrap(), release).unwrap();
}

pub(crate) async fn several_machines() -> Outcome {
    let lan = Lan::new(5)?;
    lan.set_name("tracker-host", 1);
    (1..=5).for_each(|host| install(&lan, host));
    let mut tracker = HostProcess::from_command(&lan, 1, 8090, &tour_command(&lan, 1, "tracker"), "tracker");
    tracker.start().await;
    let mut mempool = HostProcess::from_command(&lan, 2, 8091, &tour_command(&lan, 2, "mempool"), "mempool");
    mempool.start().await;
    let mut nodes = Vec::new();
    for host in 1..=5 {
        let mut node = HostProcess::from_command(&lan, host, 8100, &tour_command(&lan, host, "node"), "node");
        node.start().await;
        nodes.push(node);
    }
    let nodes: Vec<&HostProcess> = nodes.iter().collect();
    let agreed = agreement(&nodes, BLOCKS, 0, DEADLINE * 4).await;
    let block = agreed.block;
    println!("  5 hosts by the tour: one chain of {} blocks {:.1} s after the start", block.index, agreed.seconds);
    println!("  blocks lost to forks: {}", lost_to_forks(&nodes).await);

    until_ok("the tracker lists all by their names", DEADLINE, async || {
        let mut listed = client().nodes(&tracker.address).await.map_err(|error| error.to_string())?;
        listed.sort();
        let expected: Vec<_> = (1..=5).map(|host| format!("{}:8100", lan.name(host))).collect();
        if listed == expected { Ok(()) } else { Err(format!("it lists {listed:?}")) }
    })
    .await;
    mempool.reaches(block.index.0).await;
    println!("  run_drive from a host: {}", run_drive(&lan, 4).await);
    let output = finish(&mut lan.on(5, &tour_command(&lan, 5, "user")));
    let words = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && words.contains("lab1"), "{words}");
    Ok(())
}
