//! Ethereum's published state tests at Cancun rules, over our rows.
//!
//! A case is an environment, accounts before, a transaction, and the hashes of the state and of the logs after it.
//! These are transactions of Ethereum, with a price for gas and a nonce, so they go through revm's own handler; what
//! they share with our engine is everything that reads and writes rows.

use crate::harness::Outcome;
use crate::json::{address, bytes, hash, number, small};
use crate::rows::TestState;
use alloy_rlp::Encodable;
use engine::rows::{Rows, changes};
use revm::context::result::EVMError;
use revm::context::transaction::{AccessList, AccessListItem};
use revm::context::{BlockEnv, CfgEnv, Context, Journal, TxEnv};
use revm::primitives::eip4844::BLOB_BASE_FEE_UPDATE_FRACTION_CANCUN;
use revm::primitives::hardfork::SpecId;
use revm::primitives::{Log, TxKind, U256, keccak256};
use revm::{ExecuteEvm, MainBuilder};
use serde_json::Value;
use shared::program::{AccountId, Word, write_block_hash};
use shared::state::Overlay;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Cases that pass of the collection beside the checkout. Raise it when more pass; fewer are a failure.
const PASSING: usize = 14_745;
/// The same of the slow files.
const PASSING_SLOW: usize = 4;
/// Files that take ten times as long as all others together: loops of a hundred million rounds.
const SLOW: [&str; 2] = ["CALLBlake2f_MaxRounds.json", "loopMul.json"];

/// Tests that may fail, by the beginning of their names, and why (EIP-7610, which later specifications dropped).
const EXCEPTIONS: [(&str, &str); 2] =
    [("RevertInCreateInInitCreate2Paris", STORAGE_ALONE), ("dynamicAccountOverwriteEmpty_Paris", STORAGE_ALONE)];
const STORAGE_ALONE: &str = "a program is made where storage is, but neither code nor nonce, which cannot come about";

const FORK: &str = "Cancun";
const ARCHIVE: &str = "../shared/ethereum-tests/GeneralStateTests.tar.xz";
const VARIABLE: &str = "CHAINLAB_STATE_TESTS";

/// All files but those that take most of the time.
pub(crate) fn run() -> Outcome {
    run_files(PASSING, |name| !SLOW.contains(&name))
}

/// Those files.
pub(crate) fn run_slow() -> Outcome {
    run_files(PASSING_SLOW, |name| SLOW.contains(&name))
}

fn run_files(least: usize, is_wanted: impl Fn(&str) -> bool) -> Outcome {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let chosen = std::env::var_os(VARIABLE).map(PathBuf::from);
    let path = chosen.clone().unwrap_or_else(|| root.join(ARCHIVE));
    if chosen.is_none() && !path.exists() {
        return Err(format!("there is no {ARCHIVE}; {VARIABLE}=<archive or folder> names another collection"));
    }
    let (passed, excepted, failed) = collection(&path, is_wanted);
    println!("{passed} cases at {FORK} rules passed, {excepted} known exceptions, {} failed", failed.len());
    failed.iter().take(20).for_each(|failure| println!("  {failure}"));
    assert!(failed.is_empty(), "{} state tests failed", failed.len());
    if chosen.is_none() {
        assert!(passed >= least, "{passed} cases passed; {least} must: has a test been lost?");
    }
    Ok(format!("{passed} cases passed"))
}

/// How many cases passed, how many were excepted, and which failed.
fn collection(path: &Path, is_wanted: impl Fn(&str) -> bool) -> (usize, usize, Vec<String>) {
    let unpacked = tempfile::tempdir().unwrap();
    let folder = if path.is_dir() {
        path
    } else {
        let mut tar = Command::new("tar");
        let status = tar.arg("-xf").arg(path).arg("-C").arg(unpacked.path()).status().unwrap();
        assert!(status.success(), "{} cannot be unpacked: are tar and xz installed?", path.display());
        unpacked.path()
    };
    let mut files = Vec::new();
    json_files(folder, &mut files);
    files.retain(|file| is_wanted(&file.file_name().unwrap().to_string_lossy()));
    files.sort();
    let (mut passed, mut excepted, mut failed) = (0, 0, Vec::new());
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let tests: Value = serde_json::from_str(&text).unwrap();
        for (name, test) in tests.as_object().into_iter().flatten() {
            for post in test["post"][FORK].as_array().into_iter().flatten() {
                match check(test, post) {
                    Ok(()) => passed += 1,
                    Err(_) if EXCEPTIONS.iter().any(|(start, _)| name.starts_with(start)) => excepted += 1,
                    Err(why) => failed.push(format!("{name} {}: {why}", post["indexes"])),
                }
            }
        }
    }
    (passed, excepted, failed)
}

fn json_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            json_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "json") {
            found.push(path);
        }
    }
}

fn check(test: &Value, post: &Value) -> Result<(), String> {
    let mut state = before(test);
    let must_fail = post.get("expectException").is_some();
    let logs = match transaction(test, post) {
        Some(transaction) => execute(&mut state, test, transaction)?,
        None => None,
    };
    match (&logs, must_fail) {
        (None, false) => return Err("the transaction was refused".to_owned()),
        (Some(_), true) => return Err(format!("the transaction was taken, expected {}", post["expectException"])),
        _ => {}
    }
    let (root, logs) = (state.root(), keccak256(encoded(logs.unwrap_or_default())));
    if root != hash(&post["hash"]) {
        return Err(format!("the state is {root}, expected {}", post["hash"]));
    }
    if logs != hash(&post["logs"]) {
        return Err(format!("the logs are {logs}, expected {}", post["logs"]));
    }
    Ok(())
}

