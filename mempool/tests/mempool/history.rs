//! The history of an address: what it paid, received and mined.

use crate::lab::{Asked, LAB, Lab, address, client, genesis, network, push_block};
use shared::params::Params;
use shared::wire::{HistoryEntry, TransactionState};

/// An entry in short: its amount, its block, and the balance after it.
fn short(entry: &HistoryEntry) -> (&'static str, Option<u64>, u64, u64) {
    let what = match (&entry.transaction, entry.reward) {
        (Some(_), None) => "payment",
        (None, Some(_)) => "reward",
        other => panic!("{other:?}"),
    };
    assert_eq!(entry.status == TransactionState::Confirmed, entry.block.is_some());
    (what, entry.block.map(|block| block.index.0), entry.confirmations, entry.balance.grains())
}

#[tokio::test]
async fn history_pages_of_any_size_are_newest_first_with_balances() {
    let lab = Lab::of(network("history"));
    let node = lab.node().await;
    let mempool = lab.mempool(&[&node]).await;
    let first = lab.block(&genesis(&node).await, "alice", &[]);
    let [a, b] = [lab.pay("alice", "bob", 5 * LAB, LAB), lab.pay("bob", "alice", 2 * LAB, 0)];
    let second = lab.block(first.header(), "alice", &[&a, &b]);
    let third = lab.block(second.header(), "bob", &[]);
    for block in [&first, &second, &third] {
        push_block(&node, block).await;
    }
    mempool.stands_on(&third).await;
    let pending =
        [lab.pay("alice", "bob", LAB, 1), lab.pay("bob", "alice", 3 * LAB, 0), lab.pay("alice", "alice", 9, 2)];
    for payment in &pending {
        mempool.accept(payment).await;
    }
    let expected = [
        ("payment", None, 0, 98 * LAB - 1 - 2 + LAB),
        ("payment", None, 0, 99 * LAB - 1),
        ("payment", None, 0, 96 * LAB - 1),
        ("reward", Some(2), 2, 97 * LAB),
        ("payment", Some(2), 2, 46 * LAB),
        ("payment", Some(2), 2, 44 * LAB),
        ("reward", Some(1), 3, 50 * LAB),
    ];
    for limit in [1, 2, 3, 4, 6, 7, 100] {
        let (mut found, mut before) = (Vec::new(), None);
        loop {
            let page = client().history(&mempool.address, &address("alice"), before.as_deref(), limit).await.unwrap();
            assert!(page.entries.len() <= limit);
            found.extend(page.entries);
            before = page.next;
            if before.is_none() {
                break;
            }
        }
        assert_eq!(found.iter().map(short).collect::<Vec<_>>(), expected, "pages of {limit}");
        assert!(found.windows(2).all(|pair| pair[0].before == pair[1].balance), "pages of {limit}");
        assert_eq!(found.last().unwrap().before.grains(), 0, "pages of {limit}");
        assert_eq!(found[3].reward.unwrap().grains(), 51 * LAB, "reward and fee");
        assert_eq!(found[2].transaction.as_ref(), Some(&pending[0]));
        assert_eq!(found[5].transaction.as_ref(), Some(&a));
    }
    let older = client().history(&mempool.address, &address("alice"), Some("2"), 100).await.unwrap();
    assert_eq!(older.entries.iter().map(short).collect::<Vec<_>>(), expected[6..]);
    let nobody = client().history(&mempool.address, &address("nobody"), None, 100).await.unwrap();
    assert!(nobody.entries.is_empty() && nobody.next.is_none());
    for wrong in ["before=x", "before=1.x", "before=1.2.3", "before=-1", "before=1.4294967296", "limit=x", "x=1"] {
        mempool.get(&format!("/history/{}?{wrong}", address("alice"))).await.refused(400);
    }
    mempool.get("/history/alice").await.refused(400);
}

#[tokio::test]
async fn a_page_of_pending_payments_only_has_a_next_page() {
    let lab = Lab::of(Params { new_address_balance: 10 * LAB, ..network("history-faucet") });
    let mempool = lab.mempool(&[]).await;
    for _ in 0..5 {
        mempool.accept(&lab.pay("alice", "bob", LAB, 1000)).await;
    }
    let (mut balances, mut before) = (Vec::new(), None);
    loop {
        let page = client().history(&mempool.address, &address("bob"), before.as_deref(), 2).await.unwrap();
        balances.extend(page.entries.iter().map(|entry| entry.balance.grains() / LAB));
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    assert_eq!(balances, [15, 14, 13, 12, 11]);
}
