//! Consensus parameters, their bounds, and the genesis block that commits to them (docs/protocol.md §2).

use crate::block::difficulty::Difficulty;
use crate::block::{Block, BlockHash, DataHash, HeaderFields, Height, Nonce, Timestamp};
use crate::json::{MAX_INTEGER, not_null};
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;

/// The meaning of `data`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum LayerName {
    /// Plain text.
    Data,
    /// Signed transactions between accounts.
    Transaction,
    /// Signed transactions between accounts and programs.
    Program,
    /// Signed transactions that spend coins: unspent outputs.
    Utxo,
}

impl LayerName {
    /// Whether blocks carry transactions and pay their miner. If not, they carry a text of their miner.
    pub const fn has_money(self) -> bool {
        matches!(self, Self::Transaction | Self::Program | Self::Utxo)
    }

    /// Whether transactions spend coins, not balances.
    pub const fn has_coins(self) -> bool {
        matches!(self, Self::Utxo)
    }

    /// Whether a transaction can deploy and call programs.
    pub const fn has_programs(self) -> bool {
        matches!(self, Self::Program)
    }
}

/// The rules that programs run by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ProgramRules {
    /// Those of Ethereum's release Osaka.
    Osaka,
}

/// The rule that decides the difficulty of the next block; `work::retarget` carries it out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum RetargetRule {
    /// Always the initial difficulty.
    Fixed,
    /// A step after each epoch of blocks.
    Epoch,
    /// Every block, from linearly weighted recent solve times.
    Lwma,
}

/// Everything that the nodes of a network must agree on, section `[network]` of `Config.toml`.
///
/// # Invariants
/// Fields are declared in alphabetical order: their JSON is hashed with sorted keys. Values from outside must
/// pass [`Params::check`] before they are used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Params {
    /// Target interval between blocks, in milliseconds; 4 to a day.
    pub block_interval_ms: u64,
    /// Blocks after which a miner's coin may be spent; on layer `utxo` only.
    #[serde(default, deserialize_with = "not_null", skip_serializing_if = "Option::is_none")]
    pub coinbase_maturity: Option<u64>,
    /// The timestamp of genesis.
    pub genesis_time: Timestamp,
    /// Blocks after which the reward halves; 0 = never.
    pub halving_blocks: u64,
    /// Difficulty of block 1.
    pub initial_difficulty: Difficulty,
    /// The meaning of `data`.
    pub layer: LayerName,
    /// Most gas that the transactions of a block may declare together; on layer `program` only.
    #[serde(default, deserialize_with = "not_null", skip_serializing_if = "Option::is_none")]
    pub max_block_gas: Option<u64>,
    /// Longest `data`, in bytes of its decoded UTF-8.
    pub max_data_bytes: u64,
    /// How far ahead of a validator's clock a timestamp may lie, in milliseconds.
    pub max_future_ms: u64,
    /// Longest `msg`, in bytes.
    pub max_msg_bytes: u64,
    /// Most transactions in a block.
    pub max_transactions: u64,
    /// The network's name, `[a-z0-9-]{1,32}`.
    pub name: String,
    /// Grains that an address without a stored balance holds.
    pub new_address_balance: u64,
    /// The rules that programs run by; on layer `program` only.
    #[serde(default, deserialize_with = "not_null", skip_serializing_if = "Option::is_none")]
    pub program_rules: Option<ProgramRules>,
    /// The retarget rule.
    pub retarget: RetargetRule,
    /// Blocks in an epoch, or in the average of lwma.
    pub retarget_window: u64,
    /// Grains that a block creates before the first halving.
    pub reward: u64,
}

/// A parameter outside its bounds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadParams {
    /// A number that is too small or too large.
    #[error("[network] {name} = {got} is out of bounds: expected {} to {}", .bounds.start(), .bounds.end())]
    OutOfBounds {
        /// The parameter.
        name: &'static str,
        /// Its value.
        got: u64,
        /// The allowed values.
        bounds: RangeInclusive<u64>,
    },
    /// The network's name has a wrong length or a character that is not allowed.
    #[error("[network] name = {0:?}: expected 1 to 32 of a-z, 0-9 and -")]
    Name(String),
    /// A parameter that another layer than this network's has, or one of its own that is missing.
    #[error("[network] {name} goes with layer {layer}, and only with it")]
    OfOtherLayer {
        /// The parameter.
        name: &'static str,
        /// The layer that has it.
        layer: &'static str,
    },
}

