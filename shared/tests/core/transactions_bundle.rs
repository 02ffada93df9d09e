//! Rules for a bundle and its transactions that need no state: one spelling, sizes, and signatures over everything.
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests: this is how they fail

use crate::transactions_lab::{MoneyLab, fields, grains, money, nobody};
use shared::ledger::{Address, Amount, Payment, Transaction, TransactionId, Uuid, json_of};
use shared::params::Params;

/// Alice has mined block 1 and pays bob; the data of a block with this payment.
fn payment() -> (MoneyLab, Transaction, String) {
    let mut lab = MoneyLab::new(money());
    lab.mine("a1", "genesis", "alice", &[]);
    lab.best("a1");
    let payment = lab.pay("alice", "bob", 10, 1);
    let data = lab.bundle("miner", &[&payment]);
    (lab, payment, data)
}

/// Changes a transaction; has an address of somebody else for that.
type Change = fn(&mut Payment, Address);

/// The data with a part replaced, which must be there.
fn with(data: &str, part: &str, other: &str) -> String {
    assert!(data.contains(part), "{part} is not in {data}");
    data.replacen(part, other, 1)
}

#[test]
fn data_has_only_one_spelling() {
    let (mut lab, payment, data) = payment();
    let (miner, sender) = (lab.address("miner"), payment.as_payment().unwrap().from);
    for other in [
        format!(" {data}"),
        format!("{data} "),
        format!("{data}\n"),
        with(&data, "\"msg\":\"\"", "\"msg\": \"\""),
        with(&data, "[{", "[ {"),
        with(&data, "\"msg\":\"\",\"miner_address\"", "\"msg\":\"\" ,\"miner_address\""),
        with(
            &data,
            &format!("\"miner_address\":\"{miner}\""),
            &format!("\"miner_address\":\"\\u006c{}\"", &miner.as_str()[1..]),
        ),
        with(&data, &format!("\"from\":\"{sender}\""), &format!("\"from\":\"\\u006c{}\"", &sender.as_str()[1..])),
        with(&data, "\"msg\"", "\"\\u006dsg\""),
        with(&data, "\"amount\":10,\"fee\":1", "\"fee\":1,\"amount\":10"),
        with(
            &data,
            &format!("\"msg\":\"\",\"miner_address\":\"{miner}\""),
            &format!("\"miner_address\":\"{miner}\",\"msg\":\"\""),
        ),
    ] {
        let detail = lab.refused("a1", &other, "canonical");
        assert!(detail.contains("from byte "), "{detail}");
    }
}

#[test]
fn only_quotes_and_backslashes_are_escaped() {
    let (mut lab, ..) = payment();
    let mut draft = lab.draft("alice", "bob", 1, 0);
    draft.msg = "/ \u{2028}é \u{1f4b0}".to_owned();
    let payment = lab.sign("alice", draft);
    let data = lab.bundle("miner", &[&payment]);
    assert!(data.contains("/ \u{2028}é \u{1f4b0}"), "{data}");
    for (raw, escaped) in [("/ ", "\\/ "), ("\u{2028}", "\\u2028"), ("é", "\\u00e9"), ("\u{1f4b0}", "\\ud83d\\udcb0")]
    {
        lab.refused("a1", &with(&data, raw, escaped), "canonical");
    }
    lab.mine_data("a2", "a1", &data);
    lab.best("a2");
    let mut draft = lab.draft("alice", "bob", 1, 0);
    draft.msg = "\"\\".to_owned();
    let payment = lab.sign("alice", draft);
    let data = lab.bundle("miner", &[&payment]);
    lab.refused("a2", &with(&data, "\\\"\\\\", "\\u0022\\\\"), "canonical");
    lab.mine_data("a3", "a2", &data);
    lab.best("a3");
}

