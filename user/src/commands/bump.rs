//! `user bump`: replaces a pending transaction of one's own by the same payment with a higher fee, on networks of layer
//! `utxo`.
//!
//! The coins that are spent and the payments stay as they are; the change pays the difference. Both transactions spend
//! the same coins, so at most one of them can be confirmed.
//!
//! Nothing in a transaction says which output is its change. `user send` makes the payment first and the change last,
//! so the last output is the change if it belongs to the payer. Wallets that order their outputs differently can send
//! change to the payer's own address, where it is found at any place.

use crate::Error;
use crate::answers;
use crate::coins;
use crate::console::{Console, Output, Style};
use crate::keys::KeyArgs;
use crate::push::{PushResult, push};
use crate::services::Context;
use serde::Serialize;
use shared::keys::PlainVerifier;
use shared::ledger::{Address, Amount, Output as NewCoin, Spend, Transaction, TransactionId, TransactionRules};
use shared::wallet::DUST;
use shared::wire::TransactionState;

/// Pay a higher fee for a pending transaction of your own, by replacing it
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The pending transaction's id
    id: TransactionId,
    #[command(flatten)]
    key: KeyArgs,
    /// The new fee for the miner, in LAB; the change pays the difference
    #[arg(short = 'F', long, value_name = "LAB", value_parser = Amount::from_lab, allow_hyphen_values = true)]
    fee: Amount,
}

const EXAMPLES: &str = "\
Examples:
  user bump 764e88011f1e0faa6a77b3095bf897b2334fb784ac6823e02de9e690f0517b2b -s alice -F 0.0005
                                   the same coins and payments, with a fee of 0.0005 LAB

A mempool may refuse replacements (mempool.replacement of its configuration); no rule of the chain decides it.";

/// A transaction that a mempool has accepted in place of another.
#[derive(Debug, Serialize)]
struct Bumped {
    #[serde(flatten)]
    push: PushResult,
    replaces: TransactionId,
    old_fee: Amount,
    new_fee: Amount,
    transaction: Transaction,
    mempool: String,
}

impl Output for Bumped {
    fn text(&self, style: Style) -> String {
        let Self { replaces, old_fee, new_fee, transaction, .. } = self;
        let id = transaction.id();
        format!(
            "{} the transaction {replaces}\nfee: {new_fee} LAB, before {old_fee} LAB\nid: {}\nnext: user \
             confirmations {id}",
            style.good("replaced"),
            style.strong(id)
        )
    }
}

/// # Errors
/// Fails if the transaction is not pending or not the payer's own, if its change cannot pay the new fee, or if the
/// mempool refuses the replacement.
pub async fn run(args: Args, context: &Context, console: &mut Console) -> Result<(), Error> {
    let Args { id, key, fee } = args;
    let (pair, who) = key.load(console)?;
    let mempool = context.mempool().await?;
    context.note_foreign_network(&mempool, console);
    coins::has_coins(&mempool)?;
    let status = answers::fetch(&mempool, id).await?;
    if status.status == TransactionState::Confirmed {
        return Err(Error::Usage(format!("the transaction {id} is in a block already: nothing can replace it")));
    }
    let Some(spend) = status.transaction.as_spend() else {
        return Err(Error::NoCoins(mempool.params.name.clone()));
    };
    let outputs = outputs_with_fee(spend, &who, &pair.address(), key.seed(), fee)?;
    // Only what this key has signed before: anybody can make up a transaction of its coins, and name the id.
    status.transaction.check(&TransactionRules::of(&mempool.params), &PlainVerifier)?;
    let old_fee = spend.fee();
    let transaction = coins::sign(&mempool, &pair, spend.inputs.clone(), outputs, spend.msg.clone())?;
    let push = push(&mempool, &transaction).await?;
    push.note_refusals(console);
    let mempool = mempool.address.clone();
    console.print(&Bumped { push, replaces: id, old_fee, new_fee: fee, transaction, mempool })
}

/// The outputs of a spend with its change made smaller, so that its fee is `fee`.
fn outputs_with_fee(
    spend: &Spend,
    who: &str,
    payer: &Address,
    seed: Option<&str>,
    fee: Amount,
) -> Result<Vec<NewCoin>, Error> {
    let refused = |words: String| Err(Error::Usage(words));
    let (id, old_fee) = (spend.id, spend.fee());
    if spend.inputs.iter().any(|input| input.address != *payer) {
        return refused(format!("{who} does not own all coins that the transaction {id} spends; name their key"));
    }
    let Some(difference) = fee.checked_sub(old_fee).filter(|difference| *difference > Amount::ZERO) else {
        return refused(format!("the new fee must be above {old_fee} LAB, the fee that {id} pays now"));
    };
    let mut outputs = spend.outputs.clone();
    let Some(change) = change_of(&mut outputs, payer, seed) else {
        return refused(format!(
            "the transaction {id} has no change that could pay a higher fee, and its payments must stay as they are"
        ));
    };
    let left = change.amount.checked_sub(difference).filter(|left| *left >= DUST);
    let Some(left) = left else {
        let most = change.amount.checked_sub(DUST).and_then(|spare| old_fee.checked_add(spare)).unwrap_or(old_fee);
        return refused(format!(
            "the change of {id}, {} LAB, is too small for a fee of {fee} LAB: at least {DUST} LAB must be left of it, \
             so the highest fee is {most} LAB",
            change.amount
        ));
    };
    change.amount = left;
    Ok(outputs)
}

