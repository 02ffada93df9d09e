//! The README's shell commands do what the README says.

use serde_json::Value;
use std::process::Command;

const README: &str = include_str!("../../../README.md");

/// The fenced block of `language` that has `mark` in it.
fn fenced(language: &str, mark: &str) -> &'static str {
    let fence = format!("```{language}\n");
    let blocks = README.split(fence.as_str()).skip(1).filter_map(|rest| rest.split("```").next());
    blocks.into_iter().find(|block| block.contains(mark)).expect("the README has such a block")
}

#[test]
fn the_shell_commands_recompute_a_real_blocks_hash() {
    let block: Value = serde_json::from_str(fenced("json", "prev_hash")).unwrap();
    let output = Command::new("sh").arg("-c").arg(fenced("sh", "data_hash=")).output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert_eq!(printed.split(' ').next(), block["hash"].as_str(), "{}", String::from_utf8_lossy(&output.stderr));
    // The block is one of the default network's, and well-formed.
    shared::block::Block::from_json(fenced("json", "prev_hash").trim().as_bytes()).unwrap();
}
