//! Peers that lie. Each follows the honest chain like everyone else, so that its lies stand on real blocks.

use crate::forge::{Forge, Spoil};
use shared::block::{Block, BlockHash, Height, Nonce, Timestamp};
use shared::chain::{Chain, Tip};
use shared::params::RetargetRule;
use shared::random::Random;
use shared::sync::{Failure, HEADERS_PER_REQUEST, PeerRequest, PeerResponse};
use shared::work::Work;

/// What a lying peer does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lie {
    /// Claims enormous work, of another tip each time, and has no headers.
    ClaimsWork,
    /// Claims enormous work for the very tip that the honest have, and has no headers.
    ClaimsWorkOfHonestTips,
    /// Its headers are easier than the rule demands.
    WrongDifficulty,
    /// Its headers miss their targets.
    NoWork,
    /// Valid headers, never bodies.
    NoBodies,
    /// Valid headers, and the bodies of other blocks.
    OtherBodies,
    /// Valid headers without end, never bodies.
    EndlessHeaders,
    /// More headers than requested.
    TooManyHeaders,
    /// A branch whose blocks break a stateless rule of the layer.
    BadLabel,
    /// A branch whose blocks break a stateful rule of the layer.
    SameLabel,
    /// Pushes children that break rules, and orphans.
    PushesGarbage,
    /// Claims enormous work and responds as slowly and little as it may: a block at a time.
    Trickles,
    /// Takes requests for headers and never responds.
    Silent,
    /// A branch from the future: not a broken rule, so no node drops it.
    Future,
    /// Valid headers of more work; requests for their bodies get no response.
    Withholds,
    /// Valid headers of more work; requests for their bodies are refused with 503 after 28 s.
    RefusesLate,
    /// Valid headers of more work, whose bodies arrive byte by byte.
    Drips,
    /// Valid headers of more work; the connection breaks at each request for bodies.
    CutsOff,
    /// The honest chain's headers and announcements; requests for their bodies get no response.
    RelaysAndHangs,
    /// Pushes blocks of a wrong difficulty in the name of each honest node in turn.
    Frames,
}

impl Lie {
    pub const ALL: [Self; 20] = [
        Self::ClaimsWork,
        Self::ClaimsWorkOfHonestTips,
        Self::WrongDifficulty,
        Self::NoWork,
        Self::NoBodies,
        Self::OtherBodies,
        Self::EndlessHeaders,
        Self::TooManyHeaders,
        Self::BadLabel,
        Self::SameLabel,
        Self::PushesGarbage,
        Self::Trickles,
        Self::Silent,
        Self::Future,
        Self::Withholds,
        Self::RefusesLate,
        Self::Drips,
        Self::CutsOff,
        Self::RelaysAndHangs,
        Self::Frames,
    ];

    /// Those that offer a better branch with valid headers and deliver no bodies.
    pub const WITHHOLDING: [Self; 5] = [Self::NoBodies, Self::Withholds, Self::RefusesLate, Self::Drips, Self::CutsOff];

    /// Whether it breaks a rule of the protocol, or a promise, so that it must end up dropped.
    pub fn must_be_dropped(self) -> bool {
        // A broken connection may be nobody's fault, a push proves nothing about the node that it names, and where
        // pushes arrive nobody needs the bodies that a relay withholds.
        !matches!(self, Self::Future | Self::CutsOff | Self::Frames | Self::PushesGarbage | Self::RelaysAndHangs)
    }

    pub fn pushes(self) -> bool {
        matches!(self, Self::PushesGarbage | Self::BadLabel | Self::SameLabel | Self::Future | Self::Frames)
    }

    fn spoil(self) -> Spoil {
        match self {
            Self::WrongDifficulty | Self::Frames => Spoil::Difficulty,
            Self::NoWork => Spoil::Work,
            Self::BadLabel => Spoil::BadLabel,
            Self::SameLabel => Spoil::SameLabel,
            Self::Future => Spoil::Future,
            _ => Spoil::Nothing,
        }
    }

    fn stands_on_honest_tip(self) -> bool {
        use Lie::{ClaimsWorkOfHonestTips, Frames, PushesGarbage, RelaysAndHangs, Trickles};
        matches!(self, ClaimsWorkOfHonestTips | Trickles | PushesGarbage | RelaysAndHangs | Frames)
    }

