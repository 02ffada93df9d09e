//! Open offers of `GET /work` for outside miners.
//!
//! Everybody may ask for work, so offers are bounded, in total and for each source. An offer for the current tip is
//! never dropped in favour of another miner's: offers for earlier tips go first, then the request is refused.

use runtime::server::{Full, LOCAL_PERCENT, Source};
use shared::block::{Block, BlockHash, DataHash, HeaderFields, Seal};
use shared::wire::{WorkOffer, WorkSolution};
use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Most bytes of all offers together.
const MAX_BYTES: usize = 128 << 20;
/// What an offer takes beside its data, in bytes.
const OFFER_BYTES: usize = 1024;
/// A miner that asks again sooner gets the same offer if the data is the same, in milliseconds.
const SAME_OFFER_MS: u64 = 1000;
/// Offers for the current tip that a miner keeps even if its source has no room for its newest one.
const KEPT: usize = 16;

/// Why a solution makes no block.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SolutionError {
    #[error("this work was never offered here, or too long ago; GET /work for new work")]
    NotOffered,
    #[error("hash {0} is above the target")]
    TargetMissed(BlockHash),
}

/// Who asks for work: a source, and whom the block names as its miner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Client {
    pub(crate) source: Source,
    pub(crate) miner: DataHash,
}

/// Open offers by seal.
pub(crate) struct WorkOffers {
    remote_share: usize,
    local_share: usize,
    open: Mutex<OpenOffers>,
}

#[derive(Default)]
struct OpenOffers {
    by_seal: HashMap<Seal, Offer>,
    /// The oldest first.
    order: VecDeque<Seal>,
    newest: HashMap<Client, Seal>,
    bytes: usize,
}

struct Offer {
    fields: HeaderFields,
    data: Arc<str>,
    client: Client,
}

impl WorkOffers {
    /// One source may have `source_percent` of the bytes of all offers, three quarters if it is this machine.
    pub(crate) fn new(source_percent: usize) -> Self {
        let share = |percent: usize| MAX_BYTES / 100 * percent.min(100);
        let (remote_share, local_share) = (share(source_percent), share(source_percent.max(LOCAL_PERCENT)));
        Self { remote_share, local_share, open: Mutex::default() }
    }

    /// Offers a block on the current tip, `fields.prev_hash`; without room, an earlier offer on it to the same client.
    ///
    /// # Errors
    /// If there is no room, and no earlier offer.
    pub(crate) fn offer(&self, fields: HeaderFields, data: String, client: Client) -> Result<WorkOffer, Full> {
        let share = if client.source.is_here() { self.local_share } else { self.remote_share };
        let mut open = self.open();
        let newest = open.newest_on(fields.prev_hash, client);
        if let Some(last) = newest.filter(|last| last.data_hash == fields.data_hash)
            && fields.timestamp.as_ms().saturating_sub(last.timestamp.as_ms()) < SAME_OFFER_MS
        {
            return Ok(to_wire(&last));
        }
        let offer = Offer { fields, data: data.into(), client };
        match open.make_room(&offer, share) {
            Ok(()) => {
                open.insert(offer);
                Ok(to_wire(&fields))
            }
            Err(full) => newest.map(|last| to_wire(&last)).ok_or(full),
        }
    }

    /// The block of a solution, if its work was offered.
    pub(crate) fn solve(&self, solution: &WorkSolution) -> Result<Block, SolutionError> {
        let (fields, data) = {
            let open = self.open();
            let offer = open.by_seal.get(&solution.seal).ok_or(SolutionError::NotOffered)?;
            (offer.fields, offer.data.clone())
        };
        let hash = solution.seal.block_hash(solution.nonce);
        if !fields.difficulty.target().is_met_by(&hash) {
            return Err(SolutionError::TargetMissed(hash));
        }
        Ok(Block::new(fields, solution.nonce, data.to_string()))
    }

    fn open(&self) -> MutexGuard<'_, OpenOffers> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn to_wire(fields: &HeaderFields) -> WorkOffer {
    let HeaderFields { index, difficulty, .. } = *fields;
    WorkOffer { seal: fields.seal(), target: difficulty.target(), difficulty, index }
}