/// The default of `max_block_gas`.
pub const DEFAULT_BLOCK_GAS: u64 = 15_000_000;
/// The default of `coinbase_maturity`.
pub const DEFAULT_MATURITY: u64 = 1;
/// The default of `max_msg_bytes` on layer `program`, where a `msg` may be the code of a program.
pub const PROGRAM_MSG_BYTES: u64 = 100_000;

/// Most intervals that `max_future_ms` may span. With more, miners who date their blocks ahead slow the network down:
/// at 30 intervals, a tenth of the hash rate made each interval longer by a fifth, a quarter more than doubled it.
const MAX_FUTURE_INTERVALS: u64 = 3;

impl Params {
    /// The largest sound `max_future_ms` for an interval.
    pub const fn sound_future_ms(block_interval_ms: u64) -> u64 {
        block_interval_ms.saturating_mul(MAX_FUTURE_INTERVALS)
    }

    /// Whether `max_future_ms` is so large that a minority can mislead the retarget rule with its timestamps.
    pub const fn is_future_too_wide(&self) -> bool {
        !matches!(self.retarget, RetargetRule::Fixed)
            && self.max_future_ms > Self::sound_future_ms(self.block_interval_ms)
    }

    /// Checks that every parameter is within its bounds.
    ///
    /// # Errors
    /// The first one that is not.
    pub fn check(&self) -> Result<(), BadParams> {
        let named = (1..=32).contains(&self.name.len())
            && self.name.bytes().all(|c| matches!(c, b'a'..=b'z' | b'0'..=b'9' | b'-'));
        if !named {
            return Err(BadParams::Name(self.name.clone()));
        }
        self.check_layer_parameters()?;
        let (has_programs, has_coins) = (self.layer.has_programs(), self.layer.has_coins());
        // The balances of programs have rows of their own, and no row means 0 to them; coins come only from miners.
        let most_at_first = if has_programs || has_coins { 0 } else { MAX_INTEGER };
        // All coins together never exceed the largest amount, so that no sum of coins does: the rewards of all blocks
        // are less than 2 · reward · halving_blocks.
        let (most_reward, halvings) = if has_coins {
            let most = MAX_INTEGER.checked_div(self.reward.saturating_mul(2)).unwrap_or(1 << 32);
            (MAX_INTEGER / 2, 1..=most.min(1 << 32))
        } else {
            (MAX_INTEGER, 0..=1 << 32)
        };
        let bounds = [
            ("block_interval_ms", self.block_interval_ms, 4..=86_400_000),
            ("initial_difficulty", self.initial_difficulty.value(), 1..=MAX_INTEGER),
            ("retarget_window", self.retarget_window, 2..=10_000),
            ("max_data_bytes", self.max_data_bytes, 1000..=1 << 25),
            ("max_future_ms", self.max_future_ms, 0..=86_400_000),
            ("coinbase_maturity", self.coinbase_maturity.unwrap_or(DEFAULT_MATURITY), 1..=1000),
            ("reward", self.reward, 0..=most_reward),
            ("halving_blocks", self.halving_blocks, halvings),
            ("new_address_balance", self.new_address_balance, 0..=most_at_first),
            ("max_block_gas", self.max_block_gas.unwrap_or(DEFAULT_BLOCK_GAS), 100_000..=1 << 30),
            ("max_transactions", self.max_transactions, 0..=1 << 20),
            ("max_msg_bytes", self.max_msg_bytes, 0..=1 << 20),
        ];
        match bounds.into_iter().find(|(_, got, bounds)| !bounds.contains(got)) {
            Some((name, got, bounds)) => Err(BadParams::OutOfBounds { name, got, bounds }),
            None => Ok(()),
        }
    }