    fn claims_too_much(self) -> bool {
        use Lie::{ClaimsWork, ClaimsWorkOfHonestTips, EndlessHeaders, Silent, TooManyHeaders, Trickles};
        matches!(self, ClaimsWork | ClaimsWorkOfHonestTips | EndlessHeaders | Silent | TooManyHeaders | Trickles)
    }
}

/// What a liar sends in response.
pub enum LiarResponse {
    /// As an honest node would, this much later.
    Honestly {
        after_ms: u64,
    },
    With(PeerResponse),
    Never,
    /// A byte a second, and never the whole.
    Drips,
    /// This failure, this much later.
    Fails {
        failure: Failure,
        after_ms: u64,
    },
}

pub struct Liar {
    pub lie: Lie,
    forged: Vec<Block>,
    forge: Option<Forge>,
    random: Random,
}

impl Liar {
    pub const fn new(lie: Lie, seed: u64) -> Self {
        Self { lie, forged: Vec::new(), forge: None, random: Random::new(seed) }
    }

    /// The tip that it claims to have.
    pub fn tip(&mut self, chain: &Chain, now: Timestamp) -> Tip {
        let mut tip = chain.tip().tip();
        if !self.lie.stands_on_honest_tip() {
            self.forge_on(chain, now);
            let last = self.forged.last().unwrap().header();
            let work = self.forged.iter().map(|block| block.header().difficulty.work()).sum::<Work>();
            tip = Tip { index: last.index, hash: last.hash(), timestamp: last.timestamp, work: tip.work + work };
        }
        if self.lie == Lie::ClaimsWork {
            tip.hash = BlockHash::of(self.random.next_u64().to_be_bytes());
        }
        if self.lie.claims_too_much() {
            tip.work = tip.work + Work(1 << 80);
        }
        tip
    }

    /// Panics on a request for bodies whose headers break a rule.
    pub fn answer(&mut self, request: &PeerRequest, chain: &Chain, now: Timestamp) -> LiarResponse {
        match (request, self.lie) {
            (PeerRequest::Headers { .. }, Lie::Trickles) => LiarResponse::Honestly { after_ms: 14_800 },
            (PeerRequest::Blocks { hashes }, Lie::Trickles) => {
                let blocks = chain.view().reader().unwrap().blocks_by_hash(&hashes[..1], 1 << 20).unwrap();
                LiarResponse::With(PeerResponse::Blocks(blocks))
            }
            (PeerRequest::Headers { .. }, Lie::Silent) => LiarResponse::Never,
            (PeerRequest::Headers { .. }, Lie::ClaimsWork | Lie::ClaimsWorkOfHonestTips) => {
                LiarResponse::With(PeerResponse::Headers(Vec::new()))
            }
            (PeerRequest::Headers { .. }, Lie::TooManyHeaders) => {
                let genesis = chain.rules().params().genesis().header().clone();
                LiarResponse::With(PeerResponse::Headers(vec![genesis; HEADERS_PER_REQUEST + 1]))
            }
            (PeerRequest::Headers { locator, .. }, Lie::EndlessHeaders) => self.more_headers(locator, chain, now),
            (PeerRequest::Blocks { .. }, Lie::RelaysAndHangs) => LiarResponse::Never,
            (PeerRequest::Headers { .. }, Lie::RelaysAndHangs | Lie::Frames) => LiarResponse::Honestly { after_ms: 0 },
            (PeerRequest::Headers { locator, .. }, lie) if lie != Lie::PushesGarbage => {
                self.headers(locator, chain, now)
            }
            (PeerRequest::Blocks { hashes }, lie) if self.forged.iter().any(|block| hashes.contains(&block.hash())) => {
                assert!(
                    !matches!(lie, Lie::WrongDifficulty | Lie::NoWork | Lie::Future),
                    "bodies were requested whose headers break a rule: {lie:?}"
                );
                match lie {
                    Lie::Withholds => LiarResponse::Never,
                    Lie::Drips => LiarResponse::Drips,
                    Lie::RefusesLate => {
                        LiarResponse::Fails { failure: Failure::Refused("503 try again".to_owned()), after_ms: 28_000 }
                    }
                    Lie::CutsOff => LiarResponse::Fails {
                        failure: Failure::Unreachable("the connection broke".to_owned()),
                        after_ms: 0,
                    },
                    _ => self.bodies(hashes, chain),
                }
            }
            _ => LiarResponse::Honestly { after_ms: 0 },
        }
    }