impl Offer {
    fn bytes(&self) -> usize {
        self.data.len() + OFFER_BYTES
    }
}

impl OpenOffers {
    fn newest_on(&self, tip: BlockHash, client: Client) -> Option<HeaderFields> {
        let offer = self.newest.get(&client).and_then(|seal| self.by_seal.get(seal))?;
        (offer.fields.prev_hash == tip).then_some(offer.fields)
    }

    /// Drops earlier offers until `new` fits into `share` and into the total.
    fn make_room(&mut self, new: &Offer, share: usize) -> Result<(), Full> {
        let (tip, source) = (new.fields.prev_hash, new.client.source);
        let of_source = |offer: &Offer| offer.client.source == source;
        let mut held: usize = self.by_seal.values().filter(|offer| of_source(offer)).map(Offer::bytes).sum();
        // A block that is larger than the share is possible while its source has no other offer.
        while held > 0 && held + new.bytes() > share {
            let dropped = self
                .drop_oldest(|offer| of_source(offer) && offer.fields.prev_hash != tip)
                .or_else(|| self.drop_surplus_of(new.client));
            held -= dropped.ok_or(Full::Source)?;
        }
        while self.bytes > 0 && self.bytes + new.bytes() > MAX_BYTES {
            self.drop_oldest(|offer| offer.fields.prev_hash != tip).ok_or(Full::All)?;
        }
        Ok(())
    }

    fn drop_surplus_of(&mut self, client: Client) -> Option<usize> {
        let own = self.by_seal.values().filter(|offer| offer.client == client).count();
        if own > KEPT { self.drop_oldest(|offer| offer.client == client) } else { None }
    }

    /// Drops the oldest of some offers, and returns its bytes.
    fn drop_oldest(&mut self, is_one: impl Fn(&Offer) -> bool) -> Option<usize> {
        let place = self.order.iter().position(|seal| self.by_seal.get(seal).is_some_and(&is_one))?;
        let seal = self.order.remove(place)?;
        let offer = self.by_seal.remove(&seal)?;
        self.bytes -= offer.bytes();
        if self.newest.get(&offer.client) == Some(&seal) {
            self.newest.remove(&offer.client);
        }
        Some(offer.bytes())
    }

