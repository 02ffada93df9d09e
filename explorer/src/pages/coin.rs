//! The page of a coin: what made it, whose it is, and what spends it. Also what other pages say about coins.

use super::errors;
use crate::state::ExplorerState;
use crate::upstream::UpstreamError;
use crate::view::{self, Page, explained, transaction_link};
use maud::{Markup, html};
use runtime::server::{Request, Response};
use shared::block::Height;
use shared::layer::utxo::{self, Coin, CoinRules};
use shared::ledger::{Bundle, CoinName, Transaction};
use shared::params::Params;
use shared::wire::{CoinInfo, CoinSpent, Problem, TransactionState, UnspentCoin};
use std::sync::Arc;

const SPENT_WHOLE: &str = "A coin is spent whole: what a payment does not need comes back as a new coin, the change.";

struct CoinPage<'a> {
    coin: &'a CoinInfo,
    /// The first block that may spend it.
    spendable_from: Height,
    /// The height of the best chain, if a node answers.
    tip: Option<Height>,
}

pub(crate) async fn page(explorer: Arc<ExplorerState>, request: Request) -> Result<Response, Problem> {
    let [name] = request.params()?;
    if !explorer.params.layer.has_coins() {
        return Ok(errors::no_coins());
    }
    let name = match name.to_ascii_lowercase().parse::<CoinName>() {
        Ok(name) => name,
        Err(error) => {
            return Ok(errors::not_found(html! {
                (view::sanitized(&view::short(name))) " is not the name of a coin: " (error.to_string()) "."
            }));
        }
    };
    let answer = explorer.upstream.mempool(async move |client, mempool| client.coin(mempool, &name).await).await;
    let main = match answer {
        Ok(coin) => {
            let spendable_from = spendable_from(&coin, &explorer.params);
            let tip = explorer.network().tip().map(|tip| tip.index);
            render(&CoinPage { coin: &coin, spendable_from, tip })
        }
        Err(error) if error.is_not_found() => match explorer.upstream.transaction(name.id).await {
            Ok(status) if status.status == TransactionState::Pending => render_promised(name, &status.transaction),
            Ok(_) | Err(UpstreamError::NoneKnown(_)) => return Ok(never_made(name)),
            Err(error) if error.is_not_found() => return Ok(never_made(name)),
            Err(error) => return Ok(errors::no_answer(&error)),
        },
        Err(error) => return Ok(errors::no_answer(&error)),
    };
    Ok(Page { title: "Coin", place: "/transactions", scripts: &[], main }.response())
}

fn never_made(name: CoinName) -> Response {
    errors::not_found(html! {
        "The best chain has never made a coin " code { (name) } ". Perhaps its block or its transaction belongs to a \
            branch that the network has abandoned."
    })
}

fn spendable_from(coin: &CoinInfo, params: &Params) -> Height {
    let CoinInfo { address, amount, block, .. } = *coin;
    let is_miners = coin.made_by.is_none();
    CoinRules::of(params).spendable_from(&Coin { address, amount, made_in: block, is_miners })
}

/// The coin that a block made for its miner; `None` on networks without coins, and if it is worth nothing.
pub(super) fn of_miner(bundle: &Bundle, height: Height, params: &Params) -> Option<CoinName> {
    let coin = params.layer.has_coins().then(|| utxo::miners_coin(&CoinRules::of(params), height, bundle));
    coin.flatten().map(|(name, _)| name)
}

/// Whether an unspent coin can be spent now.
pub(super) fn standing(coin: &UnspentCoin) -> Markup {
    html! {
        @match (coin.spent_by, coin.spendable_from) {
            (Some(by), _) => { span.warn { "about to be spent" } " by " (transaction_link(by))
                ", which waits in this mempool" }
            (None, Some(from)) => { span.warn { "not yet" } ": " (maturity()) " from block " (from) " on" }
            (None, None) => span.good { "can be spent" },
        }
    }
}

fn maturity() -> Markup {
    explained(
        "can be spent",
        "A miner's coin must wait for some blocks. If its block is undone, the coin is gone, and so would be every \
            payment with it.",
    )
}

