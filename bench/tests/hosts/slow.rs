//! A host behind a slow link that loses packets.

use crate::harness::{NotRun, Outcome};
use crate::host_process::{HostProcess, settings};
use crate::lan::Lan;
use crate::measure::{agreement, lost_to_forks};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use testkit::DEADLINE;

/// The host behind the slow link.
const FAR: usize = 3;
const DELAY_MS: &str = "300";
const LOSS_PERCENT: &str = "5";
/// Decides which packets are lost.
const SEED: &str = "7";
/// Blocks to find over the slow link.
const BLOCKS: u64 = 25;
/// Depth at which all nodes must have a block; newer ones may still be on their way.
const DEPTH: u64 = 6;

/// The relay that carries the packets; it ends when this is dropped.
struct Line(Child);

impl Line {
    fn open(lan: &Lan) -> Result<Self, NotRun> {
        let has_python = Command::new("python3").arg("--version").output().is_ok_and(|output| output.status.success());
        if !has_python {
            return Err(NotRun("python3 is missing, which carries the packets".to_owned()));
        }
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/hosts/slow_link.py");
        let arguments = ["python3", "-B", script, DELAY_MS, LOSS_PERCENT, SEED];
        let mut command = lan.through_relay(FAR, &arguments);
        let mut line = Self(command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
        let mut answer = String::new();
        BufReader::new(line.0.stdout.take().unwrap()).read_line(&mut answer).unwrap();
        if answer == "ready\n" {
            Ok(line)
        } else {
            Err(NotRun("this machine does not let a program relay frames".to_owned()))
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) async fn slow_link() -> Outcome {
    let lan = Lan::new(3)?;
    let _line = Line::open(&lan)?;
    let settings = settings("slow", &[]);
    let tracker_at = format!("{}:8090", lan.address(1));
    let mut tracker = HostProcess::new(&lan, 1, ("tracker", 8090), &settings, &[]);
    tracker.start().await;
    let mut nodes =
        [1, 2, FAR].map(|host| HostProcess::new(&lan, host, ("node", 8100), &settings, &["-t", &tracker_at]));
    for node in &mut nodes {
        node.start().await;
    }
    let nodes = nodes.each_ref();
    let agreed = agreement(&nodes, BLOCKS, DEPTH, DEADLINE * 3).await;
    println!("  {DELAY_MS} ms each way and {LOSS_PERCENT} % of all packets lost, by slow_link.py instead of tc netem");
    println!("  all three agree on block {} {:.1} s after the start", agreed.block.index, agreed.seconds);
    println!("  blocks lost to forks: {}", lost_to_forks(&nodes).await);
    Ok(())
}
