//! A network whose money is coins, in a browser: the wallet chooses coins and shows the change before it signs, and
//! everybody sees the coins.

use crate::lab::{LAB, Lab, client, key};
use crate::wallet::{make, prepare, sent};
use serde_json::{Value, json};
use shared::block::Height;
use shared::ledger::{Amount, CoinName, Input, TransactionId};
use shared::params::LayerName;
use shared::random::Random;
use shared::wallet::{CoinStrategy, SpareCoin, select};
use testkit::browser::browse;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs chromium and chromedriver"]
async fn ninety_are_paid_from_two_coins_of_fifty_and_everybody_sees_the_coins() {
    let lab = Lab::quiet(LayerName::Utxo).await;
    let shop = key("a shop").address();
    browse(&lab.explorer, "coins", async |tab| {
        let own = make(tab, "Mine").await;
        tab.reads("#coins-sum", "no coins yet").await;
        for _ in 0..2 {
            lab.reward(0, own.as_str()).await;
        }
        lab.agree().await;
        tab.reads("#wallet-balance", "100 LAB").await;
        tab.reads("#coins-sum", "2 coins to pay from: 100 LAB").await;

        // A coin whose box is not checked stays where it is.
        tab.click("#coins-list tr:first-child input").await;
        tab.reads("#coins-sum", "1 coin to pay from: 50 LAB").await;
        prepare(tab, shop.as_str(), "90", "for lunch").await;
        tab.reads("#send-amount-error", "together 50 LAB").await;
        tab.click("#coins-list tr:first-child input").await;
        tab.reads("#coins-sum", "100 LAB").await;

        tab.click("#send-preview").await;
        for words in ["2 coins spent", "change, a new coin for this wallet", "9.99999 LAB", "0.00001 LAB"] {
            tab.reads("#preview-facts", words).await;
        }
        tab.reads("#preview-text", &format!("{shop}/9000000000,{own}/999999000:for lunch")).await;
        tab.scroll_to(".wallet-send").await;
        tab.picture("coins-1-a-preview").await;
        tab.click("#send-confirm").await;
        sent(tab, "pending").await;
        tab.reads("#coins-list", "about to be spent").await;
        tab.reads("#coins-sum", "0 coins").await;
        tab.reads("#wallet-history", "Paid").await;
        lab.agree().await;
        lab.mine(1, 1).await;
        sent(tab, "confirmed").await;
        tab.reads("#coins-sum", "1 coin to pay from: 9.99999 LAB").await;
        lab.agree().await;
        let mempool = lab.mempool.as_ref().unwrap();
        let coins = client().unspent(mempool, &shop, None, 10).await.unwrap().entries;
        assert_eq!(coins.iter().map(|coin| coin.amount.grains()).collect::<Vec<_>>(), [90 * LAB]);

        tab.click("#send-words a").await;
        tab.wait("location.pathname.startsWith('/transaction/')").await;
        tab.reads("main", "probably change: it goes back to an address that pays").await;
        for (width, name) in [(1100, "coins-2-a-flow"), (390, "coins-3-a-flow-on-a-phone")] {
            tab.resize(width, 900).await;
            tab.scroll_to("#flow").await;
            tab.fits().await;
            tab.picture(name).await;
        }
        tab.click(".flow tr:has(.flow-note b) a[href^='/coin/']").await;
        tab.reads("#standing", "nobody: it has been waiting since block 3").await;
        tab.fits().await;
        tab.click("#standing a.hash[href^='/transaction/']").await;
        tab.click(".flow a[href^='/coin/']").await;
        tab.reads("#standing", "mined in").await;
        tab.reads("#standing", "it does not exist any more").await;
        tab.go(&format!("/address/{own}")).await;
        tab.reads("#unspent", "can be spent").await;
        tab.fits().await;
        tab.go(&format!("/search?q={}", coins[0].coin)).await;
        assert_eq!(tab.path().await, format!("/coin/{}", coins[0].coin));
        tab.go("/block/3").await;
        tab.click("dd a[href^='/coin/']").await;
        tab.reads("#standing", "the reward and the fees of this block").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs chromium and chromedriver"]
async fn the_exercises_about_coins_are_done_by_clicking() {
    let lab = Lab::quiet(LayerName::Utxo).await;
    browse(&lab.explorer, "learn-coins", async |tab| {
        tab.go("/learn").await;
        tab.click("main a[href='/learn/coins']").await;
        tab.reads("#spent", "You spend 2 coins, the shop gets 90").await;
        for (width, name) in [(1100, "learn-coins"), (390, "learn-coins-on-a-phone")] {
            tab.resize(width, 900).await;
            tab.fits().await;
            tab.whole_picture(name, width).await;
        }
        tab.fill("#amount", "24.999").await;
        tab.click("#strategy option[value=exact]").await;
        tab.click("#spending .primary").await;
        tab.reads("#spent", "nothing comes back").await;
        tab.click("main a[href^='/learn/coins?purse=']").await;
        tab.reads("#spent", "the shop gets 20").await;
        tab.click("main a[href='/learn/change']").await;
        tab.click("main section:nth-of-type(1) details:nth-of-type(2) summary").await;
        tab.reads("main section:nth-of-type(1) details[open]", "yes, probably").await;
        tab.fits().await;
        tab.dark(true).await;
        tab.whole_picture("learn-change-dark", 390).await;
    })
    .await;
}

/// What is selected from coins: the places of the coins in the list, the change, and what is left over.
fn selected(coins: &[SpareCoin], needed: u64, strategy: CoinStrategy) -> Value {
    match select(coins, Amount::new(needed).unwrap(), strategy) {
        Ok(selection) => {
            let place = |input: &Input| coins.iter().position(|coin| coin.input == *input);
            let places: Vec<_> = selection.inputs.iter().map(place).collect();
            json!([places, selection.change, selection.left_over])
        }
        Err(_) => Value::Null,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs chromium and chromedriver"]
async fn a_browser_selects_the_same_coins_as_the_command_line() {
    let lab = Lab::empty().await;
    let mut random = Random::new(14);
    let (mut tries, mut expected) = (Vec::new(), Vec::new());
    for number in 0..300_u32 {
        let count = if number % 50 == 0 { 150 } else { 1 + random.below(12) as usize };
        let mut coin = |place: usize| SpareCoin {
            input: Input {
                coin: CoinName { id: TransactionId::of(format!("{number} {place}")), place: (place % 3) as u16 },
                address: key("alice").address(),
                amount: Amount::new(1 + random.below(3000)).unwrap(),
            },
            made_in: Height(random.below(5)),
        };
        let coins: Vec<_> = (0..count).map(&mut coin).collect();
        let sum: u64 = coins.iter().map(|coin| coin.input.amount.grains()).sum();
        let needed = 1 + random.below(sum + 100);
        let strategies = [CoinStrategy::Largest, CoinStrategy::Oldest, CoinStrategy::Exact];
        expected.push(json!(strategies.map(|strategy| selected(&coins, needed, strategy))));
        let coin = |coin: &SpareCoin| json!([coin.input.coin, coin.input.amount, coin.made_in]);
        tries.push(json!([coins.iter().map(coin).collect::<Vec<_>>(), needed]));
    }
    let script = format!(
        "const [done] = arguments; \
         import('/assets/coin-payment.js').then(({{ select }}) => done({}.map(([list, needed]) => \
         ['largest', 'oldest', 'exact'].map((strategy) => {{ \
           const coins = list.map(([coin, amount, block]) => ({{ coin, amount: BigInt(amount), block }})); \
           try {{ \
             const {{ coins: chosen, change, leftOver }} = select(coins, BigInt(needed), strategy); \
             return [chosen.map((coin) => coins.indexOf(coin)), Number(change), Number(leftOver)]; \
           }} catch {{ return null; }} \
         }}))));",
        json!(tries)
    );
    browse(&lab.explorer, "selection", async |tab| {
        tab.go("/learn").await;
        let found = tab.eval_later(&script).await;
        for (place, (found, expected)) in found.as_array().unwrap().iter().zip(&expected).enumerate() {
            assert_eq!(found, expected, "{}", tries[place]);
        }
    })
    .await;
}
