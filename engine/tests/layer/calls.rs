//! What calls and deployments do, and what services remember of them.

use crate::lab::{Lab, address, params};
use crate::programs::{COUNTER, LOGGER, LOOP, PAYER, REFUSER, maker, witness, word, words};
use shared::layer::program::{self, LogQuery, Moment, chain_id, logs, moved_accounts, new_program, programs};
use shared::layer::transaction::{balance_at, balance_history, history_owner};
use shared::ledger::{Address, Amount};
use shared::program::{AccountId, HexBytes, Word};

fn lab() -> Lab {
    let mut lab = Lab::new(params());
    lab.mine("alice", &[]);
    lab.mine("alice", &[]);
    lab
}

#[test]
fn a_counter_counts() {
    let mut lab = lab();
    let deployment = lab.deploy("alice", COUNTER, 0);
    let counter = new_program(&deployment.id());
    let calls = [(); 3].map(|()| lab.call("alice", counter, 0, &[]));
    // Deployed and called in one block: the address is known before.
    lab.mine("miner", &[&[deployment][..], &calls[..2]].concat());
    lab.mine("miner", &calls[2..]);
    assert_eq!(lab.slot(counter, 0), Word::from(3));
    let receipt = lab.receipt(&calls[2]);
    assert_eq!((receipt.status.as_str(), receipt.output), ("succeeded", HexBytes(Word::from(3).0.to_vec())));
    assert_eq!((receipt.gas, receipt.program), (200_000, Address::of_program(counter)));
    lab.check_money();
}

#[test]
fn a_failing_call_costs_its_fee_and_nothing_else() {
    let mut lab = lab();
    let [refuser, endless] = [REFUSER, LOOP].map(|code| lab.deployed("alice", code, 0));
    let before = lab.balance(&address("alice"));
    let nobody = AccountId([0x77; 20]);
    let input = Word::from(0xbad).0;
    let calls =
        [(refuser, &input[..]), (endless, &[]), (nobody, &[])].map(|(it, input)| lab.call("alice", it, 5, input));
    lab.mine("miner", &calls);
    assert_eq!(lab.balance(&address("alice")), before - 3 * 10, "the amounts stay with the sender");
    let receipts = calls.map(|call| lab.receipt(&call));
    let statuses = receipts.each_ref().map(|receipt| receipt.status.as_str());
    assert_eq!(statuses, ["reverted", "out-of-gas", "no-program"]);
    assert_eq!(receipts[0].output, HexBytes(input.to_vec()), "the reason");
    assert_eq!(receipts[1].gas_used, 200_000, "the machine takes all");
    assert_eq!(receipts[2].gas_used, 21_000, "only what its bytes cost");
    assert_eq!(lab.slot(refuser, 0), Word::ZERO);
    assert_eq!(lab.balance(&Address::of_program(nobody)), 0);
    lab.check_money();
}

#[test]
fn money_moves_to_programs_and_back() {
    let mut lab = lab();
    let payer = lab.deployed("alice", PAYER, 1000);
    assert_eq!(lab.balance(&Address::of_program(payer)), 1000);
    // To a key that no block has shown yet.
    let call = lab.call("alice", payer, 500, &words(word(address("carol").account()), 300));
    lab.mine("miner", std::slice::from_ref(&call));
    assert_eq!(lab.balance(&Address::of_program(payer)), 1200);
    assert_eq!(lab.balance(&address("carol")), 300);
    let height = lab.chain.tip().index;
    let state = lab.state();
    let moved = moved_accounts(state.as_ref(), height).unwrap();
    assert!(moved.contains(&Address::of_program(address("carol").account())), "{moved:?}");
    let receipt = lab.receipt(&call);
    let carols = receipt.moved.iter().find(|one| one.after == Amount::new(300).unwrap()).unwrap();
    assert_eq!(carols.before, Amount::ZERO);
    // Then she is paid, and known from then on.
    let payment = lab.pay("alice", "carol", 7);
    let spent = lab.pay("carol", "bob", 100);
    lab.mine("miner", &[payment, spent]);
    let state = lab.state();
    let carol = address("carol");
    assert_eq!(lab.balance(&carol), 206);
    assert_eq!(balance_at(state.as_ref(), lab.params(), &carol, height).unwrap().grains(), 300);
    let history = balance_history(state.as_ref(), &history_owner(lab.params(), &carol), None, 10).unwrap();
    let balances: Vec<_> = history.iter().map(|change| change.balance.grains()).collect();
    assert_eq!(balances, [206, 307, 300]);
    let listed = shared::layer::transaction::accounts(state.as_ref(), "lab1", "", 100).unwrap();
    let sum: u64 = listed.iter().map(|one| one.balance.grains()).sum();
    assert_eq!(sum, 1_000_000 * lab.chain.tip().index.0, "each account is listed once");
    assert!(listed.iter().any(|one| one.address == carol));
    lab.check_money();
}

