//! Reads a recording, which may come from anybody: bounded, checked, and refused with the line that is wrong.

use super::{Head, Moment, Recording, VERSION};
use serde::Deserialize;
use shared::params::BadParams;
use shared::sync::PeerAddress;
use std::collections::BTreeSet;

/// Most bytes of a recording.
pub const MAX_BYTES: u64 = 128 << 20;
/// Most moments of a recording.
pub const MAX_MOMENTS: usize = 400_000;
/// Most nodes of a recording.
pub const MAX_NODES: usize = 1000;
/// Most cuts and healings of a recording.
const MAX_CUTS: usize = 2000;
/// Longest title, in characters.
const MAX_TITLE_CHARS: usize = 300;

/// Why a text is no recording that can be shown. Lines count from 1.
#[derive(Debug, thiserror::Error)]
pub enum BadRecording {
    /// It has no first line.
    #[error("it is empty; `laboratory run FILE --record` writes recordings")]
    Empty,
    /// The first line does not say that this is a recording.
    #[error("it is no recording of a run: its first line has no version of the format")]
    NoRecording,
    /// Another version of the format.
    #[error("it has version {got} of the format; this program reads version {VERSION}")]
    Version {
        /// The version that it names.
        got: u32,
    },
    /// A line is not what it should be.
    #[error("line {line}: {error}")]
    Line {
        /// Its number.
        line: usize,
        /// What is wrong with it.
        error: serde_json::Error,
    },
    /// The rules of its chain cannot be.
    #[error("line 1: network: {0}")]
    Params(#[from] BadParams),
    /// The title is too long.
    #[error("line 1: the title has more than {MAX_TITLE_CHARS} characters")]
    Title,
    /// There are too few or too many nodes.
    #[error("line 1: {got} nodes; expected 1 to {MAX_NODES}")]
    Nodes {
        /// Their number.
        got: usize,
    },
    /// Two nodes have one address, or it is no `host:port`.
    #[error("line 1: node {node} has no address `host:port` of its own")]
    Address {
        /// Its number.
        node: usize,
    },
    /// A line names a node that the head does not.
    #[error("line {line}: there is no node {node}; the last one is {last}")]
    NoSuchNode {
        /// The line.
        line: usize,
        /// The number that it names.
        node: u32,
        /// The highest number.
        last: usize,
    },
    /// A moment is earlier than the one before.
    #[error("line {line}: it is earlier than the line before")]
    Order {
        /// The line.
        line: usize,
    },
    /// There are too many moments.
    #[error("it has more than {most} moments; record a shorter run, or one of fewer nodes")]
    TooMany {
        /// [`MAX_MOMENTS`].
        most: usize,
    },
    /// The network is cut or healed too often.
    #[error("it has more than {MAX_CUTS} cuts and healings")]
    TooManyCuts,
}

/// The part of the first line that every version has.
#[derive(Deserialize)]
struct AnyVersion {
    recording: u32,
}

impl Recording {
    /// Reads the lines of a recording.
    ///
    /// # Errors
    /// See [`BadRecording`].
    pub fn read(text: &str) -> Result<Self, BadRecording> {
        Self::read_at_most(text, MAX_MOMENTS)
    }

