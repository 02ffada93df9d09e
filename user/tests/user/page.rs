//! Follows docs/programs.md: runs its commands in their order, and checks what they print.

use crate::lab::{Lab, TOKEN};
use crate::programs::programs;
use std::path::Path;

/// The shell blocks of a section.
pub(crate) fn commands(page: &str, heading: &str) -> String {
    let (_, section) = page.split_once(&format!("\n## {heading}\n")).expect("a section of this heading");
    let section = section.split("\n## ").next().unwrap();
    let blocks = section.split("```sh\n").skip(1).map(|block| block.split("```").next().unwrap());
    let blocks: String = blocks.collect();
    assert!(!blocks.is_empty(), "{heading} has no commands");
    blocks
}

/// Makes a page's commands use the network of this tracker, which runs already: its node's token is in no data folder,
/// and the node looks for new payments now and then.
pub(crate) fn prelude(tracker: &str) -> String {
    let binary = env!("CARGO_BIN_EXE_user");
    format!(
        "set -e\nuser() {{
            case \" $* \" in *' mine '*) sleep 0.5; set -- \"$@\" --token {TOKEN};; esac
            case \" $* \" in *' -t '*) ;; *) set -- \"$@\" -t {tracker};; esac
            '{binary}' \"$@\"
        }}\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_about_programs_works() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let page = std::fs::read_to_string(root.join("docs/programs.md")).unwrap();
    let lab = Lab::with_params(programs("page"), |_| {}).await;
    let user = lab.user();
    lab.mine(&user, 1).await;
    let prelude = prelude(&lab.tracker);
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
