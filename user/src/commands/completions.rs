//! `user completions`: the script that completes commands and flags in a shell.

use crate::Error;
use crate::console::{Console, Output, Style};
use clap::CommandFactory;
use clap_complete::Shell;
use serde::Serialize;

/// Print the script that completes this program's commands and flags in a shell
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The shell to complete in
    shell: Shell,
}

const EXAMPLES: &str = "\
Examples:
  user completions bash > ~/.local/share/bash-completion/completions/user
  user completions zsh > ~/.zfunc/_user";

#[derive(Debug, Serialize)]
struct Script {
    shell: String,
    script: String,
}

impl Output for Script {
    fn text(&self, _: Style) -> String {
        self.script.trim_end().to_owned()
    }
}

/// # Errors
/// Fails if the output cannot be written.
pub fn run(args: Args, console: &mut Console) -> Result<(), Error> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut crate::Args::command(), "user", &mut script);
    console.print(&Script { shell: args.shell.to_string(), script: String::from_utf8_lossy(&script).into_owned() })
}
