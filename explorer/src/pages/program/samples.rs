//! A program, what it stores, and calls of it, for the tests of pages (tests only).

use super::{Attempt, CallForm, ProgramPage};
use crate::pages::samples::{self, address};
use runtime::client::ListPage;
use shared::block::Height;
use shared::layer::program::LogEntry;
use shared::ledger::{AccountId, Address, Amount, Payment, Transaction, TransactionId};
use shared::program::{HexBytes, Word};
use shared::wire::{CallResult, CallSummary, PlacedLogEntry, ProgramInfo, StorageSlot};

/// Adds 1 to its slot 0, and returns it.
pub(in crate::pages) const COUNTER: [u8; 14] =
    [0x5f, 0x54, 0x60, 0x01, 0x01, 0x80, 0x5f, 0x55, 0x5f, 0x52, 0x60, 0x20, 0x5f, 0xf3];

pub(in crate::pages) fn account() -> AccountId {
    AccountId([0x1f; 20])
}

/// alice calls the program.
pub(in crate::pages) fn call() -> Transaction {
    let to = Address::of_program(account());
    let payment = samples::payment(3, "").as_payment().unwrap().clone();
    Payment { to, msg: "call 50000 0xa9059cbb".to_owned(), ..payment }.into()
}

pub(in crate::pages) fn id() -> TransactionId {
    samples::payment(3, "").id()
}

pub(in crate::pages) fn program() -> ProgramInfo {
    ProgramInfo {
        address: Address::of_program(account()),
        account: account(),
        balance: Amount::new(50_000_000).unwrap_or(Amount::ZERO),
        code_bytes: COUNTER.len() as u64,
        code_hash: Word([0x77; 32]),
        maker: address("alice"),
        transaction: id(),
        index: Height(7),
    }
}

pub(in crate::pages) fn log() -> LogEntry {
    let transfer = Word(crate::functions::hash("Transfer(address,address,uint256)").unwrap_or_default());
    let mut owner = Word::ZERO;
    owner.0[12..].copy_from_slice(&address("bob").account().0);
    LogEntry {
        address: program().address,
        topics: vec![transfer, owner, Word([0xee; 32])],
        data: HexBytes(Word::from(500).0.to_vec()),
    }
}

pub(in crate::pages) fn summary() -> CallSummary {
    CallSummary {
        id: id(),
        from: address("alice"),
        program: program().address,
        is_deployment: false,
        amount: Amount::ZERO,
        status: "succeeded".to_owned(),
        reason: None,
        gas: 50_000,
        gas_used: 43_126,
        logs: 1,
        index: Height(8),
    }
}

pub(super) fn result(status: &str) -> CallResult {
    CallResult {
        status: status.to_owned(),
        reason: None,
        output: HexBytes(Word::from(3).0.to_vec()),
        gas_used: 26_000,
        logs: vec![log()],
    }
}

pub(super) fn page(form: CallForm, attempt: Option<Attempt>) -> ProgramPage {
    let failed = CallSummary { status: "reverted".to_owned(), reason: Some(samples::HOSTILE.to_owned()), ..summary() };
    ProgramPage {
        program: program(),
        code: HexBytes(COUNTER.to_vec()),
        storage: ListPage {
            entries: vec![StorageSlot { slot: Word::ZERO, value: Word::from(3) }],
            next: Some(Word::from(9).to_string()),
        },
        logs: ListPage {
            entries: vec![PlacedLogEntry { log: log(), transaction: id(), index: Height(8) }],
            next: Some("\"><script>".to_owned()),
        },
        calls: ListPage { entries: vec![summary(), failed], next: Some("8.0.0".to_owned()) },
        form,
        attempt,
        network: "193def".to_owned(),
    }
}
