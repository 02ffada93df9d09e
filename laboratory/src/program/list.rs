//! `list`: what there is.

use super::Ending;
use super::args::ListArgs;
use laboratory::network::{GraphName, PresetName};
use laboratory::published::Publication;
use laboratory::scenario::{Curve, ModelName, Quantity, Table, spelt};
use laboratory::strategy::StrategyName;
use std::io::Write;

pub(super) fn run(args: &ListArgs) -> anyhow::Result<Ending> {
    let strategies = StrategyName::ALL.map(|(name, words)| (spelt(&name), words.to_owned()));
    let publications = Publication::ALL.map(|publication| {
        (publication.name.to_owned(), format!("{}; {}", publication.citation, publication.source.words()))
    });
    let sections = [
        ("models", ModelName::ALL.map(|(_, name, words)| (name.to_owned(), words.to_owned())).to_vec()),
        ("presets", PresetName::ALL.map(|(_, name, words)| (name.to_owned(), words.to_owned())).to_vec()),
        ("graphs", GraphName::ALL.map(|(_, name, words)| (name.to_owned(), words.to_owned())).to_vec()),
        ("strategies", strategies.to_vec()),
        ("quantities", Quantity::ALL.map(|(_, name, words)| (name.to_owned(), words.to_owned())).to_vec()),
        ("tables", Table::ALL.map(|(_, name, words)| (name.to_owned(), words.to_owned())).to_vec()),
        ("curves", Curve::ALL.map(|(_, name, words)| (name.to_owned(), words.to_owned())).to_vec()),
        ("publications", publications.to_vec()),
    ];
    let mut out = std::io::stdout().lock();
    if args.json {
        let sections: serde_json::Map<_, _> =
            sections.into_iter().map(|(name, items)| (name.to_owned(), items.into_iter().collect())).collect();
        writeln!(out, "{}", serde_json::Value::Object(sections))?;
        return Ok(Ending::Good);
    }
    for (section, items) in sections {
        writeln!(out, "{section}")?;
        for (name, words) in items {
            writeln!(out, "  {name:22} {words}")?;
        }
    }
    Ok(Ending::Good)
}
