//! `report`: the reports of a folder of results, written and printed again.

use super::args::ReportArgs;
use super::folder::Folder;
use super::run::conclude;
use super::{Ending, Usage};

pub(super) fn run(args: &ReportArgs) -> anyhow::Result<Ending> {
    let plan = Folder::plan_of(&args.out)?;
    let folder = Folder::open(&args.out, &plan, &|| "run the scenario again with another --out".to_owned())?;
    let out = args.out.display().to_string();
    let Some(rows) = folder.finish()? else {
        return Err(
            Usage(format!("{out}: runs are missing; `laboratory run FILE --out {out}` carries them out")).into()
        );
    };
    conclude(&plan, &folder, &rows, &out, args.json)
}
