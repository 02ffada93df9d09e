//! Payments on networks of layer `utxo`: which coins an address can spend now, and transactions that spend them.

use crate::Error;
use crate::answers;
use crate::services::RemoteService;
use runtime::sanitize;
use shared::keys::{KeyPair, PlainVerifier};
use shared::ledger::UnsignedSpend;
use shared::ledger::{Address, Amount, CoinName, Input, MAX_PARTS, Output, Transaction, TransactionRules};
use shared::wallet::{CoinStrategy, Selection, SpareCoin, select};
use shared::wire::UnspentCoin;
use std::str::FromStr;

/// Coins in a page: the most that a mempool returns.
const PAGE: usize = 1000;
/// Pages to read at most.
const MAX_PAGES: usize = 100;
/// Change addresses that a key has at most. Each costs a request when an unused one is looked for.
const CHANGE_SEEDS: u32 = 1000;

/// The value of `--coins`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CoinChoice {
    By(CoinStrategy),
    Named(Vec<CoinName>),
}

impl FromStr for CoinChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text {
            "largest" => Self::By(CoinStrategy::Largest),
            "oldest" => Self::By(CoinStrategy::Oldest),
            "exact" => Self::By(CoinStrategy::Exact),
            names => {
                let read = |name: &str| name.trim().to_ascii_lowercase().parse::<CoinName>();
                let coins: Result<Vec<_>, _> = names.split(',').map(read).collect();
                let words = |error| format!("expected largest, oldest, exact, or coins with commas between: {error}");
                Self::Named(coins.map_err(words)?)
            }
        })
    }
}

/// The coins of one address.
#[derive(Debug)]
pub(crate) struct Purse {
    pub(crate) coins: Vec<UnspentCoin>,
}

impl Purse {
    /// Asks a mempool for the coins of an address, the largest first.
    pub(crate) async fn of(mempool: &RemoteService, address: &Address) -> Result<Self, Error> {
        has_coins(mempool)?;
        let action = || format!("ask for the coins of {}", address.short());
        let (mut coins, mut from) = (Vec::new(), None);
        for _ in 0..MAX_PAGES {
            let page = mempool.client.unspent(&mempool.address, address, from.as_deref(), PAGE).await;
            let page = page.map_err(mempool.request_error(action()))?;
            coins.extend(page.entries.into_iter().filter(|coin| coin.address == *address));
            match page.next {
                Some(next) => from = Some(next),
                None => break,
            }
        }
        Ok(Self { coins })
    }

    /// The coins that a transaction can spend now.
    pub(crate) fn spare(&self) -> Vec<SpareCoin> {
        let is_spare = |coin: &&UnspentCoin| coin.spent_by.is_none() && coin.spendable_from.is_none();
        let spare = self.coins.iter().filter(is_spare).map(|coin| SpareCoin {
            input: Input { coin: coin.coin, address: coin.address, amount: coin.amount },
            made_in: coin.block,
        });
        spare.collect()
    }

    /// Selects coins for a payment of `who`.
    pub(crate) fn choose(
        &self,
        choice: &CoinChoice,
        who: &str,
        (amount, fee): (Amount, Amount),
    ) -> Result<Selection, Error> {
        let needed = amount.checked_add(fee).unwrap_or(Amount::MAX);
        let spare = self.spare();
        let selected = match choice {
            CoinChoice::By(strategy) => select(&spare, needed, *strategy),
            CoinChoice::Named(names) => {
                let named = names.iter().map(|name| self.named(&spare, name)).collect::<Result<Vec<_>, _>>()?;
                shared::wallet::take_all(&named, needed)
            }
        };
        selected.map_err(|error| Error::InsufficientBalance {
            who: who.to_owned(),
            amount,
            fee,
            needed,
            has: format!("{error}{}", self.held_back()),
        })
    }

