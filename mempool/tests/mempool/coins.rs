//! A mempool of a network whose money is coins: rivals, pages of coins, the life of a coin, and reorganisations.

use crate::lab::{Answer, Asked, Lab, Running, address, client, genesis, key, network, push_block};
use futures_util::StreamExt;
use serde_json::{Value, json};
use shared::block::{Block, BlockId};
use shared::layer::utxo::{CoinRules, miners_coin};
use shared::ledger::{Amount, Bundle, Input, Output, Spend, Transaction, UnsignedSpend};
use shared::params::Params;
use shared::pool::Replacement;
use shared::wire::{ConfirmedEvent, ConflictEvent, EvictedEvent, PoolEvent};

/// Amounts below are in thousands of grains, so that none is dust.
const K: u64 = 1000;
const COIN: u64 = 50 * K;

fn lab(name: &str, maturity: u64) -> Lab {
    let Params { initial_difficulty, retarget, name, .. } = network(name);
    let params = Params { reward: COIN, halving_blocks: 1000, coinbase_maturity: Some(maturity), ..Params::of_coins() };
    Lab::of(Params { initial_difficulty, retarget, name, ..params })
}

/// The rule that a refusal names.
fn rule(answer: &Answer) -> String {
    let problem: Value = serde_json::from_str(&answer.body).unwrap();
    problem["rule"].as_str().unwrap_or_default().to_owned()
}

fn grains(grains: u64) -> Amount {
    Amount::new(grains * K).unwrap()
}

/// What a block paid its miner.
fn mined(lab: &Lab, block: &Block, miner: &str) -> Input {
    let bundle = Bundle::from_data(block.data()).unwrap().0;
    let (coin, amount) = miners_coin(&CoinRules::of(&lab.params), block.index(), &bundle).unwrap();
    Input { coin, address: address(miner), amount }
}

/// The first block, which alice mines and the mempool has, and her coin of it.
async fn first_coin(lab: &Lab, node: &Running, mempool: &Running) -> (Block, Input) {
    let block = lab.block(&genesis(node).await, "alice", &[]);
    push_block(node, &block).await;
    mempool.stands_on(&block).await;
    let coin = mined(lab, &block, "alice");
    (block, coin)
}