fn encoded(logs: Vec<Log>) -> Vec<u8> {
    let mut out = Vec::new();
    logs.encode(&mut out);
    out
}

fn before(test: &Value) -> TestState {
    let mut state = TestState::default();
    for (id, account) in test["pre"].as_object().unwrap() {
        let id = AccountId(address(&Value::from(id.as_str())).into_array());
        let (balance, nonce) = (number(&account["balance"]).unwrap(), small(&account["nonce"]).unwrap());
        state.put_account(id, balance, nonce, &bytes(&account["code"]));
        for (slot, value) in account["storage"].as_object().unwrap() {
            let slot = number(&Value::from(slot.as_str())).unwrap();
            state.put_slot(id, slot, number(value).unwrap());
        }
    }
    // The tests give block n the hash of its number in decimal.
    let height: u64 = small(&test["env"]["currentNumber"]).unwrap();
    let mut overlay = Overlay::new(&state);
    for number in height.saturating_sub(256)..height {
        write_block_hash(&mut overlay, number, &Word(keccak256(number.to_string()).0));
    }
    let writes = overlay.into_writes();
    state.0.extend(writes);
    state
}

/// The case's transaction; `None` if it has a number that no transaction can hold.
fn transaction(test: &Value, post: &Value) -> Option<TxEnv> {
    let transaction = &test["transaction"];
    let index = |name: &str| post["indexes"][name].as_u64().unwrap() as usize;
    let access_list = transaction.get("accessLists").map(|lists| &lists[index("data")]).filter(|list| !list.is_null());
    let blobs = transaction.get("blobVersionedHashes");
    let max_fee = transaction.get("maxFeePerGas");
    let tx_type = match (blobs, max_fee, access_list) {
        (Some(_), ..) => 3,
        (None, Some(_), _) => 2,
        (None, None, Some(_)) => 1,
        (None, None, None) => 0,
    };
    let to = &transaction["to"];
    Some(TxEnv {
        tx_type,
        caller: address(&transaction["sender"]),
        gas_limit: small(&transaction["gasLimit"][index("gas")])?,
        gas_price: small(max_fee.unwrap_or(&transaction["gasPrice"]))?,
        kind: if to == "" { TxKind::Create } else { TxKind::Call(address(to)) },
        value: number(&transaction["value"][index("value")])?,
        data: bytes(&transaction["data"][index("data")]),
        nonce: small(&transaction["nonce"])?,
        chain_id: Some(1),
        access_list: access_list.map(parse_access_list).unwrap_or_default(),
        gas_priority_fee: match transaction.get("maxPriorityFeePerGas") {
            Some(fee) => Some(small(fee)?),
            None => None,
        },
        blob_hashes: blobs.and_then(Value::as_array).into_iter().flatten().map(hash).collect(),
        max_fee_per_blob_gas: transaction.get("maxFeePerBlobGas").map_or(Some(0), small)?,
        authorization_list: Vec::new(),
    })
}

fn parse_access_list(list: &Value) -> AccessList {
    let items = list.as_array().unwrap().iter().map(|item| AccessListItem {
        address: address(&item["address"]),
        storage_keys: item["storageKeys"].as_array().unwrap().iter().map(hash).collect(),
    });
    AccessList(items.collect())
}

/// Runs a transaction and writes what it changes; its logs, or `None` if it cannot be in a block.
fn execute(state: &mut TestState, test: &Value, transaction: TxEnv) -> Result<Option<Vec<Log>>, String> {
    let env = &test["env"];
    let mut block = BlockEnv {
        number: number(&env["currentNumber"]).unwrap(),
        beneficiary: address(&env["currentCoinbase"]),
        timestamp: number(&env["currentTimestamp"]).unwrap(),
        gas_limit: small(&env["currentGasLimit"]).unwrap_or(u64::MAX),
        basefee: env.get("currentBaseFee").and_then(small).unwrap_or_default(),
        difficulty: U256::ZERO,
        prevrandao: Some(env.get("currentRandom").map(hash).unwrap_or_default()),
        ..BlockEnv::default()
    };
    let excess = env.get("currentExcessBlobGas").and_then(small).unwrap_or_default();
    block.set_blob_excess_gas_and_price(excess, BLOB_BASE_FEE_UPDATE_FRACTION_CANCUN);
    let mut settings = CfgEnv::new_with_spec(SpecId::CANCUN);
    settings.set_max_blobs_per_tx(6);
    let (result, after) = {
        type TestContext<'a> = Context<BlockEnv, TxEnv, CfgEnv, Rows<'a>, Journal<Rows<'a>>, ()>;
        let mut context = TestContext::new(Rows::new(state), SpecId::CANCUN);
        (context.block, context.cfg) = (block, settings);
        match context.build_mainnet().transact(transaction) {
            Ok(ended) => (ended.result, changes(ended.state)),
            Err(EVMError::Transaction(_)) => return Ok(None),
            Err(failure) => return Err(failure.to_string()),
        }
    };
    state.apply(&after);
    Ok(Some(result.into_logs()))
}