    fn named(&self, spare: &[SpareCoin], name: &CoinName) -> Result<SpareCoin, Error> {
        if let Some(coin) = spare.iter().find(|coin| coin.input.coin == *name) {
            return Ok(*coin);
        }
        let words = match self.coins.iter().find(|coin| coin.coin == *name) {
            Some(UnspentCoin { spent_by: Some(by), .. }) => format!("the pending transaction {by} spends it already"),
            Some(UnspentCoin { spendable_from: Some(from), .. }) => format!("it may be spent from block {from} on"),
            _ => "it is not an unspent coin of the payer".to_owned(),
        };
        Err(Error::Usage(format!("the coin {name} cannot be spent now: {words}")))
    }

    /// What the address has beside its spare coins, in words.
    fn held_back(&self) -> String {
        let sum = |is: &dyn Fn(&UnspentCoin) -> bool| {
            let coins = self.coins.iter().filter(|coin| is(coin));
            coins.fold(Amount::ZERO, |sum, coin| sum.checked_add(coin.amount).unwrap_or(Amount::MAX))
        };
        let pending = sum(&|coin| coin.spent_by.is_some());
        let immature = sum(&|coin| coin.spent_by.is_none() && coin.spendable_from.is_some());
        let mut words = String::new();
        if pending > Amount::ZERO {
            words += &format!(
                "; coins of {pending} LAB are being spent by pending transactions: their change can be spent once \
                 they are in a block"
            );
        }
        if immature > Amount::ZERO {
            words += &format!("; {immature} LAB were mined too recently to be spent");
        }
        words
    }
}

/// Signs a transaction that spends coins of one key, and checks it.
pub(crate) fn sign(
    mempool: &RemoteService,
    pair: &KeyPair,
    inputs: Vec<Input>,
    outputs: Vec<Output>,
    msg: String,
) -> Result<Transaction, Error> {
    let unsigned = UnsignedSpend { inputs, outputs, msg };
    let transaction = unsigned.sign(mempool.network_id, |_, text| pair.sign(text));
    transaction.check(&TransactionRules::of(&mempool.params), &PlainVerifier)?;
    Ok(transaction)
}

/// The outputs of a payment: what is paid, and the change if there is any.
pub(crate) fn outputs(to: Address, amount: Amount, change_to: Address, change: Amount) -> Vec<Output> {
    let paid = Output { address: to, amount };
    let change = Some(Output { address: change_to, amount: change }).filter(|change| change.amount > Amount::ZERO);
    [Some(paid), change].into_iter().flatten().collect()
}

/// The seeds of the change addresses of a key, as many as there can be.
fn change_seeds(seed: &str) -> impl Iterator<Item = String> {
    (1..=CHANGE_SEEDS).map(move |number| format!("{seed}/{number}"))
}

/// Whether an address is a change address of the key of `seed`.
pub(crate) fn is_change_address(seed: &str, address: &Address) -> bool {
    change_seeds(seed).any(|change| KeyPair::from_seed(&change).address() == *address)
}

/// The first of the seeds `seed/1`, `seed/2` and so on whose address no transaction names, pending ones included.
///
/// # Errors
/// Fails if all [`CHANGE_SEEDS`] have been used, or if the mempool says so.
pub(crate) async fn fresh_change_seed(mempool: &RemoteService, seed: &str) -> Result<String, Error> {
    for fresh in change_seeds(seed) {
        let address = KeyPair::from_seed(&fresh).address();
        let history = answers::history(mempool, &address, None, 1, "look for an unused address").await?;
        if history.entries.is_empty() {
            return Ok(fresh);
        }
    }
    let seed = sanitize::line(seed);
    Err(Error::Usage(format!(
        "the addresses of the seeds {seed}/1 to {seed}/{CHANGE_SEEDS} have all been used, so none is left for \
         --fresh-change; name an address with --change"
    )))
}

/// `sum` in `count` parts; the first has what does not divide.
pub(crate) fn parts(sum: Amount, count: u64, to: Address) -> Result<Vec<Output>, Error> {
    let (each, rest) = (sum.grains() / count.max(1), sum.grains() % count.max(1));
    if each == 0 || count > MAX_PARTS as u64 {
        return Err(Error::Usage(format!("{sum} LAB cannot be split into {count} coins")));
    }
    let amount = |number| Amount::new(if number == 0 { each + rest } else { each }).unwrap_or(Amount::MAX);
    Ok((0..count).map(|number| Output { address: to, amount: amount(number) }).collect())
}

