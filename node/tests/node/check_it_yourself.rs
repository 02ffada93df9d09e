//! The shell commands of docs/check-it-yourself.md recompute the hash of the block that it shows.

use serde_json::Value;
use std::process::Command;

const PAGE: &str = include_str!("../../../docs/check-it-yourself.md");

/// The fenced block of `language` that contains `mark`.
fn fenced(language: &str, mark: &str) -> &'static str {
    let fence = format!("```{language}\n");
    let blocks = PAGE.split(fence.as_str()).skip(1).filter_map(|rest| rest.split("```").next());
    blocks.into_iter().find(|block| block.contains(mark)).expect("the page has such a block")
}

#[test]
fn the_shell_commands_recompute_a_real_blocks_hash() {
    let block: Value = serde_json::from_str(fenced("json", "prev_hash")).unwrap();
    let output = Command::new("sh").arg("-c").arg(fenced("sh", "data_hash=")).output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert_eq!(printed.split(' ').next(), block["hash"].as_str(), "{}", String::from_utf8_lossy(&output.stderr));
    // The block is well-formed and on the default network.
    shared::block::Block::from_json(fenced("json", "prev_hash").trim().as_bytes()).unwrap();
}
