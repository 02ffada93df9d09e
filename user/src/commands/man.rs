//! `user man`: manual pages.

use crate::Error;
use crate::console::{Console, Output, Style};
use clap::CommandFactory;
use clap_mangen::Man;
use serde::Serialize;
use std::path::PathBuf;

/// Print the manual page, or write the pages of all commands into a folder
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The folder to write into; it is created if it does not exist
    #[arg(value_name = "FOLDER")]
    folder: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  user man | man -l -
  user man ~/.local/share/man/man1";

/// The text of one page, or the folder that all pages were written into.
#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase")]
enum Pages {
    Page(String),
    Folder(PathBuf),
}

impl Output for Pages {
    fn text(&self, _: Style) -> String {
        match self {
            Self::Page(page) => page.trim_end().to_owned(),
            Self::Folder(folder) => format!("wrote the manual pages into {}", folder.display()),
        }
    }
}

/// # Errors
/// Fails if the folder cannot be written.
pub fn run(args: Args, console: &mut Console) -> Result<(), Error> {
    let command = crate::Args::command();
    let Some(folder) = args.folder else {
        let mut page = Vec::new();
        Man::new(command).render(&mut page)?;
        return console.print(&Pages::Page(String::from_utf8_lossy(&page).into_owned()));
    };
    let failed = |source| Error::File { action: "write into", path: folder.clone(), source };
    std::fs::create_dir_all(&folder).and_then(|()| clap_mangen::generate_to(command, &folder)).map_err(failed)?;
    console.print(&Pages::Folder(folder))
}
