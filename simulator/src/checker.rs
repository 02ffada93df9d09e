//! Recomputes blocks from their JSON alone (docs/protocol.md §3): plain JSON values, plain SHA-256, and a comparison
//! with the target that needs no division.
//!
//! Must not use `shared`: it is here to find mistakes in the blocks and the work of `shared`.

use serde_json::Value;
use sha2::{Digest, Sha256};

/// A block whose hash and work were recomputed, reduced to its place in the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedBlock {
    pub index: u64,
    pub hash: String,
    pub prev_hash: String,
    /// Of fixed width, so that the order of texts is the order of time.
    pub timestamp: String,
}

/// Why a block breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// It is not a JSON object with the fields of a block.
    #[error("it is not a block: {0}")]
    Malformed(String),
    /// The hash that it carries is not the hash of its fields.
    #[error("its fields hash to {computed}, but it claims {claimed}")]
    WrongHash { computed: String, claimed: String },
    /// It is another block than the one that was requested.
    #[error("block {expected} was requested, {served} was served")]
    OtherBlock { expected: String, served: String },
    /// Its hash is above the target of its difficulty.
    #[error("its hash {hash} does not meet difficulty {difficulty}")]
    TooLittleWork { hash: String, difficulty: u64 },
    /// Its parent, height or time does not fit the block below it.
    #[error("it does not fit its parent: {0}")]
    BrokenLink(String),
    /// A payment in it carries an id that is not the hash of its content.
    #[error("a payment in it hashes to {computed}, but it claims {claimed}")]
    WrongPaymentId { computed: String, claimed: String },
    /// A payment in it is in the chain already.
    #[error("the payment {0} is already in the chain")]
    DuplicatePayment(String),
    /// A payer pays more than the balance: amount and fee are `cost`, in grains.
    #[error("the payment {id} takes {cost} grains from {from}, which has {balance}")]
    Overdrawn { id: String, from: String, cost: u64, balance: u64 },
    /// A transaction in it breaks a rule about coins. `reason` goes on after the transaction's id.
    #[error("the transaction {id} {reason}")]
    Coins { id: String, reason: String },
    /// An address would have more than the largest balance.
    #[error("{0} would have more than 2^53 - 1 grains")]
    BalanceTooLarge(String),
}

/// Checks a block by itself: its hashes and its work. Genesis needs no work, since it was not mined.
///
/// # Errors
/// The first rule that the block breaks.
pub fn check(block: &Value) -> Result<CheckedBlock, Mismatch> {
    let text = |name: &str| text(block, name).map(str::to_owned);
    let (index, difficulty) = (number(block, "index")?, number(block, "difficulty")?);
    let (prev_hash, timestamp, nonce, claimed) =
        (text("prev_hash")?, text("timestamp")?, text("nonce")?, text("hash")?);

    let (data_hash, _) = sha256(&text("data")?);
    let (seal, _) = sha256(&format!("{index} {prev_hash} {timestamp} {difficulty} {data_hash}"));
    let (hash, bytes) = sha256(&format!("{seal}{nonce}"));
    if hash != claimed {
        return Err(Mismatch::WrongHash { computed: hash, claimed });
    }
    if index > 0 && !meets(&bytes, difficulty) {
        return Err(Mismatch::TooLittleWork { hash, difficulty });
    }
    Ok(CheckedBlock { index, hash, prev_hash, timestamp })
}

/// Checks that `child` is a block right above `parent`.
///
/// # Errors
/// [`Mismatch::BrokenLink`], with the field that does not fit.
pub fn check_link(parent: &CheckedBlock, child: &CheckedBlock) -> Result<(), Mismatch> {
    if child.prev_hash != parent.hash {
        return Err(Mismatch::BrokenLink(format!("it names {}, but its parent is {}", child.prev_hash, parent.hash)));
    }
    if child.index != parent.index + 1 {
        return Err(Mismatch::BrokenLink(format!("its height {} does not follow {}", child.index, parent.index)));
    }
    if child.timestamp <= parent.timestamp {
        return Err(Mismatch::BrokenLink(format!("its time {} is not after {}", child.timestamp, parent.timestamp)));
    }
    Ok(())
}

/// Parses JSON as it was served.
///
/// # Errors
/// [`Mismatch::Malformed`].
pub fn parse(json: &[u8]) -> Result<Value, Mismatch> {
    serde_json::from_slice(json).map_err(|error| Mismatch::Malformed(error.to_string()))
}

/// Returns a text field of an object.
///
/// # Errors
/// [`Mismatch::Malformed`], with the field's name.
pub(crate) fn text<'a>(object: &'a Value, name: &str) -> Result<&'a str, Mismatch> {
    object.get(name).and_then(Value::as_str).ok_or_else(|| Mismatch::Malformed(format!("no text {name:?}")))
}

/// Returns a number field of an object.
///
/// # Errors
/// [`Mismatch::Malformed`], with the field's name.
pub(crate) fn number(object: &Value, name: &str) -> Result<u64, Mismatch> {
    object.get(name).and_then(Value::as_u64).ok_or_else(|| Mismatch::Malformed(format!("no number {name:?}")))
}

/// Returns the digest, as text and as bytes.
pub(crate) fn sha256(text: &str) -> (String, [u8; 32]) {
    let bytes: [u8; 32] = Sha256::digest(text.as_bytes()).into();
    (bytes.iter().map(|byte| format!("{byte:02x}")).collect(), bytes)
}