    /// Whether exactly the parameters are there that the layer has.
    fn check_layer_parameters(&self) -> Result<(), BadParams> {
        let (has_programs, has_coins) = (self.layer.has_programs(), self.layer.has_coins());
        let parameters = [
            ("max_block_gas", "program", self.max_block_gas.is_some(), has_programs),
            ("program_rules", "program", self.program_rules.is_some(), has_programs),
            ("coinbase_maturity", "utxo", self.coinbase_maturity.is_some(), has_coins),
        ];
        match parameters.into_iter().find(|(_, _, is_there, is_needed)| is_there != is_needed) {
            Some((name, layer, ..)) => Err(BadParams::OfOtherLayer { name, layer }),
            None => Ok(()),
        }
    }

    /// The same parameters without those that only another layer has.
    #[must_use]
    pub fn of_their_layer(self) -> Self {
        let (has_programs, has_coins) = (self.layer.has_programs(), self.layer.has_coins());
        Self {
            coinbase_maturity: self.coinbase_maturity.filter(|_| has_coins),
            max_block_gas: self.max_block_gas.filter(|_| has_programs),
            program_rules: self.program_rules.filter(|_| has_programs),
            ..self
        }
    }

    /// The defaults of layer `utxo` (docs/protocol.md §16).
    pub fn of_coins() -> Self {
        Self { layer: LayerName::Utxo, coinbase_maturity: Some(DEFAULT_MATURITY), ..Self::default() }
    }

    /// The defaults of a layer.
    pub fn of_layer(layer: LayerName) -> Self {
        if layer.has_programs() {
            Self::of_programs()
        } else if layer.has_coins() {
            Self::of_coins()
        } else {
            Self { layer, ..Self::default() }
        }
    }

    /// The defaults of layer `program` (docs/protocol.md §15).
    pub fn of_programs() -> Self {
        Self {
            layer: LayerName::Program,
            max_block_gas: Some(DEFAULT_BLOCK_GAS),
            max_msg_bytes: PROGRAM_MSG_BYTES,
            program_rules: Some(ProgramRules::Osaka),
            ..Self::default()
        }
    }

    /// The genesis block, with the parameters as its data.
    pub fn genesis(&self) -> Block {
        let fields = HeaderFields {
            index: Height::GENESIS,
            prev_hash: BlockHash::ZERO,
            timestamp: self.genesis_time,
            difficulty: Difficulty::MIN,
            data_hash: DataHash::of(""),
        };
        Block::new(fields, Nonce(0), self.canonical_json())
    }

    /// The genesis hash, which identifies the network.
    pub fn network_id(&self) -> BlockHash {
        self.genesis().hash()
    }

    /// The most bytes of a block's JSON: one byte of data may be written as six (`\u0000`), and the other fields take
    /// less than 4 KiB (docs/protocol.md §8).
    pub fn max_block_json(&self) -> usize {
        usize::try_from(self.max_data_bytes).unwrap_or(usize::MAX).saturating_mul(6).saturating_add(4096)
    }

    /// Milliseconds between two looks at what others have: `shortest_ms` where blocks come once a minute or more often,
    /// and up to ten times as long where they are rarer, so that an idle network is quiet.
    pub fn poll_ms(&self, shortest_ms: u64) -> u64 {
        shortest_ms.saturating_mul((self.block_interval_ms / 60_000).clamp(1, 10))
    }