#[test]
fn logs_and_programs_are_found_newest_first() {
    let mut lab = lab();
    let logger = lab.deployed("alice", LOGGER, 0);
    let calls: Vec<_> = (0..5).map(|n: u64| lab.call("alice", logger, 0, &words(n % 2, 10 + n))).collect();
    lab.mine("miner", &calls[..2]);
    lab.mine("miner", &calls[2..]);
    let state = lab.state();
    let found = |topic: Option<u64>, before: Option<Moment>, limit| {
        let query = LogQuery { account: logger, topic: topic.map(Word::from), before, limit };
        let logs = logs(state.as_ref(), &query).unwrap();
        let numbers = logs.iter().map(|one| u64::from(*one.log.data.0.last().unwrap()));
        (numbers.collect::<Vec<_>>(), logs.last().map(|one| one.moment))
    };
    assert_eq!(found(None, None, 100).0, [14, 13, 12, 11, 10]);
    assert_eq!(found(Some(1), None, 100).0, [13, 11]);
    let (first, last) = found(None, None, 2);
    assert_eq!(first, [14, 13]);
    assert_eq!(found(None, last, 2).0, [12, 11]);
    assert_eq!(found(Some(7), None, 100).0, [] as [u64; 0]);

    lab.mine("bob", &[]);
    let maker = lab.deployed("bob", &maker(), 0);
    let call = lab.call("alice", maker, 3, &[]);
    lab.mine("miner", std::slice::from_ref(&call));
    let made = lab.receipt(&call).output.0;
    let made = AccountId(made[12..].try_into().unwrap());
    let state = lab.state();
    let all = programs(state.as_ref(), None, 10).unwrap();
    assert_eq!(all[0].origin.address, Address::of_program(made));
    assert_eq!((all[0].origin.maker, all[0].origin.transaction), (address("alice"), call.id()));
    assert_eq!(all[1].origin.maker, address("bob"));
    assert_eq!(all.len(), 3);
    assert_eq!(programs(state.as_ref(), Some(all[0].moment), 1).unwrap()[0], all[1]);
    assert_eq!(program::program_origin(state.as_ref(), &made).unwrap().as_ref(), Some(&all[0].origin));
    assert_eq!(lab.balance(&Address::of_program(made)), 3);
}

#[test]
fn programs_see_the_chain_as_the_protocol_says() {
    let mut lab = lab();
    let witness = lab.deployed("alice", &witness(), 0);
    let call = lab.call("alice", witness, 9, &[]);
    let parent = lab.tip();
    lab.mine("miner", std::slice::from_ref(&call));
    let output = lab.receipt(&call).output.0;
    let seen: Vec<Word> = output.as_chunks::<32>().0.iter().map(|word| Word(*word)).collect();
    let hash = Word(*parent.hash().as_bytes());
    let caller = word(address("alice").account());
    let expected = [
        Word::from(parent.index().0 + 1),
        Word::from(parent.header().timestamp.as_ms() / 1000),
        hash,
        word(address("miner").account()),
        Word::from(15_000_000),
        Word::ZERO,
        Word::ZERO,
        Word::from(chain_id(lab.params())),
        caller,
        caller,
        Word::from(9),
        hash,
    ];
    assert_eq!(seen, expected);
}

#[test]
fn a_program_cannot_have_more_than_there_can_be() {
    let mut lab = Lab::new(shared::params::Params { reward: Amount::MAX.grains() / 2, ..params() });
    for miner in ["alice", "bob", "carol"] {
        lab.mine(miner, &[]);
    }
    let most = Amount::MAX.grains() / 2 - 100;
    let payer = lab.deployed("alice", PAYER, most);
    let calls = ["bob", "carol"].map(|who| lab.call(who, payer, most, &[]));
    // The first fits, the second does not: it keeps its money, and the block is valid.
    let last = lab.call("carol", payer, 300, &words(word(address("x").account()), 0));
    lab.mine("dave", &[calls[0].clone(), calls[1].clone(), last.clone()]);
    assert_eq!(lab.receipt(&calls[0]).status, "succeeded");
    assert_eq!(lab.receipt(&calls[1]).status, "max-balance");
    assert_eq!(lab.receipt(&last).status, "max-balance");
    lab.check_money();
}
