//! The pages of a network whose money is coins: blocks, transactions and addresses show a payment from two coins.

use crate::lab::{Lab, client, key};
use crate::pages::{page, shown};
use shared::ledger::{Amount, Input, Output, UnsignedSpend};
use shared::params::LayerName;
use shared::wire::UnspentCoin;
use testkit::{http, until};

const FIFTY: u64 = 5_000_000_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payment_from_two_coins_is_on_all_pages_about_it() {
    let lab = Lab::quiet(LayerName::Utxo).await;
    let (alice, bob) = (key("alice"), key("bob").address());
    lab.reward(0, alice.address().as_str()).await;
    lab.reward(0, alice.address().as_str()).await;
    lab.agree().await;
    let mempool = lab.mempool.clone().unwrap();
    let coins = until("the mempool has two coins", async || {
        let page = client().unspent(&mempool, &alice.address(), None, 10).await.ok()?;
        (page.entries.len() == 2).then_some(page.entries)
    })
    .await;
    let inputs = coins.iter().map(|coin| Input { coin: coin.coin, address: coin.address, amount: coin.amount });
    let output = |address, grains| Output { address, amount: Amount::new(grains).unwrap() };
    let outputs = vec![output(bob, 2 * FIFTY - 1_000_000_000), output(alice.address(), 999_999_000)];
    let unsigned = UnsignedSpend { inputs: inputs.collect(), outputs, msg: "for lunch".to_owned() };
    let payment = unsigned.sign(lab.params.network_id(), |_, text| alice.sign(text));
    let id = payment.id();
    client().push_transaction(&mempool, &payment).await.unwrap();
    until("it is on the page of what is pending", async || {
        shown(&lab, "/transactions").await.contains(&format!("/transaction/{id}")).then_some(())
    })
    .await;
    until("the payment is in a block", async || {
        lab.mine(0, 1).await;
        lab.agree().await;
        client().confirmations(&mempool, &id).await.ok().filter(|confirmations| *confirmations > 0)
    })
    .await;
    let height = lab.tip(0).await.index;
    let life = shown(&lab, &format!("/transaction/{id}")).await;
    let change = format!("/coin/{}", payment.coin(1));
    for words in ["Verified OK", "90", "for lunch", bob.as_str(), "flow-picture", "probably change", &change] {
        assert!(life.contains(words), "{words}: {life}");
    }
    for (path, words) in [
        ("/transactions".to_owned(), id.to_string()),
        (format!("/address/{bob}"), id.to_string()),
        (format!("/address/{}", alice.address()), id.to_string()),
        ("/blocks".to_owned(), "Transactions".to_owned()),
        (format!("/address/{}", alice.address()), change.clone()),
        (change, "nobody: it has been waiting since".to_owned()),
        (format!("/coin/{}", coins[0].coin), "does not exist any more".to_owned()),
        (format!("/search?q={}", payment.coin(0)), "made by".to_owned()),
        (format!("/block/{}", height.0 - 1), "miner's coin".to_owned()),
        ("/wallet".to_owned(), "data-layer=\"utxo\"".to_owned()),
        ("/".to_owned(), "payment".to_owned()),
    ] {
        let page = shown(&lab, &path).await;
        assert!(page.contains(&words), "{path}: {page}");
    }
    for index in 0..=height.0 {
        shown(&lab, &format!("/block/{index}")).await;
    }
    for (path, words) in [
        ("/coin/x".to_owned(), "is not the name of a coin"),
        (format!("/coin/{id}.2"), "has never made a coin"),
        (format!("/coin/{}.0", "0a".repeat(32)), "has never made a coin"),
    ] {
        let (status, page) = page(&lab, &path).await;
        assert!(status == 404 && page.contains(words), "{path}: {status} {page}");
    }
    let list = format!("http://{}/api/unspent/{}", lab.explorer, alice.address());
    let left: Vec<UnspentCoin> = http().get(list).send().await.unwrap().json().await.unwrap();
    assert_eq!(left.iter().map(|coin| coin.coin).collect::<Vec<_>>(), [payment.coin(1)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_networks_say_that_they_have_no_coins() {
    let lab = Lab::quiet(LayerName::Transaction).await;
    let coin = format!("{}.0", "0a".repeat(32));
    assert!(shown(&lab, &format!("/coin/{coin}")).await.contains("This network has no coins"));
    assert_eq!(page(&lab, &format!("/search?q={coin}")).await.0, 404);
    assert_eq!(page(&lab, &format!("/api/unspent/{}", key("bob").address())).await.0, 404);
    // The exercises are about coins in general.
    assert!(shown(&lab, "/learn/coins?amount=20&strategy=oldest").await.contains("come back to you"));
    assert!(shown(&lab, "/learn/change").await.contains("Nobody can tell"));
}