    /// The block that it pushes next, if any.
    pub fn push(&mut self, chain: &Chain, now: Timestamp) -> Option<Block> {
        if !self.lie.pushes() {
            return None;
        }
        if self.lie != Lie::PushesGarbage {
            self.forge_on(chain, now);
            return self.forged.first().cloned();
        }
        let spoils = [Spoil::Difficulty, Spoil::Work, Spoil::BadLabel, Spoil::Nothing];
        let spoil = spoils[self.random.below(4) as usize];
        let mut forge = Forge::on(chain, 0);
        let (label, first) = (self.label(), Nonce(self.random.next_u64()));
        let child = forge.next(chain.rules(), now, label, spoil, first);
        // A grandchild of the tip, whose parent is never sent.
        Some(if spoil == Spoil::Nothing { forge.next(chain.rules(), now, self.label(), spoil, first) } else { child })
    }

    fn label(&mut self) -> String {
        format!("forged {:016x}", self.random.next_u64())
    }

    /// Forges five blocks on top of the current tip, unless it has done so already.
    fn forge_on(&mut self, chain: &Chain, now: Timestamp) {
        let tip = chain.tip().hash();
        if self.forged.first().is_none_or(|block| block.header().prev_hash != tip) {
            self.forged.clear();
            self.forge = Some(Forge::on(chain, 0));
            self.grow(5, chain, now);
        }
    }

    fn grow(&mut self, count: usize, chain: &Chain, now: Timestamp) {
        while self.forged.len() < count {
            let (label, first) = (self.label(), Nonce(self.random.next_u64()));
            let Some(forge) = &mut self.forge else { return };
            self.forged.push(forge.next(chain.rules(), now, label, self.lie.spoil(), first));
        }
    }

    fn headers(&mut self, locator: &[BlockHash], chain: &Chain, now: Timestamp) -> LiarResponse {
        self.forge_on(chain, now);
        let known = self.forged.iter().position(|block| block.hash() == locator[0]);
        let mut headers = Vec::new();
        if known.is_none() {
            headers = chain.view().reader().unwrap().headers_after(locator, HEADERS_PER_REQUEST).unwrap().unwrap();
        }
        let rest = &self.forged[known.map_or(0, |known| known + 1)..];
        headers.extend(rest.iter().map(|block| block.header().clone()));
        headers.truncate(HEADERS_PER_REQUEST);
        LiarResponse::With(PeerResponse::Headers(headers))
    }

    /// A full page, whatever the request says.
    fn more_headers(&mut self, locator: &[BlockHash], chain: &Chain, now: Timestamp) -> LiarResponse {
        self.forge_on(chain, now);
        let known = self.forged.iter().position(|block| block.hash() == locator[0]).map_or(0, |known| known + 1);
        // Bounded only so that a defect shows as a failure instead of filling the memory.
        assert!(known < 10 * HEADERS_PER_REQUEST, "headers without end are taken");
        // Where difficulty follows time, headers a millisecond apart soon cost more than a liar can pay.
        let fixed = chain.rules().params().retarget == RetargetRule::Fixed;
        self.grow(if fixed { known + HEADERS_PER_REQUEST } else { 8 }, chain, now);
        self.headers(locator, chain, now)
    }

    fn bodies(&self, hashes: &[BlockHash], chain: &Chain) -> LiarResponse {
        let wanted = |hash: &BlockHash| self.forged.iter().find(|block| block.hash() == *hash).cloned();
        let reader = chain.view().reader().unwrap();
        LiarResponse::With(PeerResponse::Blocks(match self.lie {
            Lie::NoBodies | Lie::EndlessHeaders => Vec::new(),
            Lie::OtherBodies => reader.blocks(Height::GENESIS, 1, 1 << 20).unwrap(),
            _ => {
                let mut blocks = reader.blocks_by_hash(hashes, 8 << 20).unwrap();
                blocks.extend(hashes[blocks.len()..].iter().map_while(wanted));
                blocks
            }
        }))
    }
}