/// The output that is the change: the last one if it has a numbered address of the payer's and follows a payment; else
/// the last one with the payer's own address. A numbered address elsewhere was paid, and is no change.
fn change_of<'a>(outputs: &'a mut [NewCoin], payer: &Address, seed: Option<&str>) -> Option<&'a mut NewCoin> {
    let place = match (&*outputs, seed) {
        ([_, .., last], Some(seed)) if last.address != *payer && coins::is_change_address(seed, &last.address) => {
            Some(outputs.len() - 1)
        }
        (outputs, _) => outputs.iter().rposition(|output| output.address == *payer),
    };
    outputs.get_mut(place?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::block::BlockHash;
    use shared::keys::KeyPair;
    use shared::ledger::{CoinName, Input, UnsignedSpend};

    fn grains(grains: u64) -> Amount {
        Amount::new(grains).unwrap()
    }

    /// A spend of alice's coin of 100,000 grains with these outputs.
    fn spend(outputs: &[(&str, u64)]) -> Spend {
        let alice = KeyPair::from_seed("alice");
        let coin = CoinName { id: TransactionId::of("x"), place: 0 };
        let inputs = vec![Input { coin, address: alice.address(), amount: grains(100_000) }];
        let output = |(seed, amount): &(&str, u64)| NewCoin {
            address: KeyPair::from_seed(seed).address(),
            amount: grains(*amount),
        };
        let unsigned = UnsignedSpend { inputs, outputs: outputs.iter().map(output).collect(), msg: "hi".to_owned() };
        unsigned.sign(BlockHash::ZERO, |_, text| alice.sign(text)).as_spend().unwrap().clone()
    }

    fn bumped(outputs: &[(&str, u64)], payer: &str, fee: u64) -> Result<Vec<u64>, String> {
        let address = KeyPair::from_seed(payer).address();
        let outputs = outputs_with_fee(&spend(outputs), payer, &address, Some(payer), grains(fee));
        let outputs = outputs.map_err(|error| error.to_string())?;
        Ok(outputs.iter().map(|output| output.amount.grains()).collect())
    }

    #[test]
    fn the_change_pays_the_difference() {
        assert_eq!(bumped(&[("bob", 60_000), ("alice", 39_000)], "alice", 5000), Ok(vec![60_000, 35_000]));
        assert_eq!(bumped(&[("bob", 60_000), ("alice/2", 39_000)], "alice", 5000), Ok(vec![60_000, 35_000]));
        assert_eq!(bumped(&[("alice", 50_000), ("alice", 49_000)], "alice", 1001), Ok(vec![50_000, 48_999]));
        assert_eq!(bumped(&[("bob", 60_000), ("alice", 39_000)], "alice", 39_454), Ok(vec![60_000, 546]));
        // Many change addresses have been used; one's own numbered address was paid; coins were consolidated.
        assert_eq!(bumped(&[("bob", 60_000), ("alice/1000", 39_000)], "alice", 5000), Ok(vec![60_000, 35_000]));
        assert_eq!(bumped(&[("alice/2", 60_000), ("alice/3", 39_000)], "alice", 5000), Ok(vec![60_000, 35_000]));
        assert_eq!(bumped(&[("alice/2", 60_000), ("alice", 39_000)], "alice", 5000), Ok(vec![60_000, 35_000]));
        assert_eq!(bumped(&[("alice", 39_000), ("bob", 60_000)], "alice", 5000), Ok(vec![35_000, 60_000]));
        assert_eq!(bumped(&[("alice", 99_000)], "alice", 5000), Ok(vec![95_000]));
    }

    #[test]
    fn what_cannot_be_replaced_says_why() {
        for (outputs, payer, fee, words) in [
            (&[("bob", 60_000), ("alice", 39_000)][..], "bob", 5000, "does not own all coins"),
            (&[("bob", 60_000), ("alice", 39_000)], "alice", 1000, "must be above 0.00001 LAB"),
            (&[("bob", 60_000), ("alice", 39_000)], "alice", 39_455, "the highest fee is 0.00039454 LAB"),
            (&[("bob", 99_000)], "alice", 5000, "no change"),
            (&[("alice/2", 99_000)], "alice", 5000, "no change"),
            (&[("alice/2", 60_000), ("carol", 39_000)], "alice", 5000, "no change"),
            (&[("bob", 60_000), ("alice/1001", 39_000)], "alice", 5000, "no change"),
        ] {
            let error = bumped(outputs, payer, fee).unwrap_err();
            assert!(error.contains(words), "{words}: {error}");
        }
    }
}
