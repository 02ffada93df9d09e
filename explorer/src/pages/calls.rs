//! Calls as the pages of blocks, transactions, addresses and programs show them.

use crate::functions;
use crate::view::{self, chip};
use maud::{Markup, html};
use shared::ledger::{AccountId, Address, CallKind, Payment, Transaction};
use shared::program::Word;
use std::sync::LazyLock;

/// What a transaction to a program does, for a list of what its sender did.
pub(super) fn sent(to: &Address) -> Markup {
    html! {
        @if *to == Address::nobody() { "made a program" } @else { "called the program " (view::program(to)) }
    }
}

/// Who a transaction is for.
pub(super) fn receiver(to: &Address) -> Markup {
    html! {
        @if to.is_key() { (view::address(to)) }
        @else if *to == Address::nobody() { "a new program" }
        @else { "program " (view::program(to)) }
    }
}

/// The message of a transaction; of a call, how long its data is.
pub(super) fn message(transaction: &Transaction) -> Markup {
    let is_deployment = transaction.call_kind() == Some(CallKind::Deploy);
    match transaction.as_payment().map(Payment::call) {
        Some(Ok(Some(call))) => html! {
            span.muted {
                @if is_deployment { "code: " } @else { "call: " }
                (view::bytes(call.input.len())) ", up to " (view::number(call.gas)) " gas"
            }
        },
        _ => view::sanitized(transaction.msg()),
    }
}

/// How a call ended, in a sentence's words.
pub(super) fn status(status: &str, reason: Option<&str>) -> Markup {
    html! {
        @if status == "succeeded" {
            span.good { "✓ succeeded" }
        } @else {
            span.bad { "✗ " (words_of(status)) }
            @if let Some(reason) = reason { ": " (view::sanitized(reason)) }
        }
    }
}

/// What a status means.
fn words_of(status: &str) -> String {
    let words = match status {
        "reverted" => "reverted: the program refused",
        "out-of-gas" => "used up its gas",
        "no-program" => "there is no program at this address",
        "max-balance" => "a balance would be too large",
        "invalid-instruction" => "met a byte that is no instruction",
        "invalid-jump" => "jumped to a place that is no JUMPDEST",
        "stack-underflow" => "took more from the stack than was there",
        "stack-overflow" => "put more than 1024 numbers onto the stack",
        "out-of-bounds" => "read beyond the end of the data",
        "address-taken" => "there is a program at that address already",
        "code-too-long" => "the code of the new program is too long",
        "read-only" => "wanted to change something in a call that may only read",
        "balance" => "wanted to pay more than the program has",
        "too-deep" => "too many calls inside of calls",
        // From a mempool that knows another reason.
        other => return view::short(other),
    };
    words.to_owned()
}

/// Gas used of what was declared.
pub(super) fn gas(used: u64, declared: u64) -> Markup {
    html! { (view::number(used)) " of " (view::number(declared)) }
}

/// Events and functions that many programs have, by signature.
const KNOWN: [&str; 20] = [
    "Transfer(address,address,uint256)",
    "Approval(address,address,uint256)",
    "transfer(address,uint256)",
    "transferFrom(address,address,uint256)",
    "approve(address,uint256)",
    "balanceOf(address)",
    "allowance(address,address)",
    "totalSupply()",
    "name()",
    "symbol()",
    "decimals()",
    "mint(address,uint256)",
    "deposit()",
    "withdraw()",
    "withdraw(uint256)",
    "bid()",
    "claim()",
    "increment()",
    "get()",
    "owner()",
];

/// The same with their hashes.
static HASHES: LazyLock<Vec<([u8; 32], &str)>> = LazyLock::new(|| {
    let hashed = KNOWN.into_iter().map(|signature| Some((functions::hash(signature)?, signature)));
    hashed.flatten().collect()
});

/// The well-known event whose hash a first topic is.
pub(super) fn event(topic: &Word) -> Option<&'static str> {
    HASHES.iter().find(|(hash, _)| *hash == topic.0).map(|(_, signature)| *signature)
}

/// The well-known function that a call's data names.
pub(super) fn function(input: &[u8]) -> Option<&'static str> {
    let selector = input.first_chunk::<4>()?;
    HASHES.iter().find(|(hash, _)| hash.starts_with(selector)).map(|(_, signature)| *signature)
}

/// A word as people may read it: the owner of an account, a small number, or its digits.
pub(super) fn word(word: &Word) -> Markup {
    /// Larger numbers are more likely hashes, or texts. At most 16.
    const MAX_NUMBER_BYTES: usize = 12;
    let bytes = word.significant_bytes();
    html! {
        @if bytes.len() <= MAX_NUMBER_BYTES {
            span.number-word title=(word) { (small_number(word)) }
        } @else if bytes.len() <= 20 {
            (account(&account_of(word)))
        } @else {
            code.hash { (word) }
        }
    }
}

/// The lower 128 bits.
fn small_number(word: &Word) -> u128 {
    word.0[16..].iter().fold(0, |number, byte| number << 8 | u128::from(*byte))
}

fn account_of(word: &Word) -> AccountId {
    let mut account = [0; 20];
    account.copy_from_slice(&word.0[12..]);
    AccountId(account)
}

/// An account: its owner's name where it is known, else its digits, with a link either way.
pub(super) fn account(of: &AccountId) -> Markup {
    let cast = view::cast();
    match cast.account(of) {
        Some((address, name)) => html! {
            a.who href={ "/address/" (address) } title=(of) {
                @if let Some(letter) = cast.miner_letter(&address) { (chip(letter)) " " }
                span.name { (name) } span.whole { (of) }
            }
        },
        None => html! { a.hash href={ "/program/" (of) } { (of) } },
    }
}
