//! Random programs on our engine and on Ethereum's executable specification, at the rules of Osaka: how the run ended,
//! gas, the hash of the state after it, and every step must be the same.

use crate::harness::Outcome;
use crate::programs::{PROGRAMS, SENDER, program};
use crate::rows::TestState;
use engine::RevmEngine;
use revm::primitives::{Address, U256, hex, keccak256};
use serde_json::{Value, json};
use shared::program::{AccountId, Engine, EngineError, Environment, Message, Status, Step, Target, Tracer, Word};
use shared::program::{read_account, write_block_hash};
use shared::random::Random;
use shared::state::Overlay;
use std::io::{BufRead, BufReader, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How many programs a run compares.
const CASES: u64 = 4000;
/// When it stops before that. A slow machine compares fewer.
const MOST: Duration = Duration::from_secs(150);
const PYTHON: &str = "target/eels/bin/python";
const NONCE: u64 = 3;

pub(crate) fn run() -> Outcome {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let python = root.join(PYTHON);
    if !python.exists() {
        return Err(format!("there is no {PYTHON} with ethereum-execution; .ci/run installs it"));
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ethereum/specification.py");
    let mut specification =
        Command::new(python).arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut questions, mut lines) =
        (specification.stdin.take().unwrap(), BufReader::new(specification.stdout.take().unwrap()).lines());
    let seed = std::env::var("CHAINLAB_SEED").map_or(0, |seed| seed.parse().unwrap());
    let (began, mut counts) = (Instant::now(), Counts::default());
    for seed in (seed..).take(CASES as usize) {
        if began.elapsed() > MOST {
            break;
        }
        let case = Case::of(seed);
        writeln!(questions, "{}", case.to_json()).unwrap();
        let line = lines.next().unwrap_or_else(|| panic!("the specification ended at CHAINLAB_SEED={seed}")).unwrap();
        let (theirs, ours) = (serde_json::from_str(&line).unwrap(), case.run());
        counts.add(&ours);
        compare(seed, &ours, &theirs);
    }
    drop(questions);
    assert!(specification.wait().unwrap().success());
    counts.check()
}

/// How many runs ended in each way, so that a generator that makes only nonsense is noticed.
#[derive(Default)]
struct Counts {
    succeeded: usize,
    failed: usize,
    refused: usize,
    steps: usize,
}

impl Counts {
    fn add(&mut self, ours: &Value) {
        match ours["status"].as_str().unwrap() {
            "succeeded" => self.succeeded += 1,
            "failed" => self.failed += 1,
            _ => self.refused += 1,
        }
        self.steps += ours["steps"].as_array().map_or(0, Vec::len);
    }

    fn check(&self) -> Outcome {
        let Self { succeeded, failed, refused, steps } = self;
        let all = succeeded + failed + refused;
        assert!(succeeded * 5 > all && failed * 20 > all && *refused > 0, "{succeeded} {failed} {refused} of {all}");
        Ok(format!("{all} programs ({succeeded} succeeded, {failed} failed, {refused} refused), {steps} steps"))
    }
}

fn compare(seed: u64, ours: &Value, theirs: &Value) {
    let steps = |run: &Value| run["steps"].as_array().cloned().unwrap_or_default();
    let (our_steps, their_steps) = (steps(ours), steps(theirs));
    let different = our_steps.iter().zip(&their_steps).position(|(ours, theirs)| ours != theirs);
    let place = different.unwrap_or(our_steps.len().min(their_steps.len()));
    let steps = (our_steps.get(place), their_steps.get(place));
    assert!(steps == (None, None), "CHAINLAB_SEED={seed}: step {place} is (ours, specification) {steps:?}");
    for what in ["status", "gas", "root"] {
        let (ours, theirs) = (&ours[what], &theirs[what]);
        assert!(ours == theirs, "CHAINLAB_SEED={seed}: {what} is {ours}, by the specification {theirs}");
    }
}

struct Case {
    codes: Vec<Vec<u8>>,
    creates: bool,
    input: Vec<u8>,
    value: u64,
    gas: u64,
}

const ENVIRONMENT: Environment = Environment {
    number: 300,
    timestamp: 1_700_000_000,
    randomness: Word([7; 32]),
    miner: AccountId([3; 20]),
    gas_limit: 15_000_000,
    chain_id: 7,
};

impl Case {
    fn of(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let codes = PROGRAMS.iter().map(|_| program(&mut random)).collect();
        let creates = random.below(6) == 0;
        let input = if creates {
            program(&mut random)
        } else {
            (0..random.below(80)).map(|_| random.next_u64() as u8).collect()
        };
        let gas = if random.below(50) == 0 { 21_000 + random.below(2000) } else { 60_000 + random.below(100_000) };
        Self { codes, creates, input, value: random.below(3), gas }
    }

    fn to_json(&self) -> Value {
        let text = |bytes: &[u8]| hex::encode_prefixed(bytes);
        let mut accounts = json!({ text(&SENDER.0): account(1_000_000, NONCE, &[], json!({})) });
        for (id, code) in PROGRAMS.iter().zip(&self.codes) {
            accounts[text(&id.0)] = account(5, 1, code, json!({ "1": 2, "33": 7 }));
        }
        let Environment { number, timestamp, randomness, miner, gas_limit, chain_id } = ENVIRONMENT;
        json!({
            "accounts": accounts,
            "block": {
                "number": number, "timestamp": timestamp, "randomness": text(&randomness.0), "miner": text(&miner.0),
                "gas_limit": gas_limit, "chain_id": chain_id,
            },
            "message": {
                "nonce": NONCE, "gas": self.gas, "value": self.value, "data": text(&self.input),
                "to": if self.creates { String::new() } else { text(&PROGRAMS[0].0) },
            },
        })
    }

    fn state(&self) -> TestState {
        let mut state = TestState::default();
        state.put_account(SENDER, U256::from(1_000_000), NONCE, &[]);
        for (id, code) in PROGRAMS.iter().zip(&self.codes) {
            state.put_account(*id, U256::from(5), 1, code);
            state.put_slot(*id, U256::from(1), U256::from(2));
            state.put_slot(*id, U256::from(33), U256::from(7));
        }
        let mut overlay = Overlay::new(&state);
        for number in ENVIRONMENT.number - 256..ENVIRONMENT.number {
            write_block_hash(&mut overlay, number, &Word(keccak256(number.to_string()).0));
        }
        let writes = overlay.into_writes();
        state.0.extend(writes);
        state
    }

    fn run(&self) -> Value {
        let mut state = self.state();
        let made = Address::new(SENDER.0).create(NONCE);
        let target =
            if self.creates { Target::Create(AccountId(made.into_array())) } else { Target::Call(PROGRAMS[0]) };
        let message = Message { caller: SENDER, target, value: self.value, gas: self.gas, input: &self.input };
        let mut steps = Steps(Vec::new());
        let engine = RevmEngine::default();
        let ended = engine.trace(&message, &ENVIRONMENT, &state, &mut steps);
        assert_eq!(ended, engine.run(&message, &ENVIRONMENT, &state), "a traced run must end as one that is not");
        match ended {
            Ok(ended) => {
                state.apply(&ended.changes);
                let succeeded = ended.status == Status::Succeeded;
                if !succeeded {
                    // Ethereum counts a message that fails; whether we do is up to the layer.
                    let sender = read_account(&state, &SENDER).unwrap().unwrap();
                    state.put_account(SENDER, U256::from_be_bytes(sender.balance.0), sender.nonce + 1, &[]);
                }
                let status = if succeeded { "succeeded" } else { "failed" };
                json!({ "status": status, "gas": ended.gas_used, "root": state.root().to_string(), "steps": steps.0 })
            }
            Err(EngineError::Refused(_)) => json!({ "status": "refused" }),
            Err(failure) => panic!("our own failure: {failure}"),
        }
    }
}

fn account(balance: u64, nonce: u64, code: &[u8], storage: Value) -> Value {
    json!({ "balance": balance, "nonce": nonce, "code": hex::encode_prefixed(code), "storage": storage })
}

/// Writes steps as the script does.
struct Steps(Vec<String>);

impl Tracer for Steps {
    fn step(&mut self, step: &Step<'_>) -> ControlFlow<()> {
        let top = step.machine.stack(0).map(|top| format!("{:#x}", U256::from_be_bytes(top.0))).unwrap_or_default();
        let Step { pc, opcode, gas, depth, machine, .. } = step;
        self.0.push(format!("{pc} {opcode} {gas} {depth} {} {top}", machine.stack_length()));
        ControlFlow::Continue(())
    }
}
