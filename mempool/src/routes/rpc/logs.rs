//! Logs by block, program and topics.

use super::Reader;
use super::failure::{self, Failure, RpcError};
use super::params::{BlockTag, Params, account, block, hash, word, wrong};
use super::view::{BlockView, unknown_block};
use crate::machine::Deadline;
use serde_json::Value;
use shared::block::Height;
use shared::layer::program::{LogEntry, LogQuery, Moment, logs};
use shared::program::{AccountId, Word};
use std::collections::BTreeSet;

/// Most blocks of a query: each is read.
const MAX_BLOCKS: usize = 1000;
/// Most logs of an answer.
const MAX_LOGS: usize = 10_000;
/// Most bytes of an answer.
const MAX_BYTES: usize = 4 << 20;
/// Most bytes of blocks that are read.
const MAX_READ: usize = 256 << 20;
/// Most programs, and most alternatives for a topic.
const MAX_ALTERNATIVES: usize = 20;
/// Logs of one look into the index.
const PAGE: usize = 200;

/// Which logs a request wants.
struct Filter {
    from: Height,
    to: Height,
    /// All programs if it is empty.
    accounts: Vec<AccountId>,
    /// The alternatives at each place; any topic where there are none.
    topics: Vec<Vec<Word>>,
}

impl Filter {
    fn accepts(&self, log: &LogEntry) -> bool {
        let is_ours = self.accounts.is_empty() || self.accounts.contains(&log.address.account());
        let topics = self.topics.iter().enumerate();
        let mut matches = topics.map(|(place, wanted)| match log.topics.get(place) {
            Some(topic) => wanted.is_empty() || wanted.contains(topic),
            None => false,
        });
        is_ours && matches.all(|matches| matches)
    }
}

impl Reader<'_> {
    pub(super) fn logs(&self, params: &Params) -> Result<Value, Failure> {
        let filter = self.filter(params.need(0, "filter")?)?;
        let heights = self.heights(&filter)?;
        let deadline = Deadline::default();
        let (mut found, mut bytes, mut read) = (Vec::new(), 0, 0);
        for height in heights {
            let id = self.find(BlockTag::Number(height))?.ok_or_else(unknown_block)?;
            let view = BlockView::read(self.snapshot, id)?;
            read += view.data_bytes();
            let logs = view.logs(|log| filter.accepts(log));
            bytes += logs.iter().map(|log| log.to_string().len()).sum::<usize>();
            found.extend(logs);
            if found.len() > MAX_LOGS || bytes > MAX_BYTES || read > MAX_READ || deadline.is_over() {
                return Err(too_much(&format!("at block {height} the answer or the work became too much")).into());
            }
        }
        Ok(Value::Array(found))
    }

    fn filter(&self, value: &Value) -> Result<Filter, Failure> {
        if !value.is_object() {
            return Err(wrong("filter", "expected an object").into());
        }
        let field = |name: &str| value.get(name).filter(|value| !value.is_null());
        let bound = |name: &str| field(name).map_or(Ok(BlockTag::Newest), block);
        let tip = self.snapshot.tip().index;
        let (from, to) = match field("blockHash") {
            Some(value) => {
                let block = self.find(BlockTag::Hash(hash("blockHash", value)?))?.ok_or_else(unknown_block)?;
                (block.index, block.index)
            }
            None => (self.height(bound("fromBlock")?)?, self.height(bound("toBlock")?)?.min(tip)),
        };
        let accounts = alternatives(field("address"), |value| account("address", value))?;
        let mut topics = Vec::new();
        for topic in field("topics").and_then(Value::as_array).into_iter().flatten() {
            topics.push(alternatives(Some(topic).filter(|topic| !topic.is_null()), |value| word("topic", value))?);
        }
        if topics.len() > 4 {
            return Err(wrong("topics", "a log has at most four").into());
        }
        Ok(Filter { from, to, accounts, topics })
    }

    /// The height that a tag names, also one above the tip.
    fn height(&self, tag: BlockTag) -> Result<Height, Failure> {
        match tag {
            BlockTag::Number(height) => Ok(height),
            tag => Ok(self.find(tag)?.ok_or_else(unknown_block)?.index),
        }
    }

    /// The blocks to look into, by the index of logs if programs are named.
    fn heights(&self, filter: &Filter) -> Result<BTreeSet<Height>, Failure> {
        let Filter { from, to, accounts, topics } = filter;
        if from > to {
            return Ok(BTreeSet::new());
        }
        let many = || too_much(&format!("the logs lie in more than {MAX_BLOCKS} blocks"));
        if accounts.is_empty() {
            if to.above(*from) >= MAX_BLOCKS as u64 {
                return Err(many().into());
            }
            return Ok((from.0..=to.0).map(Height).collect());
        }
        let first = topics.first().filter(|wanted| wanted.len() == 1).and_then(|wanted| wanted.first()).copied();
        let deadline = Deadline::default();
        let mut heights = BTreeSet::new();
        for account in accounts {
            let mut before = Some(Moment { index: to.next(), place: 0, number: 0 });
            while before.is_some() {
                let query = LogQuery { account: *account, topic: first, before, limit: PAGE };
                let page = logs(self.snapshot, &query)?;
                let is_last = page.len() < PAGE || page.last().is_some_and(|log| log.moment.index < *from);
                before = page.last().filter(|_| !is_last).map(|log| log.moment);
                heights.extend(page.iter().map(|log| log.moment.index).filter(|index| index >= from));
                if heights.len() > MAX_BLOCKS || deadline.is_over() {
                    return Err(many().into());
                }
            }
        }
        Ok(heights)
    }
}

fn too_much(reason: &str) -> RpcError {
    RpcError::new(failure::LIMIT, format!("{reason}; ask for fewer blocks at a time"))
}

/// One value or a list of them; none if there is no value.
fn alternatives<T>(value: Option<&Value>, read: impl Fn(&Value) -> Result<T, RpcError>) -> Result<Vec<T>, RpcError> {
    match value {
        None => Ok(Vec::new()),
        Some(Value::Array(values)) if values.len() > MAX_ALTERNATIVES => {
            Err(wrong("filter", &format!("at most {MAX_ALTERNATIVES} alternatives are allowed")))
        }
        Some(Value::Array(values)) => values.iter().map(read).collect(),
        Some(value) => read(value).map(|one| vec![one]),
    }
}