fn render(CoinPage { coin, spendable_from, tip }: &CoinPage<'_>) -> Markup {
    html! {
        h1 { "Coin of " (view::amount(coin.amount)) }
        p { code.hash { (coin.coin) } }
        p { (SPENT_WHOLE) " " a href="/learn/coins" { "Try it" } "." }
        div #standing data-live="blocks pool" {
            dl.fields {
                dt { "owner" }
                dd { (view::address(&coin.address)) }
                dt { "amount" }
                dd { (view::amount(coin.amount)) }
                @match coin.made_by {
                    Some(by) => { dt { "made by" } dd { (transaction_link(by)) ", in " (block(coin.block)) } }
                    None => { dt { "mined in" } dd { (block(coin.block)) ": the reward and the fees of this block" } }
                }
                @match coin.spent {
                    Some(CoinSpent { by, block: Some(height) }) => { dt { "spent by" } dd { (transaction_link(by))
                        ", in " (block(height)) ". It does not exist any more." } }
                    Some(CoinSpent { by, block: None }) => { dt { "spent by" } dd { (transaction_link(by))
                        ", which waits in this mempool. Another mempool may know of another payment." } }
                    None => { dt { "spent by" } dd { "nobody: it has been waiting since " (block(coin.block)) } }
                }
                @if coin.spent.is_none() && tip.is_some_and(|tip| *spendable_from > tip.next()) {
                    dt { (maturity()) }
                    dd { "from block " (spendable_from) " on" }
                }
            }
        }
        section aria-labelledby="raw" { h2 #raw { "For programs" } (view::raw_json(coin)) }
    }
}

/// The page of an output of a pending transaction.
fn render_promised(name: CoinName, transaction: &Transaction) -> Markup {
    let part = transaction.gives().into_iter().nth(usize::from(name.place));
    html! {
        h1 { "A coin that does not exist yet" }
        p { code.hash { (name) } }
        div #standing data-live="blocks pool" {
            @match part {
                Some(part) => p { (transaction_link(name.id)) " waits in this mempool. Once a block has it, it makes \
                    this coin of " (view::amount(part.amount)) " for " (view::address(&part.address)) "." },
                None => p { (transaction_link(name.id)) " waits in this mempool, and has no such output." },
            }
        }
    }
}

fn block(height: Height) -> Markup {
    html! { a href={ "/block/" (height) } { "block " (height) } }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;
    use crate::view::snapshot;
    use shared::ledger::{Amount, TransactionId};
    use shared::params::LayerName;

    fn coin() -> CoinInfo {
        CoinInfo {
            coin: CoinName { id: TransactionId::of("one"), place: 1 },
            address: samples::address("alice"),
            amount: Amount::new(150_000_000).expect("an amount"),
            made_by: Some(TransactionId::of("one")),
            block: Height(3),
            spent: None,
        }
    }

    fn shown(coin: &CoinInfo, maturity: u64) -> Markup {
        let params = Params { coinbase_maturity: Some(maturity), ..Params::of_layer(LayerName::Utxo) };
        render(&CoinPage { coin, spendable_from: spendable_from(coin, &params), tip: Some(Height(4)) })
    }

    #[test]
    fn a_coin_in_its_four_standings() {
        snapshot("coin", &shown(&coin(), 1));
        let by = TransactionId::of("two");
        let pending = CoinInfo { spent: Some(CoinSpent { by, block: None }), ..coin() };
        let pending = shown(&pending, 1).into_string();
        assert!(pending.contains("waits in this mempool") && !pending.contains("since"), "{pending}");
        let spent = CoinInfo { spent: Some(CoinSpent { by, block: Some(Height(4)) }), ..coin() };
        assert!(shown(&spent, 1).into_string().contains("does not exist any more"));
        let mined = CoinInfo { made_by: None, ..coin() };
        assert!(shown(&mined, 100).into_string().contains("from block 103 on"));
        assert!(!shown(&mined, 2).into_string().contains("from block"), "the next block may spend it");
    }

    #[test]
    fn a_coin_of_a_transaction_that_waits_is_promised() {
        let transaction = samples::spend(&[("bob", 90), ("alice", 9)]);
        let at = |place| render_promised(transaction.coin(place), &transaction).into_string();
        assert!(at(1).contains("9.00 LAB") && at(2).contains("no such output"), "{}", at(1));
    }

    #[test]
    fn what_may_be_done_with_an_unspent_coin_is_said_in_words() {
        let CoinInfo { coin, address, amount, block, .. } = coin();
        let with = |spendable_from, spent_by| {
            let coin = UnspentCoin {
                coin,
                address,
                amount,
                block,
                confirmations: 2,
                coinbase: true,
                spendable_from,
                spent_by,
            };
            standing(&coin).into_string()
        };
        assert!(with(None, None).contains("can be spent") && !with(None, None).contains("not yet"));
        assert!(with(Some(Height(9)), None).contains("from block 9 on"));
        assert!(with(None, Some(TransactionId::of("two"))).contains("this mempool"));
    }

    #[test]
    fn only_blocks_of_coins_have_a_coin_for_their_miner() {
        let bundle = |transactions| Bundle {
            msg: String::new(),
            miner_address: samples::address("carol"),
            transactions,
            outcome: None,
        };
        assert_eq!(of_miner(&bundle(Vec::new()), Height(1), &Params::default()), None);
        let params = Params::of_layer(LayerName::Utxo);
        let (empty, full) = (bundle(Vec::new()), bundle(vec![samples::spend(&[("bob", 90)])]));
        assert_ne!(of_miner(&empty, Height(1), &params), of_miner(&full, Height(1), &params), "with the fees");
    }
}