    fn read_at_most(text: &str, max_moments: usize) -> Result<Self, BadRecording> {
        let mut lines = text.lines().enumerate().map(|(place, line)| (place + 1, line));
        let (_, first) = lines.next().ok_or(BadRecording::Empty)?;
        let AnyVersion { recording: got } = serde_json::from_str(first).map_err(|_| BadRecording::NoRecording)?;
        if got != VERSION {
            return Err(BadRecording::Version { got });
        }
        let head: Head = serde_json::from_str(first).map_err(|error| BadRecording::Line { line: 1, error })?;
        check_head(&head)?;
        let mut moments: Vec<Moment> = Vec::new();
        let mut cuts = 0;
        for (line, text) in lines {
            if moments.len() == max_moments {
                return Err(BadRecording::TooMany { most: max_moments });
            }
            let moment: Moment = serde_json::from_str(text).map_err(|error| BadRecording::Line { line, error })?;
            if moments.last().is_some_and(|before| before.at() > moment.at()) {
                return Err(BadRecording::Order { line });
            }
            names_nodes(&moment, line, head.nodes.len())?;
            cuts += usize::from(!matches!(moment, Moment::Node { .. }));
            if cuts > MAX_CUTS {
                return Err(BadRecording::TooManyCuts);
            }
            moments.push(moment);
        }
        Ok(Self { head, moments })
    }
}

fn check_head(head: &Head) -> Result<(), BadRecording> {
    head.network.check()?;
    if head.title.chars().nth(MAX_TITLE_CHARS).is_some() {
        return Err(BadRecording::Title);
    }
    let got = head.nodes.len();
    if !(1..=MAX_NODES).contains(&got) {
        return Err(BadRecording::Nodes { got });
    }
    let mut addresses = BTreeSet::new();
    for (number, node) in head.nodes.iter().enumerate() {
        let is_own = PeerAddress::new(&node.address).is_some_and(|address| address.as_str() == node.address)
            && addresses.insert(node.address.as_str());
        if !is_own {
            return Err(BadRecording::Address { node: number });
        }
        if let Some(other) = node.links.iter().find(|other| **other as usize >= got) {
            return Err(BadRecording::NoSuchNode { line: 1, node: *other, last: got - 1 });
        }
    }
    Ok(())
}

fn names_nodes(moment: &Moment, line: usize, nodes: usize) -> Result<(), BadRecording> {
    let named: &[u32] = match moment {
        Moment::Node { node, .. } => std::slice::from_ref(node),
        Moment::Cut { side, .. } => side,
        Moment::Healed { .. } => &[],
    };
    match named.iter().find(|node| **node as usize >= nodes) {
        Some(node) => Err(BadRecording::NoSuchNode { line, node: *node, last: nodes - 1 }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Plan;

    /// A recording of four nodes, line by line.
    fn lines() -> Vec<String> {
        let scenario = "title = \"t\"\nmodel = \"core\"\nblocks = 5\n[consensus]\nblock_interval_ms = 20_000\n\
            initial_difficulty = 50\n[network]\nnodes = 4\npreset = \"lan\"\ngraph = \"full\"\n[[event]]\n\
            at = \"block 2\"\npartition = { half = \"50 %\", for = \"30 s\" }\n";
        let mut lines = Vec::new();
        assert!(Plan::read(scenario, &[], None).unwrap().record(0, &mut |line| lines.push(line)));
        lines
    }

    fn refusal(lines: &[String]) -> String {
        Recording::read(&lines.join("\n")).unwrap_err().to_string()
    }

    #[test]
    fn a_recording_is_read_back_as_it_was_written() {
        let lines = lines();
        let recording = Recording::read(&(lines.join("\n") + "\n")).unwrap();
        assert_eq!((recording.head.nodes.len(), recording.moments.len()), (4, lines.len() - 1));
        assert_eq!(serde_json::to_string(&recording.moments[7]).unwrap(), lines[8]);
    }

    #[test]
    fn what_is_no_recording_is_refused_with_its_line() {
        assert!(refusal(&[]).contains("empty"));
        assert!(refusal(&["title = \"a scenario\"".to_owned()]).contains("no recording"));
        assert!(refusal(&["{\"recording\":2,\"future\":1}".to_owned()]).contains("version 2"));
        let good = lines();
        let with = |line: usize, from: &str, to: &str| {
            let mut lines = good.clone();
            assert!(lines[line - 1].contains(from), "{}", lines[line - 1]);
            lines[line - 1] = lines[line - 1].replacen(from, to, 1);
            refusal(&lines)
        };
        assert!(with(1, "\"block_interval_ms\":20000", "\"block_interval_ms\":0").contains("network"), "rules");
        assert!(with(1, "\"links\":[1", "\"links\":[4").contains("there is no node 4; the last one is 3"));
        assert!(with(1, "10.0.0.1:8100", "10.0.0.0:8100").contains("node 1 has no address"));
        assert!(with(1, "10.0.0.1:8100", "<b>").contains("node 1 has no address"));
        assert!(with(1, "\"t\"", &format!("\"{}\"", "t".repeat(301))).contains("title"));
        assert!(with(3, "\"node\":0", "\"node\":4000000000").contains("line 3: there is no node 4000000000"));
        assert!(with(4, "2026-", "2025-").contains("line 4: it is earlier"));
        assert!(with(5, "{", "").starts_with("line 5: "));
        // As if its writer had been killed.
        let mut torn = good.join("\n");
        torn.truncate(torn.len() - 9);
        assert!(Recording::read(&torn).unwrap_err().to_string().starts_with(&format!("line {}: ", good.len())));
    }

    #[test]
    fn the_numbers_of_nodes_and_moments_are_bounded() {
        let mut lines = lines();
        let more = lines[1].clone();
        lines.extend(std::iter::repeat_n(more, 3));
        assert!(refusal(&lines).contains("earlier"), "the first moment again");
        let mut head: Head = serde_json::from_str(&lines[0]).unwrap();
        head.nodes = vec![head.nodes[0].clone(); MAX_NODES + 1];
        assert!(refusal(&[serde_json::to_string(&head).unwrap()]).contains("1001 nodes"));
        head.nodes.clear();
        assert!(refusal(&[serde_json::to_string(&head).unwrap()]).contains("0 nodes"));
        let text = self::lines().join("\n");
        let moments = text.lines().count() - 1;
        assert!(Recording::read_at_most(&text, moments).is_ok());
        let refused = Recording::read_at_most(&text, moments - 1).unwrap_err().to_string();
        assert!(refused.contains(&format!("more than {} moments", moments - 1)), "{refused}");
        let cut = text.lines().find(|line| line.contains("\"cut\"")).unwrap().to_owned();
        assert!(refusal(&[&lines[..1], &vec![cut; MAX_CUTS + 1]].concat()).contains("2000 cuts"));
    }
}