#[test]
fn data_that_is_not_a_bundle_is_refused() {
    let (mut lab, payment, data) = payment();
    let id = payment.id().to_string();
    for other in [
        String::new(),
        "null".to_owned(),
        "[]".to_owned(),
        "{}".to_owned(),
        "hello".to_owned(),
        data[..data.len() - 1].to_owned(),
        format!("\u{feff}{data}"),
        format!("{data}{data}"),
        with(&data, "{\"msg\":\"\",", "{"),
        with(&data, "{\"msg\":\"\",", "{\"msg\":null,"),
        with(&data, "{\"msg\":\"\",", "{\"msg\":\"\",\"msg\":\"\","),
        with(&data, "\"msg\":\"\",\"miner", "\"msg\":\"\\ud800\",\"miner"),
        with(&data, "\"transactions\":[", "\"transactions\":[null,"),
        with(&data, "\"transactions\":[", "\"transactions\":[[],"),
        // The reward is not part of the data.
        with(&data, "{\"msg\"", "{\"reward\":5000,\"msg\""),
        with(&data, "]}", "],\"reward\":100}"),
        with(&data, "{\"id\"", "{\"extra\":0,\"id\""),
        with(&data, "\"fee\":1,", ""),
        with(&data, "\"fee\":1,", "\"fee\":null,"),
        with(&data, "\"fee\":1,", "\"fee\":1,\"fee\":1,"),
        with(&data, &id, &id.to_uppercase()),
        with(&data, &id, &id[..62]),
        with(&data, &id, &format!("0x{}", &id[2..])),
        with(&data, &id, &format!(" {}", &id[1..])),
        with(&data, &payment.as_payment().unwrap().uuid.to_string(), "00000000-0000-0000-0000-000000000001"),
        with(
            &data,
            payment.as_payment().unwrap().to.as_str(),
            &payment.as_payment().unwrap().to.as_str().to_uppercase(),
        ),
        with(
            &data,
            &payment.as_payment().unwrap().to.as_str()[50..],
            &payment.as_payment().unwrap().from.as_str()[50..],
        ),
    ] {
        lab.refused("a1", &other, "bundle");
    }
}

#[test]
fn money_is_a_whole_number_and_nothing_else() {
    let (mut lab, _, data) = payment();
    for number in [
        "-1",
        "-10",
        "-0",
        "1.0",
        "10.0",
        "1e1",
        "0.5",
        "1E400",
        "NaN",
        "Infinity",
        "-Infinity",
        "\"10\"",
        "+10",
        "010",
        "0x10",
        "9007199254740992",
        "18446744073709551616",
        "true",
        "[10]",
    ] {
        lab.refused("a1", &with(&data, "\"amount\":10", &format!("\"amount\":{number}")), "bundle");
        lab.refused("a1", &with(&data, "\"fee\":1", &format!("\"fee\":{number}")), "bundle");
    }
}

#[test]
fn the_signature_covers_every_field() {
    let (mut lab, payment, _) = payment();
    let mallory = lab.address("mallory");
    let changes: [(&str, Change); 7] = [
        ("uuid", |it, _| it.uuid = Uuid([9; 16])),
        ("from", |it, other| it.from = other),
        ("to", |it, other| it.to = other),
        ("amount", |it, _| it.amount = grains(11)),
        ("fee", |it, _| it.fee = grains(0)),
        ("msg", |it, _| it.msg = "x".to_owned()),
        ("amount and fee", |it, _| (it.amount, it.fee) = (grains(1), grains(10))),
    ];
    for (field, change) in changes {
        let mut changed = fields(&payment);
        change(&mut changed, mallory);
        let data = lab.bundle("miner", &[&changed.clone().into()]);
        let detail = lab.refused("a1", &data, "id");
        assert!(detail.contains("was a field changed"), "{field}: {detail}");
        // Also with the matching id:
        changed.id = TransactionId::of(changed.text(lab.params().network_id()));
        let data = lab.bundle("miner", &[&changed.into()]);
        let detail = lab.refused("a1", &data, "signature");
        assert!(detail.starts_with("transaction 0 of the bundle: "), "{field}: {detail}");
    }
}

#[test]
fn the_id_of_another_content_is_refused() {
    let (mut lab, payment, _) = payment();
    let other = lab.pay("alice", "bob", 10, 1);
    let squats = Payment { id: other.id(), ..fields(&payment) }.into();
    let data = lab.bundle("miner", &[&other, &squats]);
    let detail = lab.refused("a1", &data, "id");
    assert!(detail.starts_with("transaction 1 of the bundle: "), "{detail}");
}

#[test]
fn a_signature_with_another_key_is_refused() {
    let (mut lab, ..) = payment();
    let draft = lab.draft("alice", "mallory", 10, 0);
    let forged = lab.sign("mallory", draft);
    let data = lab.bundle("miner", &[&forged]);
    lab.refused("a1", &data, "signature");
    for bytes in [[0; 64], [0xff; 64]] {
        let draft = lab.draft("alice", "mallory", 10, 0);
        let network = lab.params().network_id();
        let nonsense = draft.sign(network, |_| shared::keys::Signature::from_bytes(bytes));
        let data = lab.bundle("miner", &[&nonsense]);
        lab.refused("a1", &data, "signature");
    }
}

#[test]
fn a_transaction_of_another_network_is_refused() {
    let (mut lab, ..) = payment();
    let mut elsewhere = MoneyLab::new(Params { name: "elsewhere".to_owned(), ..money() });
    let foreign = elsewhere.pay("alice", "bob", 10, 1);
    let data = lab.bundle("miner", &[&foreign]);
    let detail = lab.refused("a1", &data, "id");
    assert!(detail.contains("another network"), "{detail}");
    let id = TransactionId::of(foreign.text(lab.params().network_id()));
    let renamed = Payment { id, ..fields(&foreign) }.into();
    let data = lab.bundle("miner", &[&renamed]);
    lab.refused("a1", &data, "signature");
}

