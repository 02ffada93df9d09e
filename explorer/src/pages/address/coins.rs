//! The coins of an address, the largest first: what its balance is made of, on layer `utxo`.

use crate::pages::coin;
use crate::state::ExplorerState;
use crate::upstream::UpstreamError;
use crate::view::{self, coin_link};
use maud::{Markup, html};
use runtime::client::ListPage;
use shared::ledger::{Address, CoinName};
use shared::wire::UnspentCoin;

/// Coins per page.
const PER_PAGE: usize = 25;

/// A page of the coins of an address.
pub(super) struct Coins {
    list: ListPage<UnspentCoin>,
    /// Whether this is the page with the largest ones.
    is_first: bool,
}

impl Coins {
    /// Asks a mempool for the coins from `from` on; `None` on networks without coins.
    pub(super) async fn fetch(
        explorer: &ExplorerState,
        of: Address,
        from: Option<String>,
    ) -> Result<Option<Self>, UpstreamError> {
        if !explorer.params.layer.has_coins() {
            return Ok(None);
        }
        let is_first = from.is_none();
        let request = async move |client: &runtime::client::Client, mempool: &str| {
            client.unspent(mempool, &of, from.as_deref(), PER_PAGE).await
        };
        Ok(Some(Self { list: explorer.upstream.mempool(request).await?, is_first }))
    }

    pub(super) fn render(&self, of: &Address) -> Markup {
        let Self { list: ListPage { entries, next }, is_first } = self;
        html! {
            section aria-labelledby="coins" {
                h2 #coins { "Coins" }
                div #unspent data-live="blocks pool" {
                    @if entries.is_empty() {
                        p { @if *is_first { "It has no coins." } @else { "It has no smaller coins." } }
                    } @else {
                        p { "The balance is the sum of these coins. A payment spends coins whole, and what it does not \
                            need comes back as a new coin, " a href="/learn/change" { "the change" } "." }
                        (table(entries))
                    }
                    nav.paging aria-label="More coins" {
                        @if !is_first { a.button href={ "/address/" (of) "#coins" } { "Largest" } }
                        @if let Some(next) = next.as_deref().filter(|next| is_cursor(next)) {
                            a.button href={ "/address/" (of) "?coins=" (next) "#coins" } rel="next" { "Smaller" }
                        }
                    }
                }
            }
        }
    }
}

/// Whether a text is what a mempool names the first coin of a page by: its amount and its name.
pub(super) fn is_cursor(text: &str) -> bool {
    let Some((amount, coin)) = text.split_once('.') else { return false };
    (1..=16).contains(&amount.len()) && amount.bytes().all(|c| c.is_ascii_digit()) && coin.parse::<CoinName>().is_ok()
}

fn table(coins: &[UnspentCoin]) -> Markup {
    html! {
        div.table tabindex="0" role="region" aria-label="Coins, the largest first" {
            table {
                caption { "The largest first" }
                thead { tr { th scope="col" { "Coin" } th.number scope="col" { "Amount" } th scope="col" { "Since" }
                    th scope="col" { "Now" } } }
                tbody {
                    @for coin in coins {
                        tr {
                            th scope="row" { (coin_link(coin.coin)) }
                            td.number data-label="Amount" { (view::amount(coin.amount)) }
                            td data-label="Since" {
                                a href={ "/block/" (coin.block) } { "block " (coin.block) }
                                @if coin.coinbase { ", mined" }
                            }
                            td data-label="Now" { (coin::standing(coin)) }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::samples;
    use crate::view::snapshot;
    use shared::block::Height;
    use shared::ledger::{Amount, TransactionId};

    fn coins(next: Option<&str>, is_first: bool) -> Coins {
        let coin = |lab: u64, coinbase, spendable_from, spent_by: Option<&str>| UnspentCoin {
            coin: CoinName { id: TransactionId::of(lab.to_be_bytes()), place: 0 },
            address: samples::address("alice"),
            amount: Amount::new(lab * Amount::GRAINS_PER_LAB).expect("an amount"),
            block: Height(lab),
            confirmations: 1,
            coinbase,
            spendable_from,
            spent_by: spent_by.map(TransactionId::of),
        };
        let entries = vec![
            coin(50, true, Some(Height(150)), None),
            coin(40, false, None, Some("a payment")),
            coin(9, false, None, None),
        ];
        Coins { list: ListPage { entries, next: next.map(str::to_owned) }, is_first }
    }

    #[test]
    fn coins_with_what_may_be_done_with_them() {
        let next = format!("900000000.{}.1", "0a".repeat(32));
        snapshot("address_coins", &coins(Some(&next), true).render(&samples::address("alice")));
    }

    #[test]
    fn an_address_without_coins_says_so() {
        let list = ListPage { entries: Vec::new(), next: None };
        let shown = Coins { list, is_first: true }.render(&samples::address("alice")).into_string();
        assert!(shown.contains("has no coins") && !shown.contains("Largest"), "{shown}");
    }

    #[test]
    fn only_cursors_of_a_mempool_are_accepted() {
        let coin = format!("{}.0", "0a".repeat(32));
        assert!(is_cursor(&format!("5000000000.{coin}")));
        for text in [&*coin, "5", "", &format!("x.{coin}"), &format!(".{coin}"), &format!("5.{coin}&x=y"), "5.0"] {
            assert!(!is_cursor(text), "{text}");
        }
        let shown = coins(Some("\"><script>"), false).render(&samples::address("alice")).into_string();
        assert!(!shown.contains("Smaller") && shown.contains("Largest"), "{shown}");
    }
}