/// Fails if the network has no coins.
pub(crate) fn has_coins(mempool: &RemoteService) -> Result<(), Error> {
    if mempool.params.layer.has_coins() { Ok(()) } else { Err(Error::NoCoins(mempool.params.name.clone())) }
}

/// Fails if the network has coins: the command makes payments between accounts.
pub(crate) fn has_accounts(mempool: &RemoteService) -> Result<(), Error> {
    if mempool.params.layer.has_coins() { Err(Error::NoAccounts(mempool.params.name.clone())) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::block::Height;
    use shared::ledger::TransactionId;

    fn grains(grains: u64) -> Amount {
        Amount::new(grains).unwrap()
    }

    fn purse() -> Purse {
        let address = KeyPair::from_seed("alice").address();
        let coin = |place, amount| UnspentCoin {
            coin: CoinName { id: TransactionId::of("x"), place },
            address,
            amount: grains(amount),
            block: Height(u64::from(place)),
            confirmations: 1,
            coinbase: false,
            spendable_from: None,
            spent_by: None,
        };
        let pending = UnspentCoin { spent_by: Some(TransactionId::of("y")), ..coin(2, 70_000) };
        let immature = UnspentCoin { spendable_from: Some(Height(9)), ..coin(3, 60_000) };
        Purse { coins: vec![pending, immature, coin(0, 50_000), coin(1, 40_000)] }
    }

    #[test]
    fn only_spare_coins_pay() {
        let (purse, by) = (purse(), CoinChoice::By(CoinStrategy::Largest));
        let selection = purse.choose(&by, "alice", (grains(60_000), grains(1000))).unwrap();
        assert_eq!((selection.inputs.len(), selection.change), (2, grains(29_000)));
        let error = purse.choose(&by, "alice", (grains(90_000), grains(1000))).unwrap_err().to_string();
        for words in ["0.0009 LAB", "0.00091 LAB", "0.0007 LAB are being spent", "0.0006 LAB were mined too recently"] {
            assert!(error.contains(words), "{words}: {error}");
        }
    }

    #[test]
    fn named_coins_are_taken_all() {
        let purse = purse();
        let name = |place| CoinName { id: TransactionId::of("x"), place };
        let choose = |places: &[u16], amount| {
            let names = CoinChoice::Named(places.iter().map(|place| name(*place)).collect());
            purse.choose(&names, "alice", (grains(amount), Amount::ZERO))
        };
        let both = choose(&[1, 0], 30_000).unwrap();
        assert_eq!((both.inputs.len(), both.change), (2, grains(60_000)));
        assert!(choose(&[1], 50_000).is_err());
        for (place, words) in [(2, "spends it already"), (3, "from block 9 on"), (4, "not an unspent coin")] {
            let error = choose(&[place], 1000).unwrap_err().to_string();
            assert!(error.contains(words), "{words}: {error}");
        }
    }

    #[test]
    fn a_choice_is_a_strategy_or_names() {
        assert_eq!("oldest".parse(), Ok(CoinChoice::By(CoinStrategy::Oldest)));
        let name = CoinName { id: TransactionId::of("x"), place: 7 };
        assert_eq!(format!("{name},{name}").parse(), Ok(CoinChoice::Named(vec![name, name])));
        for text in ["", "smallest", "1,2"] {
            assert!(text.parse::<CoinChoice>().unwrap_err().contains("largest, oldest, exact"), "{text}");
        }
    }

    #[test]
    fn parts_add_up() {
        let to = KeyPair::from_seed("alice").address();
        let amounts: Vec<_> = parts(grains(1000), 3, to).unwrap().iter().map(|part| part.amount.grains()).collect();
        assert_eq!(amounts, [334, 333, 333]);
        assert!(parts(grains(2), 3, to).is_err() && parts(grains(1000), 129, to).is_err());
    }
}
