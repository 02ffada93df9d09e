//! Transfers of a token on the engine over our rows, compared with the bare machine over its own maps in memory.

use crate::report::Row;
use ::engine::RevmEngine;
use anyhow::{Result, ensure};
use revm::bytecode::{Bytecode, opcode as op};
use revm::context::{Context, TxEnv};
use revm::database::CacheDB;
use revm::database_interface::EmptyDB;
use revm::primitives::hardfork::SpecId;
use revm::primitives::{Address, Bytes, TxKind, U256, keccak256};
use revm::state::AccountInfo;
use revm::{ExecuteCommitEvm, MainBuilder, MainContext};
use shared::program::{Account, AccountId, Changes, Engine, Environment, LiveRows, Message, Status, Target, Word};
use shared::state::{Overlay, State};
use shared::store::{MemoryStore, Store};
use std::collections::BTreeSet;
use std::time::Instant;

const HOLDERS: usize = 1000;
const TRANSFERS: usize = 20_000;
/// Transfers in one overlay, as in a block.
const BLOCK_TRANSFERS: usize = 200;
pub(super) const GAS: u64 = 100_000;
pub(super) const TOKEN: AccountId = AccountId([0x70; 20]);
pub(super) const ENVIRONMENT: Environment = Environment {
    number: 1,
    timestamp: 1,
    randomness: Word::ZERO,
    miner: AccountId([3; 20]),
    gas_limit: 1 << 30,
    chain_id: 1,
};

/// `transfer(address,uint256)` of an ERC-20 token: two balances and an event. Any selector will do.
#[rustfmt::skip]
pub(super) const TRANSFER: [u8; 69] = [
    // The caller's slot, and its balance; fails if that is less than the amount.
    op::CALLER, op::PUSH0, op::MSTORE, op::PUSH1, 64, op::PUSH0, op::KECCAK256, op::DUP1, op::SLOAD,
    op::PUSH1, 36, op::CALLDATALOAD, op::DUP1, op::DUP3, op::LT, op::PUSH1, 65, op::JUMPI,
    op::SWAP1, op::SUB, op::SWAP1, op::SSTORE,
    // The receiver's.
    op::PUSH1, 4, op::CALLDATALOAD, op::PUSH0, op::MSTORE, op::PUSH1, 64, op::PUSH0, op::KECCAK256, op::DUP1, op::SLOAD,
    op::PUSH1, 36, op::CALLDATALOAD, op::ADD, op::SWAP1, op::SSTORE,
    // The event, then `true`.
    op::PUSH1, 36, op::CALLDATALOAD, op::PUSH0, op::MSTORE,
    op::PUSH1, 4, op::CALLDATALOAD, op::CALLER, op::PUSH4, 0xdd, 0xf2, 0x52, 0xad, op::PUSH1, 32, op::PUSH0, op::LOG3,
    op::PUSH1, 1, op::PUSH0, op::MSTORE, op::PUSH1, 32, op::PUSH0, op::RETURN,
    op::JUMPDEST, op::PUSH0, op::PUSH0, op::REVERT,
];

pub(super) fn measure() -> Result<()> {
    let calls: Vec<_> = (0..TRANSFERS).map(|n| (holder(n), input(n))).collect();
    // Alternating; the best of three runs counts.
    let (mut ours, mut limit) = (0.0_f64, 0.0_f64);
    for _ in 0..3 {
        limit = limit.max(bare_rate(&calls)?);
        ours = ours.max(rate(&calls)?);
    }
    let what = "token transfers on the engine, one core".to_owned();
    println!("{}", Row { what, ours, limit, unit: "calls/s", goal: ">= 0.8".into() });
    println!("  the limit: revm alone over maps in memory, with the code analysed once");
    Ok(())
}

fn holder(n: usize) -> AccountId {
    let mut id = AccountId([1; 20]);
    id.0[12..].copy_from_slice(&((n % HOLDERS) as u64).to_be_bytes());
    id
}

/// One unit to another holder.
fn input(n: usize) -> Vec<u8> {
    input_to(holder(n * 7 + 1))
}

/// One unit to an account.
pub(super) fn input_to(to: AccountId) -> Vec<u8> {
    [&[0xa9, 0x05, 0x9c, 0xbb][..], &[0; 12], &to.0, &Word::from(1).0].concat()
}

pub(super) fn balance_slot(holder: AccountId) -> Word {
    Word(keccak256([&[0; 12][..], &holder.0, &[0; 32]].concat()).0)
}

fn rate(calls: &[(AccountId, Vec<u8>)]) -> Result<f64> {
    let mut state = State::stored_in(MemoryStore::default().snapshot()?, false);
    let mut first = Overlay::new(&state);
    before().apply(&mut first);
    let writes = first.into_writes();
    state.absorb(writes);
    let engine = RevmEngine::default();
    let start = Instant::now();
    for block in calls.chunks(BLOCK_TRANSFERS) {
        let mut overlay = Overlay::new(&state);
        let rows = LiveRows::new(&mut overlay);
        let mut machine = engine.machine(&ENVIRONMENT, &rows);
        for (caller, input) in block {
            let message = Message { caller: *caller, target: Target::Call(TOKEN), value: 0, gas: GAS, input };
            let ended = machine.run(&message)?;
            ensure!(ended.status == Status::Succeeded, "a transfer ended with {:?}", ended.status);
            rows.write(|state| ended.changes.apply(state));
        }
        drop(machine);
        let writes = overlay.into_writes();
        state.absorb(writes);
    }
    Ok(calls.len() as f64 / start.elapsed().as_secs_f64())
}

fn before() -> Changes {
    let code_hash = Word(keccak256(TRANSFER).0);
    let mut changes = Changes::default();
    changes.accounts.insert(TOKEN, Some(Account { code_hash: Some(code_hash), ..Account::default() }));
    changes.codes.insert(code_hash, TRANSFER.into());
    for n in 0..HOLDERS {
        changes.accounts.insert(holder(n), Some(Account { balance: Word::from(1), ..Account::default() }));
        changes.slots.insert((TOKEN, balance_slot(holder(n))), Word::from(1_000_000));
    }
    changes
}

pub(super) fn bare_rate(calls: &[(AccountId, Vec<u8>)]) -> Result<f64> {
    let mut rows = CacheDB::new(EmptyDB::default());
    let token = Address::new(TOKEN.0);
    let code = Bytecode::new_legacy(Bytes::from_static(&TRANSFER));
    rows.insert_account_info(token, AccountInfo::default().with_code(code));
    for caller in calls.iter().map(|(caller, _)| *caller).collect::<BTreeSet<_>>() {
        rows.insert_account_info(Address::new(caller.0), AccountInfo::from_balance(U256::from(1)));
        let slot = U256::from_be_bytes(balance_slot(caller).0);
        rows.insert_account_storage(token, slot, U256::from(1_000_000))?;
    }
    let mut machine = Context::mainnet()
        .with_db(rows)
        .modify_cfg_chained(|settings| {
            settings.set_spec_and_mainnet_gas_params(SpecId::OSAKA);
            settings.disable_nonce_check = true;
        })
        .build_mainnet();
    let start = Instant::now();
    for (caller, input) in calls {
        let call = TxEnv {
            caller: Address::new(caller.0),
            kind: TxKind::Call(token),
            data: Bytes::copy_from_slice(input),
            gas_limit: GAS,
            ..TxEnv::default()
        };
        let ended = machine.transact_commit(call)?;
        ensure!(ended.is_success(), "a bare transfer failed");
    }
    Ok(calls.len() as f64 / start.elapsed().as_secs_f64())
}
