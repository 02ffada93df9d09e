//! Exercises with programs that stay on the running network: what instructions cost, a bank that can be robbed and then
//! repaired, and a lottery whose number is known before one plays. `assets/program-call.js` makes the programs with a
//! wallet of the browser; without scripts the page has the commands.

use super::errors;
use crate::state::ExplorerState;
use crate::view::{self, Page};
use maud::{Markup, html};
use runtime::server::{Request, Response};
use shared::ledger::Address;
use shared::program::{HexBytes, assemble, instruction_name};
use shared::wire::{Problem, RunRequest, Trace};
use std::sync::Arc;

/// Gas that is enough to make any of these programs.
const DEPLOY_GAS: u64 = 400_000;

/// A program to be made, and what goes with it.
struct Exhibit {
    id: &'static str,
    title: &'static str,
    assembly: &'static str,
    /// LAB that it is given.
    endowment: &'static str,
}

macro_rules! exhibit {
    ($id:literal, $title:literal, $endowment:literal) => {
        Exhibit {
            id: $id,
            title: $title,
            assembly: include_str!(concat!("../../programs/", $id, ".asm")),
            endowment: $endowment,
        }
    };
}

const BANK: Exhibit = exhibit!("bank", "The bank", "0");
const THIEF: Exhibit = exhibit!("thief", "The thief", "0");
const REPAIRED_BANK: Exhibit = exhibit!("bank-repaired", "The repaired bank", "0");
const LOTTERY: Exhibit = exhibit!("lottery", "The lottery", "5");
const GAMBLER: Exhibit = exhibit!("gambler", "The gambler", "0");
const REPAIRED_LOTTERY: Exhibit = exhibit!("lottery-repaired", "The repaired lottery", "5");

/// What the table of costs runs: each instruction once.
const COSTS: &str = "
    PUSH 2 PUSH 3 ADD PUSH 5 MUL POP
    PUSH 32 PUSH0 KECCAK256 POP
    PUSH0 SLOAD POP PUSH0 SLOAD POP
    PUSH 1 PUSH0 SSTORE PUSH 2 PUSH0 SSTORE
    PUSH0 PUSH0 LOG0
    STOP";
/// The rows of that table: the step in [`COSTS`], and what to say about it.
const COST_ROWS: [(usize, &str); 9] = [
    (0, "a number onto the stack"),
    (2, "a sum"),
    (4, "a product"),
    (8, "the hash of 32 bytes"),
    (11, "the storage, a slot for the first time"),
    (14, "the same slot again: it is at hand now"),
    (18, "a slot that was 0 gets a value: everybody has to keep it"),
    (21, "the same slot changes again"),
    (24, "an empty line in the log"),
];

pub(crate) async fn page(explorer: Arc<ExplorerState>, _: Request) -> Result<Response, Problem> {
    if !explorer.params.layer.has_programs() {
        return Ok(errors::no_programs("Programs to break", "/learn", explorer.params.layer));
    }
    let code = assemble(COSTS).unwrap_or_default();
    let request = RunRequest { code: HexBytes(code), data: HexBytes::default(), gas: Some(200_000) };
    let costs = explorer.upstream.mempool(async move |client, mempool| client.run_code(mempool, &request).await).await;
    let main = render(costs.ok().as_ref(), &explorer.network_id.to_string());
    Ok(Page { title: "Programs to break", place: "/learn", scripts: &["program-call.js"], main }.response())
}

fn render(costs: Option<&Trace>, network: &str) -> Markup {
    html! {
        link rel="stylesheet" href=(crate::assets::path("programs.css"));
        h1 { "Programs to break" }
        p { "These programs stay on this network once you have made them. Each has a fault that can be used, and a \
            repaired twin. You need a " a href="/wallet" { "wallet" } " in this browser with a few LAB, or the \
            program " code { "user" } ". To see a few instructions run first, go to "
            a href="/learn/machine" { "the machine" } "." }
        p.card.no-wallet hidden { "There is no wallet in this browser yet: make one on the page "
            a href="/wallet" { "Wallet" } " and mine a block for it there." }
        (cost(costs))
        (robbery(network))
        (luck(network))
    }
}

fn cost(costs: Option<&Trace>) -> Markup {
    html! {
        section #learn-cost aria-labelledby="cost-title" {
            h2 #cost-title { "1. What a call costs" }
            p { "Every node runs every call, so work is counted. A transaction declares how much gas it may use, and \
                a block has room for a certain sum. Before its first instruction a call costs 21,000, and more for \
                each byte of its data. The fee is not tied to gas here: you choose it, and miners take what pays best \
                for the room that it takes." }
            @if let Some(trace) = costs {
                div.table tabindex="0" role="region" aria-label="What instructions cost" { table {
                    caption { "Measured by this network just now" }
                    thead { tr { th scope="col" { "Instruction" } th scope="col" { "What for" }
                        th.number scope="col" { "Gas" } } }
                    tbody { @for (place, words) in COST_ROWS {
                        @if let [step, next, ..] = trace.steps.get(place..).unwrap_or_default() {
                            tr {
                                th scope="row" { (instruction_name(step.opcode).unwrap_or("?")) }
                                td { (words) }
                                td.number { (view::number(step.gas.saturating_sub(next.gas))) }
                            }
                        }
                    } }
                } }
            } @else {
                p.muted { "No mempool answers, so nothing can be measured at the moment." }
            }
            p { strong { "Try: " } "open a call on the page of a program, and go through it step by step. Which of its \
                steps costs most?" }
        }
    }
}