    fn insert(&mut self, offer: Offer) {
        let seal = offer.fields.seal();
        // The same seal means the same data, which another client was offered at the same millisecond.
        if let Entry::Vacant(free) = self.by_seal.entry(seal) {
            self.newest.insert(offer.client, seal);
            self.bytes += offer.bytes();
            self.order.push_back(seal);
            free.insert(offer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::block::{Height, Nonce, Timestamp};
    use shared::work::Difficulty;

    fn fields(ms: u64, tip: &str) -> HeaderFields {
        HeaderFields {
            index: Height(1),
            prev_hash: BlockHash::of(tip),
            timestamp: Timestamp::from_ms(ms),
            difficulty: Difficulty::MIN,
            data_hash: DataHash::of("data"),
        }
    }

    fn client(remote: &str, miner: u64) -> Client {
        let source = Source::new(remote.parse().unwrap(), "192.0.2.100".parse().unwrap());
        Client { source, miner: DataHash::of(miner.to_string()) }
    }

    /// An offer with `bytes` bytes of data that no other miner has.
    fn ask(offers: &WorkOffers, tip: &str, client: Client, ms: u64, bytes: usize) -> Result<WorkOffer, Full> {
        let fields = HeaderFields { data_hash: client.miner, ..fields(ms, tip) };
        offers.offer(fields, "x".repeat(bytes), client)
    }

    fn is_open(offers: &WorkOffers, offer: &WorkOffer) -> bool {
        offers.solve(&WorkSolution { seal: offer.seal, nonce: Nonce(0) }).is_ok()
    }

    #[test]
    fn only_a_solution_of_offered_work_makes_a_block() {
        let (offers, miner) = (WorkOffers::new(25), client("192.0.2.1", 1));
        let easy = offers.offer(fields(1, "tip"), "data".to_owned(), miner).unwrap();
        let block = offers.solve(&WorkSolution { seal: easy.seal, nonce: Nonce(7) }).unwrap();
        assert_eq!((block.data(), block.header().nonce()), ("data", Nonce(7)));

        let hard = HeaderFields { difficulty: Difficulty::new(1 << 50).unwrap(), ..fields(5000, "tip") };
        let hard = offers.offer(hard, "data".to_owned(), miner).unwrap();
        let missed = offers.solve(&WorkSolution { seal: hard.seal, nonce: Nonce(7) });
        assert!(matches!(missed, Err(SolutionError::TargetMissed(_))), "{missed:?}");

        let unknown = WorkSolution { seal: Seal::of("never offered"), nonce: Nonce(7) };
        assert_eq!(offers.solve(&unknown), Err(SolutionError::NotOffered));
    }

    #[test]
    fn who_asks_again_at_once_gets_the_same_work() {
        let (offers, miner) = (WorkOffers::new(25), client("192.0.2.1", 1));
        let seal = |ms, tip| ask(&offers, tip, miner, ms, 1).unwrap().seal;
        let first = seal(0, "tip");
        assert_eq!(seal(SAME_OFFER_MS - 1, "tip"), first);
        assert_ne!(seal(SAME_OFFER_MS, "tip"), first);
        assert_ne!(seal(SAME_OFFER_MS + 1, "next"), seal(SAME_OFFER_MS + 2, "tip"));
    }

    #[test]
    fn an_offer_for_the_tip_stays_good_however_many_others_ask() {
        let offers = WorkOffers::new(25);
        let (mine, data) = (client("127.0.0.1", 0), 100_000);
        let first = ask(&offers, "tip", mine, 0, data).unwrap();
        let mut refused = 0;
        for other in 1..2000 {
            refused += usize::from(ask(&offers, "tip", client("127.0.0.1", other), other, data).is_err());
        }
        assert!(refused > 0 && is_open(&offers, &first));
        assert_eq!(
            ask(&offers, "tip", client("192.0.2.1", 5000), 1, data).map(drop),
            Ok(()),
            "another source has room"
        );
        assert_eq!(ask(&offers, "tip", mine, 10_000, data).unwrap().seal, first.seal, "without room, the same again");
        assert!(ask(&offers, "next", client("127.0.0.1", 9999), 0, data).is_ok(), "offers for old tips make room");
        assert!(!is_open(&offers, &first));
        assert!(offers.open().bytes <= MAX_BYTES);
    }

    #[test]
    fn many_sources_cannot_push_out_one_another_either() {
        let offers = WorkOffers::new(25);
        let ask_from =
            |source: u64| ask(&offers, "tip", client(&format!("192.0.2.{source}"), source), 0, MAX_BYTES / 8);
        let taken: Vec<_> = (1..=7).map(|source| ask_from(source).unwrap()).collect();
        assert_eq!(ask_from(8).map(drop), Err(Full::All));
        assert!(taken.iter().all(|offer| is_open(&offers, offer)));
    }

    #[test]
    fn a_miner_that_polls_for_long_keeps_its_newest_offers() {
        let offers = WorkOffers::new(25);
        let miner = client("192.0.2.1", 1);
        let asked: Vec<_> =
            (0..100).map(|n| ask(&offers, "tip", miner, n * SAME_OFFER_MS, MAX_BYTES / 100).unwrap()).collect();
        let (old, new) = asked.split_at(100 - KEPT);
        assert!(new.iter().all(|offer| is_open(&offers, offer)) && !is_open(&offers, &old[0]));
    }

    #[test]
    fn a_block_larger_than_a_share_is_offered_to_one_miner_at_a_time() {
        let offers = WorkOffers::new(1);
        assert!(ask(&offers, "tip", client("192.0.2.1", 1), 0, MAX_BYTES / 4).is_ok());
        assert_eq!(ask(&offers, "tip", client("192.0.2.1", 2), 0, 1).map(drop), Err(Full::Source));
    }
}