fn spend(lab: &Lab, who: &str, inputs: &[Input], outputs: &[(&str, u64)]) -> Transaction {
    let outputs = outputs.iter().map(|(to, amount)| Output { address: address(to), amount: grains(*amount) }).collect();
    let unsigned = UnsignedSpend { inputs: inputs.to_vec(), outputs, msg: String::new() };
    unsigned.sign(lab.id(), |_, text| key(who).sign(text))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_coin_is_taken_once_and_its_life_can_be_read() {
    let lab = lab("life", 1);
    let node = lab.node().await;
    let mempool = lab.mempool(&[&node]).await;
    let one = lab.block(&genesis(&node).await, "alice", &[]);
    let two = lab.block(one.header(), "alice", &[]);
    push_block(&node, &one).await;
    push_block(&node, &two).await;
    mempool.stands_on(&two).await;
    let coins = [mined(&lab, &one, "alice"), mined(&lab, &two, "alice")];
    let payment = spend(&lab, "alice", &coins, &[("bob", 90), ("alice", 9)]);
    mempool.accept(&payment).await;
    let rival = spend(&lab, "alice", &coins[..1], &[("carol", 49)]);
    let refused = mempool.push(&rival).await;
    assert_eq!((refused.status, rule(&refused)), (422, "replacement".to_owned()), "{}", refused.body);
    assert!(refused.body.contains(&payment.id().to_string()), "{}", refused.body);
    let wrong = spend(&lab, "alice", &[Input { amount: grains(51), ..coins[0] }], &[("carol", 51)]);
    assert_eq!(rule(&mempool.push(&wrong).await), "coin");
    let account = lab.pay("alice", "bob", 1, 0);
    assert_eq!(rule(&mempool.push(&account).await), "bundle");

    let path = format!("/unspent/{}", address("alice"));
    let listed = mempool.json(&path).await;
    assert_eq!(listed.as_array().unwrap().len(), 2);
    assert_eq!(listed[0]["spent_by"], json!(payment.id()));
    assert_eq!((mempool.balance("bob", 0).await, mempool.balance("bob", 1).await), (90 * K, 0));
    let life = mempool.json(&format!("/coin/{}", coins[0].coin)).await;
    assert_eq!((&life["block"], &life["spent"]), (&json!(1), &json!({"by": payment.id()})));
    assert_eq!(life.get("made_by"), None);

    let three = lab.block(two.header(), "carol", &[&payment]);
    push_block(&node, &three).await;
    mempool.stands_on(&three).await;
    let life = mempool.json(&format!("/coin/{}", coins[0].coin)).await;
    assert_eq!(life["spent"], json!({"by": payment.id(), "block": 3}));
    let change = mempool.json(&format!("/coin/{}", payment.coin(1))).await;
    assert_eq!((&change["made_by"], &change["amount"]), (&json!(payment.id()), &json!(9 * K)));
    assert_eq!(mempool.get(&format!("/coin/{}", payment.coin(2))).await.status, 404);
    assert_eq!(mempool.get("/coin/1.0").await.status, 400);
    let refused = mempool.push(&rival).await;
    assert_eq!(rule(&refused), "coin");
    assert!(refused.body.contains(&payment.id().to_string()), "names the spender: {}", refused.body);
    let all = mempool.json("/unspent").await;
    let mut amounts: Vec<u64> = all.as_array().unwrap().iter().map(|coin| coin["amount"].as_u64().unwrap()).collect();
    amounts.sort_unstable();
    assert_eq!(amounts, [9, 51, 90].map(|amount| amount * K));
    let history = mempool.json(&format!("/history/{}", address("alice"))).await;
    assert_eq!((&history[0]["balance"], &history[0]["before"]), (&json!(9 * K), &json!(100 * K)));
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_coins_are_whole_and_bounded() {
    let lab = lab("pages", 1);
    let node = lab.node().await;
    let mempool = lab.mempool(&[&node]).await;
    let one = lab.block(&genesis(&node).await, "alice", &[]);
    let parts: Vec<_> = (1..=7).map(|amount| ("bob", amount)).collect();
    let payment = spend(&lab, "alice", &[mined(&lab, &one, "alice")], &parts);
    let two = lab.block(one.header(), "carol", &[&payment]);
    push_block(&node, &one).await;
    push_block(&node, &two).await;
    mempool.stands_on(&two).await;
    let names = |page: &Value| -> Vec<(Value, Value)> {
        page.as_array().unwrap().iter().map(|coin| (coin["coin"].clone(), coin["amount"].clone())).collect()
    };
    let (mut found, mut from) = (Vec::new(), None);
    loop {
        let page = client().unspent(&mempool.address, &address("bob"), from.as_deref(), 3).await.unwrap();
        found.extend(page.entries.iter().map(|coin| coin.amount.grains()));
        match page.next {
            Some(next) => from = Some(next),
            None => break,
        }
    }
    assert_eq!(found, [7, 6, 5, 4, 3, 2, 1].map(|amount| amount * K));
    let all = names(&mempool.json("/unspent?limit=100").await);
    let first = names(&mempool.json("/unspent?limit=5").await);
    let rest = format!("/unspent?from={}", all[5].0.as_str().unwrap());
    assert_eq!([first, names(&mempool.json(&rest).await)].concat(), all);
    for (path, status) in [
        ("/unspent?limit=0", 200),
        ("/unspent?limit=999999", 200),
        ("/unspent?from=x", 400),
        ("/unspent?confirmations=1", 400),
        (&format!("/unspent/{}?from=9999999999999999.{}.0", address("bob"), "0".repeat(64)), 200),
        (&format!("/unspent/{}?from=1", address("bob")), 400),
        ("/unspent/lab1", 400),
    ] {
        assert_eq!(mempool.get(path).await.status, status, "{path}");
    }
}

/// ```text
/// genesis - one (alice) - two (bob; alice pays)
///         \- other (carol) - others (carol) - another (carol): alice's coin is gone, her payment waits
///         one - two - three - four - five: it is back
/// ```
#[tokio::test(flavor = "multi_thread")]
async fn a_payment_returns_after_a_reorganisation_and_is_held_while_its_coin_is_gone() {
    let lab = lab("held", 2);
    let node = lab.node().await;
    let mempool = lab.mempool(&[&node]).await;
    let start = genesis(&node).await;
    let one = lab.block(&start, "alice", &[]);
    let coin = mined(&lab, &one, "alice");
    let payment = spend(&lab, "alice", &[coin], &[("bob", 49)]);
    push_block(&node, &one).await;
    mempool.stands_on(&one).await;
    let early = mempool.push(&payment).await;
    assert_eq!(rule(&early), "maturity", "{}", early.body);
    let listed = mempool.json(&format!("/unspent/{}", address("alice"))).await;
    assert_eq!(listed[0]["spendable_from"], json!(3));
    let two = lab.block(one.header(), "bob", &[]);
    push_block(&node, &two).await;
    mempool.stands_on(&two).await;
    mempool.accept(&payment).await;
    let three = lab.block(two.header(), "bob", &[&payment]);
    push_block(&node, &three).await;
    mempool.stands_on(&three).await;
    assert_eq!(mempool.pending().await, []);

    // Another branch, without alice's coin.
    let mut others = vec![lab.block(&start, "carol", &[])];
    for number in 0..4 {
        others.push(lab.block(others[number].header(), "carol", &[]));
    }
    for block in &others[..4] {
        push_block(&node, block).await;
    }
    mempool.stands_on(&others[3]).await;
    assert_eq!(mempool.pending().await, [], "its coin is not there");
    let status = mempool.json(&format!("/transaction/{}", payment.id())).await;
    assert_eq!(status["status"], "pending", "it is held");

    // The first branch again: the coin is back, and in the pool its payment.
    let mut blocks = vec![lab.block(two.header(), "dave", &[])];
    for number in 0..2 {
        blocks.push(lab.block(blocks[number].header(), "dave", &[]));
    }
    for block in &blocks {
        push_block(&node, block).await;
    }
    mempool.stands_on(&blocks[2]).await;
    assert_eq!(mempool.pending().await, [payment]);
}

#[tokio::test(flavor = "multi_thread")]
async fn networks_of_accounts_have_no_coins() {
    let lab = Lab::of(network("accounts"));
    let node = lab.node().await;
    let mempool = lab.mempool(&[&node]).await;
    let coin = format!("/coin/{}.0", "0".repeat(64));
    for path in ["/unspent", &format!("/unspent/{}", address("bob")), &coin] {
        let answer = mempool.get(path).await;
        assert_eq!(answer.status, 404, "{path}");
        assert!(answer.body.contains("no coins"), "{}", answer.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn subscribers_hear_of_each_rival_once_and_of_a_replacement() {
    let lab = lab("rivals", 1);
    let node = lab.node().await;
    let mempool = lab.mempool(&[&node]).await;
    let (_, coin) = first_coin(&lab, &node, &mempool).await;
    let events = mempool.events().await;
    let [first, cheap, dear] =
        [("bob", 49), ("carol", 49), ("bob", 40)].map(|output| spend(&lab, "alice", &[coin], &[output]));
    mempool.accept(&first).await;
    // A stranger says nothing about alice's coin: its signature is not hers.
    let signatures = vec![key("eve").sign("something else")];
    let forged = Transaction::from(Spend { signatures, ..cheap.as_spend().unwrap().clone() });
    assert_eq!(rule(&mempool.push(&forged).await), "signature");
    for _ in 0..2 {
        let refused = mempool.push(&cheap).await;
        assert_eq!((refused.status, rule(&refused)), (422, "replacement".to_owned()), "{}", refused.body);
    }
    mempool.accept(&dear).await;
    let conflict = |newcomer: &Transaction, taken| {
        PoolEvent::Conflict(ConflictEvent { coin: coin.coin, pending: first.id(), newcomer: newcomer.id(), taken })
    };
    let evicted = EvictedEvent { id: first.id(), reason: "replaced".to_owned(), by: Some(dear.id()) };
    let expected = [
        PoolEvent::Transaction(Box::new(first.clone())),
        conflict(&cheap, false),
        PoolEvent::Transaction(Box::new(dear.clone())),
        conflict(&dear, true),
        PoolEvent::Evicted(evicted),
    ];
    let heard = tokio::time::timeout(testkit::DEADLINE, events.take(5).collect::<Vec<_>>()).await;
    assert_eq!(heard.unwrap(), expected);
    assert_eq!(mempool.pending().await, [dear]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_whose_coin_a_block_has_spent_is_reported_and_names_its_rival() {
    let lab = lab("lost", 1);
    let node = lab.node().await;
    let mempool = lab.mempool(&[&node]).await;
    let (one, coin) = first_coin(&lab, &node, &mempool).await;
    let [payment, rival] = ["bob", "alice"].map(|to| spend(&lab, "alice", &[coin], &[(to, 49)]));
    mempool.accept(&payment).await;
    let events = mempool.events().await;
    let two = lab.block(one.header(), "carol", &[&rival]);
    push_block(&node, &two).await;
    mempool.stands_on(&two).await;
    let block = BlockId { index: two.index(), hash: two.hash() };
    let notice = ConflictEvent { coin: coin.coin, pending: payment.id(), newcomer: rival.id(), taken: true };
    let expected = [PoolEvent::Confirmed(ConfirmedEvent { id: rival.id(), block }), PoolEvent::Conflict(notice)];
    let heard = tokio::time::timeout(testkit::DEADLINE, events.take(2).collect::<Vec<_>>()).await;
    assert_eq!(heard.unwrap(), expected);
    let status = mempool.json(&format!("/transaction/{}", payment.id())).await;
    assert_eq!(status["rival"], json!({"coin": coin.coin, "id": rival.id(), "block": block}));
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_first_one_wins_no_fee_replaces_it_and_dust_is_a_setting() {
    let lab = lab("first-seen", 1);
    let node = lab.node().await;
    let mut config = lab.config();
    (config.mempool.replacement, config.mempool.dust) = (Replacement::FirstSeen, grains(2));
    let mempool = lab.start(config, &[&node], 0).await;
    let (_, coin) = first_coin(&lab, &node, &mempool).await;
    let first = spend(&lab, "alice", &[coin], &[("bob", 49)]);
    let dust = mempool.push(&spend(&lab, "alice", &[coin], &[("bob", 47), ("alice", 1)])).await;
    assert_eq!((dust.status, rule(&dust)), (422, "dust".to_owned()), "{}", dust.body);
    mempool.accept(&first).await;
    let rival = mempool.push(&spend(&lab, "alice", &[coin], &[("carol", 20)])).await;
    assert_eq!((rival.status, rule(&rival)), (422, "conflict".to_owned()), "{}", rival.body);
    assert!(rival.body.contains(&first.id().to_string()), "names the first: {}", rival.body);
    assert_eq!(mempool.pending().await, [first]);
}

#[tokio::test]
async fn a_push_counts_once_for_each_signature() {
    let lab = lab("counted", 1);
    let mut config = lab.config();
    (config.mempool.pushes_per_second, config.mempool.push_burst) = (0, 4);
    let mempool = lab.start(config, &[], 0).await;
    // Coins that nobody has: what a push costs is counted before that is found.
    let coin = |number: u16| spend(&lab, "alice", &[], &[]).coin(number);
    let coins = [("alice", 0), ("bob", 1)].map(|(who, number)| Input {
        coin: coin(number),
        address: address(who),
        amount: grains(5),
    });
    let outputs = vec![Output { address: address("carol"), amount: grains(9) }];
    let of_two = UnsignedSpend { inputs: coins.to_vec(), outputs, msg: String::new() };
    let of_two = of_two.sign(lab.id(), |owner, text| {
        let who = ["alice", "bob"].into_iter().find(|who| address(who) == *owner).unwrap();
        key(who).sign(text)
    });
    for _ in 0..2 {
        assert_eq!(rule(&mempool.push(&of_two).await), "coin");
    }
    mempool.push(&spend(&lab, "alice", &coins[..1], &[("carol", 4)])).await.refused(429);
}