#[test]
fn amounts_of_zero_or_above_the_maximum_are_refused() {
    let (mut lab, ..) = payment();
    for (amount, fee) in [(0, 1), (0, 0), (Amount::MAX.grains(), 1), (1, Amount::MAX.grains())] {
        let transaction = lab.pay("alice", "bob", amount, fee);
        let data = lab.bundle("miner", &[&transaction]);
        lab.refused("a1", &data, "amount");
    }
}

#[test]
fn an_address_without_a_key_is_refused_in_every_field() {
    let (mut lab, payment, data) = payment();
    let miner = lab.address("miner");
    let detail = lab.refused("a1", &with(&data, miner.as_str(), nobody().as_str()), "address");
    assert!(!detail.contains("of the bundle"), "the miner is no transaction: {detail}");
    let network = lab.params().network_id();
    for (from, to) in [(payment.as_payment().unwrap().from, nobody()), (nobody(), payment.as_payment().unwrap().to)] {
        let mut draft = lab.draft("alice", "bob", 10, 1);
        (draft.from, draft.to) = (from, to);
        let transaction = draft.sign(network, |_| payment.as_payment().unwrap().signature);
        let data = lab.bundle("miner", &[&transaction]);
        lab.refused("a1", &data, "address");
    }
    let mut draft = lab.draft("alice", "bob", 10, 1);
    draft.to = nobody();
    let rightly_signed = lab.sign("alice", draft);
    let data = lab.bundle("miner", &[&rightly_signed]);
    lab.refused("a1", &data, "address");
}

#[test]
fn the_number_of_transactions_in_a_block_is_limited() {
    let mut lab = MoneyLab::new(Params { max_transactions: 2, ..money() });
    lab.mine("a1", "genesis", "alice", &[]);
    lab.best("a1");
    let payments: Vec<_> = (0..3).map(|_| lab.pay("alice", "bob", 1, 0)).collect();
    let three = lab.bundle("miner", &payments.iter().collect::<Vec<_>>());
    let detail = lab.refused("a1", &three, "max-transactions");
    assert_eq!(detail, "3 transactions, at most 2 are allowed");
    lab.mine("a2", "a1", "miner", &[&payments[0], &payments[1]]);
    lab.best("a2");
}

#[test]
fn a_message_is_limited_and_has_no_control_characters() {
    let params = Params { max_msg_bytes: 4, ..money() };
    let mut lab = MoneyLab::new(params);
    lab.mine("a1", "genesis", "alice", &[]);
    lab.best("a1");
    let empty = lab.bundle("miner", &[]);
    let bad = ["12345", "ééé", "\u{0}", "\n", "\u{1f}", "\u{7f}", "\u{80}", "\u{9f}", "a\tb"];
    for msg in bad {
        let spelt = serde_json::to_string(msg).unwrap();
        let data = with(&empty, "\"msg\":\"\"", &format!("\"msg\":{spelt}"));
        lab.refused("a1", &data, "msg");
        let mut draft = lab.draft("alice", "bob", 1, 0);
        msg.clone_into(&mut draft.msg);
        let transaction = lab.sign("alice", draft);
        let data = lab.bundle("miner", &[&transaction]);
        let detail = lab.refused("a1", &data, "msg");
        assert!(detail.starts_with("transaction 0 of the bundle: "), "{detail}");
    }
    for (number, msg) in ["1234", "éé", "\u{20}", "\u{a0}", "\u{1f4b0}"].into_iter().enumerate() {
        let mut draft = lab.draft("alice", "bob", 1, 0);
        msg.clone_into(&mut draft.msg);
        let transaction = lab.sign("alice", draft);
        let data = lab.bundle("miner", &[&transaction]);
        let data = with(&data, "\"msg\":\"\"", &format!("\"msg\":\"{msg}\""));
        lab.mine_data(&format!("a{}", number + 2), &format!("a{}", number + 1), &data);
        lab.best(&format!("a{}", number + 2));
    }
}

#[test]
fn a_transaction_in_a_block_has_its_own_json() {
    let (_, payment, data) = payment();
    assert!(data.contains(&format!("\"transactions\":[{}]}}", json_of(&payment))), "{data}");
}

#[test]
fn reasons_are_short() {
    // An error quotes an unknown field, which may be as long as a block; reasons are stored and sent to others.
    let (lab, ..) = payment();
    let data = format!("{{\"{}\":1}}", "a".repeat(1500));
    let broken = lab.rules.read_data(&data).map(drop).unwrap_err();
    assert_eq!(broken.name(), "bundle");
    assert!(broken.to_string().len() < 500, "{broken}");
}