/// `hash <= floor((2^256 - 1) / difficulty)` exactly where `hash · difficulty` still fits into 256 bits.
fn meets(hash: &[u8; 32], difficulty: u64) -> bool {
    let carry = hash.iter().rev().fold(0_u128, |carry, byte| (u128::from(*byte) * u128::from(difficulty) + carry) >> 8);
    difficulty > 0 && carry == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// A block of this difficulty, mined by this file alone.
    fn mined(index: u64, prev_hash: &str, timestamp: &str, difficulty: u64) -> Value {
        let data_hash = sha256("hello ☃").0;
        let seal = sha256(&format!("{index} {prev_hash} {timestamp} {difficulty} {data_hash}")).0;
        let nonces = (0_u64..).map(|nonce| format!("{nonce:016x}"));
        let (nonce, hash) = nonces
            .map(|nonce| (sha256(&format!("{seal}{nonce}")), nonce))
            .find(|((_, bytes), _)| meets(bytes, difficulty))
            .map(|((hash, _), nonce)| (nonce, hash))
            .unwrap();
        json!({"index": index, "prev_hash": prev_hash, "timestamp": timestamp, "difficulty": difficulty,
               "data": "hello ☃", "nonce": nonce, "hash": hash})
    }

    fn checked(block: &Value) -> Result<CheckedBlock, Mismatch> {
        check(&parse(block.to_string().as_bytes())?)
    }

    const T1: &str = "2026-11-21T03:29:00.123Z";
    const T2: &str = "2026-11-21T03:29:00.124Z";

    #[test]
    fn an_honest_block_is_accepted() {
        let block = mined(5, &"0".repeat(64), T1, 300);
        let found = checked(&block).unwrap();
        assert_eq!((found.index, found.hash.as_str()), (5, block["hash"].as_str().unwrap()));
    }

    #[test]
    fn a_block_with_any_field_changed_is_refused() {
        let block = mined(5, &"0".repeat(64), T1, 300);
        for (field, value) in [
            ("index", json!(6)),
            ("prev_hash", json!("1".repeat(64))),
            ("timestamp", json!(T2)),
            ("difficulty", json!(1)),
            ("data", json!("hello")),
            ("nonce", json!("00000000000000ff")),
            ("hash", json!("0".repeat(64))),
        ] {
            let mut tampered = block.clone();
            tampered[field] = value;
            assert!(matches!(checked(&tampered), Err(Mismatch::WrongHash { .. })), "{field}: {:?}", checked(&tampered));
        }
    }

    #[test]
    fn a_block_that_is_sealed_anew_without_work_is_refused() {
        let mut block = mined(5, &"0".repeat(64), T1, 1);
        let seal = sha256(&format!("5 {} {T1} 9007199254740991 {}", "0".repeat(64), sha256("hello ☃").0)).0;
        block["difficulty"] = json!(9_007_199_254_740_991_u64);
        block["hash"] = json!(sha256(&format!("{seal}{}", block["nonce"].as_str().unwrap())).0);
        assert!(matches!(checked(&block), Err(Mismatch::TooLittleWork { .. })), "{:?}", checked(&block));
    }

    #[test]
    fn what_is_no_block_is_refused_with_the_field() {
        for (json, reason) in [("", "EOF"), ("[]", "index"), ("{\"index\": -1}", "index"), ("{\"index\": 1}", "diff")] {
            let error = parse(json.as_bytes()).and_then(|block| check(&block)).unwrap_err().to_string();
            assert!(error.contains(reason), "{json}: {error}");
        }
    }

    #[test]
    fn a_child_must_be_right_above_its_parent_and_later() {
        let parent = checked(&mined(5, &"0".repeat(64), T1, 2)).unwrap();
        let child = |index, prev: &str, time| checked(&mined(index, prev, time, 2)).unwrap();
        assert_eq!(check_link(&parent, &child(6, &parent.hash, T2)), Ok(()));
        assert!(check_link(&parent, &child(7, &parent.hash, T2)).is_err());
        assert!(check_link(&parent, &child(6, &"0".repeat(64), T2)).is_err());
        assert!(check_link(&parent, &child(6, &parent.hash, T1)).is_err());
    }

    /// `floor((2^256 - 1) / divisor)` by long division, byte after byte.
    fn target(divisor: u64) -> [u8; 32] {
        let mut rest = 0;
        [0xff_u8; 32].map(|byte| {
            let value = (rest << 8) + u128::from(byte);
            rest = value % u128::from(divisor);
            u8::try_from(value / u128::from(divisor)).unwrap()
        })
    }

    #[test]
    fn our_comparison_agrees_with_division_at_the_edges() {
        for difficulty in [1, 2, 3, 255, 256, 65_536, 1_000_003, (1 << 53) - 1] {
            let target = target(difficulty);
            assert!(meets(&target, difficulty), "{difficulty}: the target itself");
            let mut above = target;
            let carried = above.iter_mut().rev().find(|byte| **byte != 0xff);
            if let Some(byte) = carried {
                // The bytes after this one stay 0xff, so the number is larger than the target.
                *byte += 1;
                assert!(!meets(&above, difficulty), "{difficulty}: above the target");
            }
        }
        assert!(!meets(&[0; 32], 0), "there is no difficulty 0");
    }
}
