//! The pool follows the chain: confirmed transactions leave it, disconnected ones return.

use crate::lab::{Asked, LAB, Lab, address, client, genesis, network, push_block};
use futures_util::StreamExt;
use shared::block::BlockId;
use shared::wire::{ConfirmedEvent, PoolEvent, ReturnedEvent};

/// The next events in the order of their arrival.
macro_rules! next_events {
    ($events:expr, $count:expr) => {{
        let mut seen = Vec::new();
        while seen.len() < $count {
            seen.push(tokio::time::timeout(testkit::DEADLINE, $events.next()).await.expect("an event").unwrap());
        }
        seen
    }};
}

fn id_of(block: &shared::block::Block) -> BlockId {
    BlockId { index: block.index(), hash: block.hash() }
}

#[tokio::test]
async fn confirmed_transactions_leave_the_pool() {
    let lab = Lab::of(network("confirmed"));
    let node = lab.node().await;
    let mempool = lab.mempool(&[&node]).await;
    let first = lab.block(&genesis(&node).await, "alice", &[]);
    push_block(&node, &first).await;
    mempool.stands_on(&first).await;
    let mut events = mempool.events().await;
    let [a, b] = [lab.pay("alice", "bob", LAB, 5), lab.pay("alice", "carol", LAB, 5)];
    mempool.accept(&a).await;
    mempool.accept(&b).await;
    let second = lab.block(first.header(), "alice", &[&a]);
    push_block(&node, &second).await;
    mempool.stands_on(&second).await;
    assert_eq!(mempool.pending().await, std::slice::from_ref(&b));
    let expected = [
        PoolEvent::Transaction(Box::new(a.clone())),
        PoolEvent::Transaction(Box::new(b)),
        PoolEvent::Confirmed(ConfirmedEvent { id: a.id(), block: id_of(&second) }),
    ];
    assert_eq!(next_events!(events, 3), expected);
}

/// ```text
/// genesis - 1 - 2 (a, b) - 3 (c)
///            \- 2'(a)    - 3' - 4'
/// ```
#[tokio::test]
async fn disconnected_transactions_return_unless_the_new_branch_has_them() {
    let lab = Lab::of(network("returned"));
    let node = lab.node().await;
    let mempool = lab.mempool(&[&node]).await;
    let first = lab.block(&genesis(&node).await, "alice", &[]);
    let [a, b] = [lab.pay("alice", "bob", LAB, 5), lab.pay("alice", "carol", LAB, 5)];
    let c = lab.pay("bob", "carol", LAB / 2, 5);
    let second = lab.block(first.header(), "alice", &[&a, &b]);
    let third = lab.block(second.header(), "alice", &[&c]);
    for block in [&first, &second, &third] {
        push_block(&node, block).await;
    }
    mempool.stands_on(&third).await;
    let mut events = mempool.events().await;
    let mut other = vec![lab.block(first.header(), "dave", &[&a])];
    for _ in 0..2 {
        other.push(lab.block(other.last().unwrap().header(), "dave", &[]));
    }
    for block in &other {
        push_block(&node, block).await;
    }
    mempool.stands_on(&other[2]).await;
    assert_eq!(mempool.pending().await, [b.clone(), c.clone()]);
    assert_eq!(client().confirmations(&mempool.address, &a.id()).await, Ok(3));
    assert_eq!(client().confirmations(&mempool.address, &b.id()).await, Ok(0));
    assert_eq!(mempool.balance("alice", 1).await, 49 * LAB - 5);
    let expected = [
        PoolEvent::Confirmed(ConfirmedEvent { id: a.id(), block: id_of(&other[0]) }),
        PoolEvent::Returned(ReturnedEvent { id: b.id() }),
        PoolEvent::Returned(ReturnedEvent { id: c.id() }),
    ];
    assert_eq!(next_events!(events, 3), expected);
}

/// A reorganisation removes the money of a pending payment, and a later block restores it.
#[tokio::test]
async fn a_payment_without_cover_is_not_offered_until_it_is_covered_again() {
    let lab = Lab::of(network("uncovered"));
    let node = lab.node().await;
    let mempool = lab.mempool(&[&node]).await;
    let genesis = genesis(&node).await;
    let first = lab.block(&genesis, "alice", &[]);
    push_block(&node, &first).await;
    mempool.stands_on(&first).await;
    let lost = lab.pay("alice", "bob", LAB, 5);
    mempool.accept(&lost).await;
    let mut events = mempool.events().await;
    let other = lab.block(&genesis, "dave", &[]);
    let longer = lab.block(other.header(), "dave", &[]);
    push_block(&node, &other).await;
    push_block(&node, &longer).await;
    mempool.stands_on(&longer).await;
    assert!(mempool.pending().await.is_empty());
    assert_eq!(client().confirmations(&mempool.address, &lost.id()).await, Ok(0), "it is not forgotten");
    let covered = lab.block(longer.header(), "alice", &[]);
    push_block(&node, &covered).await;
    mempool.stands_on(&covered).await;
    assert_eq!(next_events!(events, 1), [PoolEvent::Returned(ReturnedEvent { id: lost.id() })]);
    assert_eq!(mempool.pending().await, [lost]);
}

#[tokio::test]
async fn a_pool_many_blocks_behind_the_chain_catches_up() {
    let lab = Lab::of(network("behind"));
    let node = lab.node().await;
    let mempool = lab.mempool(&[&node]).await;
    let first = lab.block(&genesis(&node).await, "alice", &[]);
    push_block(&node, &first).await;
    mempool.stands_on(&first).await;
    let [a, b] = [lab.pay("alice", "bob", LAB, 5), lab.pay("alice", "bob", 40 * LAB, 5)];
    // Unknown to the mempool, it spends the same money as b.
    let c = lab.pay("alice", "carol", 30 * LAB, 5);
    mempool.accept(&a).await;
    mempool.accept(&b).await;
    let folder = mempool.port();
    mempool.stop().await;
    let mut last = lab.block(first.header(), "dave", &[&a, &c]);
    push_block(&node, &last).await;
    for _ in 0..100 {
        last = lab.block(last.header(), "dave", &[]);
        push_block(&node, &last).await;
    }
    let mempool = lab.start(lab.config(), &[&node], folder).await;
    mempool.stands_on(&last).await;
    assert!(mempool.pending().await.is_empty());
    assert_eq!(client().confirmations(&mempool.address, &a.id()).await, Ok(101));
    assert_eq!(mempool.balance("bob", 1).await, LAB);
    assert_eq!(client().balance(&mempool.address, &address("bob"), 102).await, Ok(0));
}
