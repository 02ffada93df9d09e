//! The time from starting the simulator until every node of its network mines.

use crate::report::Row;
use anyhow::Result;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Instant;

pub(crate) fn measure() -> Result<()> {
    let Some(simulator) =
        std::env::current_exe()?.parent().map(|folder| folder.join("simulator")).filter(|program| program.exists())
    else {
        println!("start-up: not run, because the simulator is not built (cargo build --release)");
        return Ok(());
    };
    let start = Instant::now();
    let mut child = Command::new(simulator)
        .args(["--json", "--blocks", "1"])
        .current_dir(std::env::temp_dir())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let mut mining = None;
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).lines() {
            if mining.is_none() && line?.contains("\"mining\"") {
                mining = Some(start.elapsed().as_secs_f64());
            }
        }
    }
    child.wait()?;
    match mining {
        Some(ours) => {
            let what = "start until every node mines".to_owned();
            println!("{}", Row { what, ours, limit: 2.0, unit: "s", goal: "<= 1".into() });
        }
        None => println!("start-up: not measured, because the simulator did not report that its nodes mine"),
    }
    Ok(())
}