    /// The parameters with sorted keys and no white space.
    pub fn canonical_json(&self) -> String {
        // serde_json keeps the order of declaration, which is alphabetical, and cannot fail on text and integers.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The first parameter in which another network differs, with both values, ours first.
    ///
    /// Takes the other network's as JSON, since it may have parameters, layers or rules that this version does not
    /// know.
    pub fn first_difference(&self, other: &serde_json::Value) -> Option<(String, String, String)> {
        let ours = serde_json::to_value(self).ok()?;
        let show = |value: Option<&serde_json::Value>| value.map_or("nothing".to_owned(), ToString::to_string);
        let (ours, theirs) = (ours.as_object()?, other.as_object()?);
        let names = ours.keys().chain(theirs.keys());
        names
            .filter(|name| ours.get(*name) != theirs.get(*name))
            .min()
            .map(|name| (name.clone(), show(ours.get(name)), show(theirs.get(name))))
    }
}

impl Default for Params {
    /// The defaults of docs/protocol.md §2.
    fn default() -> Self {
        Self {
            block_interval_ms: 5000,
            coinbase_maturity: None,
            genesis_time: Timestamp::from_ms(1_767_225_600_000),
            halving_blocks: 210_000,
            initial_difficulty: Difficulty::clamped(65_536),
            layer: LayerName::Transaction,
            max_block_gas: None,
            max_data_bytes: 2_000_000,
            max_future_ms: 15_000,
            max_msg_bytes: 256,
            max_transactions: 2000,
            name: "chainlab".to_owned(),
            new_address_balance: 0,
            program_rules: None,
            retarget: RetargetRule::Lwma,
            retarget_window: 30,
            reward: 5_000_000_000,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(params: &Params) -> String {
        params.check().expect_err("out of bounds").to_string()
    }

    #[test]
    fn the_supply_of_coins_is_capped() {
        let coins = Params::of_coins();
        assert_eq!(coins.check(), Ok(()));
        assert!(refused(&Params { halving_blocks: 0, ..coins.clone() }).contains("halving_blocks = 0"));
        let most = MAX_INTEGER / (2 * coins.reward);
        assert_eq!(Params { halving_blocks: most, ..coins.clone() }.check(), Ok(()));
        assert!(refused(&Params { halving_blocks: most + 1, ..coins.clone() }).contains("halving_blocks"));
        assert_eq!(Params { reward: MAX_INTEGER / 2, halving_blocks: 1, ..coins.clone() }.check(), Ok(()));
        assert!(
            refused(&Params { reward: MAX_INTEGER / 2 + 1, halving_blocks: 1, ..coins.clone() }).contains("reward")
        );
        assert_eq!(Params { reward: 0, halving_blocks: 1 << 32, ..coins.clone() }.check(), Ok(()));
        assert!(refused(&Params { new_address_balance: 1, ..coins.clone() }).contains("new_address_balance"));
        assert!(refused(&Params { coinbase_maturity: Some(0), ..coins.clone() }).contains("1 to 1000"));
        assert!(refused(&Params { coinbase_maturity: None, ..coins.clone() }).contains("layer utxo"));
        let accounts = Params { coinbase_maturity: Some(1), ..Params::default() };
        assert!(refused(&accounts).contains("coinbase_maturity goes with layer utxo"));
        assert_eq!(accounts.of_their_layer(), Params::default());
        assert!(refused(&Params { max_block_gas: Some(DEFAULT_BLOCK_GAS), ..coins }).contains("layer program"));
    }

    #[test]
    fn the_id_of_the_example_network_of_coins_is_the_known_one() {
        let id = "6e5430cd14d280ecd5c4b2c416a0309a8a57a92ba9179f6cd1f15f4dff06e0e7";
        assert_eq!(Params::of_coins().network_id().to_string(), id);
    }

    #[test]
    fn a_future_of_more_than_three_intervals_is_too_wide_unless_difficulty_is_fixed() {
        for (block_interval_ms, retarget, expected) in [
            (5000, RetargetRule::Lwma, false),
            (4999, RetargetRule::Lwma, true),
            (500, RetargetRule::Epoch, true),
            (500, RetargetRule::Fixed, false),
        ] {
            let params = Params { block_interval_ms, retarget, ..Params::default() };
            assert_eq!(params.is_future_too_wide(), expected, "{block_interval_ms} {retarget:?}");
        }
    }

    #[test]
    fn rare_blocks_are_polled_for_less_often() {
        let at = |block_interval_ms| Params { block_interval_ms, ..Params::default() }.poll_ms(500);
        assert_eq!([4, 60_000, 119_999, 120_000, 600_000, 86_400_000].map(at), [500, 500, 500, 1000, 5000, 5000]);
        assert_eq!(Params { block_interval_ms: u64::MAX, ..Params::default() }.poll_ms(u64::MAX), u64::MAX);
    }
}
