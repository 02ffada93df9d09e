//! Follows docs/programs.md: runs its commands in their order, and checks what they print.

use crate::lab::{Lab, TOKEN};
use crate::programs::programs;
use std::path::Path;

/// The shell blocks of a section.
fn commands(page: &str, heading: &str) -> String {
    let (_, section) = page.split_once(&format!("\n## {heading}\n")).expect("a section of this heading");
    let section = section.split("\n## ").next().unwrap();
    let blocks = section.split("```sh\n").skip(1).map(|block| block.split("```").next().unwrap());
    let blocks: String = blocks.collect();
    assert!(!blocks.is_empty(), "{heading} has no commands");
    blocks
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_about_programs_works() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let page = std::fs::read_to_string(root.join("docs/programs.md")).unwrap();
    let lab = Lab::with_params(programs("page"), |_| {}).await;
    let user = lab.user();
    lab.mine(&user, 1).await;
    // The page's network runs already, and its node's token is not in a data folder.
    let prelude = format!(
        "set -e\nuser() {{ if [ \"$1\" = mine ]; then set -- \"$@\" --token {TOKEN}; fi; \
         '{binary}' \"$@\" -t {tracker}; }}\n",
        binary = env!("CARGO_BIN_EXE_user"),
        tracker = lab.tracker,
    );
    let sections = ["A counter", "Deploy and call it", "A currency, in Vyper"].map(|one| commands(&page, one));
    let script = prelude + &sections.concat();
    let examples = root.join("docs/examples/programs");
    let script = script.replace("examples=../docs/examples/programs", &format!("examples='{}'", examples.display()));
    let printed = tokio::task::spawn_blocking(move || (user.sh(&script), script));
    let (printed, script) = printed.await.unwrap();
    assert_eq!(printed.code, 0, "{}{}{script}", printed.stdout, printed.stderr);
    let text = printed.stdout;
    for words in [
        "LOG1",
        "16 of 16 steps",
        "status   succeeded",
        "moved    lab1",
        "slot 0",
        "returns Lunch money",
        "returns 300",
        "reverted: too few tokens",
        "returns 0",
    ] {
        assert!(text.contains(words), "no {words:?} in {text}");
    }
}