fn robbery(network: &str) -> Markup {
    html! {
        section #learn-reentrancy aria-labelledby="reentrancy-title" {
            h2 #reentrancy-title { "2. A bank that can be robbed" }
            p { "The bank keeps a deposit for each caller: a call with money deposits it, a call without money takes \
                it back. It pays first and forgets the deposit afterwards. But a receiver may be a program, which runs \
                when it is paid, and can call the bank again before the bank has forgotten. This is called \
                re-entrancy; in 2016 it took 3.6 million ether from one fund." }
            ol {
                li { "Make the bank, and let somebody deposit: call it with an amount of 5 LAB and no data." }
                li { "Make the thief. Call it with the function " code { "attack(address)" } ", the bank's account as \
                    the argument, and an amount of 1 LAB." }
                li { "Look at the receipt: who lost and who gained? Go through the steps: how deep do the calls go, \
                    and when does the bank write its slot?" }
                li { "Make the repaired bank, deposit, and attack it in the same way. The thief gets back what it \
                    brought, and no more. What is different? One line moved." }
            }
            (exhibit(&BANK, network)) (exhibit(&THIEF, network)) (exhibit(&REPAIRED_BANK, network))
        }
    }
}

fn luck(network: &str) -> Markup {
    html! {
        section #learn-prevrandao aria-labelledby="prevrandao-title" {
            h2 #prevrandao-title { "3. The miner chooses PREVRANDAO" }
            p { "Programs have no dice. The instruction " code { "PREVRANDAO" } " gives the hash of the parent block, \
                which looks random. But it is known before the call runs, so a program can look at it and play only if \
                it wins. And its miner found it: a miner who does not like a hash throws the block away and looks for \
                another one. That costs the reward of a block, so it pays if more than that is at stake." }
            ol {
                li { "Make the lottery; 5 LAB of yours are its prize money. Call it with 1 LAB and no data: you win in \
                    one half of the blocks." }
                li { "Make the gambler. Call it with the function " code { "play(address)" } ", the lottery's account \
                    as the argument, and 1 LAB, several times. It never loses: if the number is odd, your stake comes \
                    back." }
                li { "Make the repaired lottery. A bet counts when you settle it in a later block, and the hash of the \
                    bet's own block decides. The gambler cannot know it. Can a miner still cheat? Yes, by throwing \
                    away the block with the bet. So a stake should be worth less than a block's reward." }
            }
            (exhibit(&LOTTERY, network)) (exhibit(&GAMBLER, network)) (exhibit(&REPAIRED_LOTTERY, network))
        }
    }
}

/// The program, and the form that makes it.
fn exhibit(Exhibit { id, title, assembly, endowment }: &Exhibit, network: &str) -> Markup {
    let code = init_code(assembly);
    html! {
        details.card.exhibit {
            summary { h3 { (title) } }
            pre tabindex="0" { (assembly) }
            form #{ "make-" (id) } .call-form hidden data-network=(network) data-to=(Address::nobody())
                data-kind="deploy" data-data=(code) {
                label { "Wallet of this browser" select #{ (id) "-wallet" } {} }
                label { "Gas, at most" input #{ (id) "-gas" } type="number" min="21000" max="16777216"
                    value=(DEPLOY_GAS); }
                label { "LAB that it is given" input #{ (id) "-amount" } value=(endowment) inputmode="decimal"
                    autocomplete="off"; }
                label { "Fee in LAB, for the miner" input #{ (id) "-fee" } value="0.0001" inputmode="decimal"
                    autocomplete="off"; }
                p { button { "Make " (title.to_lowercase()) } }
                p role="status" {}
            }
            p { "By command, with the init code as hex in a file:" }
            (view::copyable(&format!("echo {code} > {id}.hex\nuser deploy {id}.hex --amount {endowment} -s YOUR-SEED")))
        }
    }
}

/// Code that makes a program of this assembly; the longest of them has less than 256 bytes.
fn init_code(assembly: &str) -> HexBytes {
    let code = assemble(assembly).unwrap_or_default();
    let length = u8::try_from(code.len()).unwrap_or(u8::MAX);
    // PUSH1 length, DUP1, PUSH1 9, PUSH0, CODECOPY, PUSH0, RETURN, and the code.
    HexBytes([&[0x60, length, 0x80, 0x60, 9, 0x5f, 0x39, 0x5f, 0xf3][..], &code].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::snapshot;

    #[test]
    fn the_page_is_as_reviewed() {
        snapshot("exercises", &render(None, "193def"));
    }

    #[test]
    fn all_programs_are_short_code() {
        for Exhibit { id, assembly, .. } in [BANK, THIEF, REPAIRED_BANK, LOTTERY, GAMBLER, REPAIRED_LOTTERY] {
            let code = assemble(assembly).unwrap_or_else(|error| panic!("{id}: {error}"));
            assert!((1..256).contains(&code.len()), "{id}: {}", code.len());
        }
    }

    #[test]
    fn the_rows_of_costs_are_the_instructions_that_they_name() {
        let code = shared::program::disassemble(&assemble(COSTS).unwrap());
        let names = COST_ROWS.map(|(place, _)| instruction_name(code[place].byte).unwrap());
        let expected = ["PUSH1", "ADD", "MUL", "KECCAK256", "SLOAD", "SLOAD", "SSTORE", "SSTORE", "LOG0"];
        assert_eq!(names, expected);
    }
}
