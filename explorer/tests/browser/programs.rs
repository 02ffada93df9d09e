//! Programs in the browser: made and called with a wallet, robbed and repaired, and looked at step by step.

use crate::lab::{LAB, Lab, client};
use crate::wallet::make;
use shared::ledger::Address;
use shared::params::LayerName;
use testkit::browser::Tab;
use testkit::browser::browse;

/// Makes a program of the exercises with the wallet; returns its account.
async fn make_program(lab: &Lab, tab: &Tab, id: &str) -> String {
    tab.go("/learn/programs").await;
    tab.wait(&format!("document.querySelector('#make-{id}')?.hidden === false")).await;
    tab.click(&format!("details:has(#make-{id}) > summary")).await;
    tab.click(&format!("#make-{id} button")).await;
    confirm(lab, tab, &format!("#make-{id} [role=status]")).await;
    let link = format!("document.querySelector('#make-{id} [role=status] a[href*=\"/program/\"]').title");
    tab.eval(&link).await.as_str().unwrap().to_owned()
}

/// Calls a program on its page: tries the call, then signs it.
async fn call(lab: &Lab, tab: &Tab, program: &str, function: &str, argument: &str, amount: &str) {
    tab.go(&format!("/program/{program}")).await;
    tab.wait("document.querySelector('#call-form [name=from]').value !== ''").await;
    tab.fill("#call-form [name=function]", function).await;
    tab.fill("#call-form [name=arguments]", argument).await;
    tab.fill("#call-form [name=amount]", amount).await;
    tab.click("#call-form button").await;
    tab.reads("#call-result", "succeeded").await;
    tab.wait("document.querySelector('#call-sign')?.hidden === false").await;
    tab.click("#call-send").await;
    confirm(lab, tab, "#call-status").await;
}

/// Mines until the status says that the transaction is in a block.
async fn confirm(lab: &Lab, tab: &Tab, status: &str) {
    tab.wait(&format!("['pending', 'confirmed'].includes(document.querySelector('{status}').dataset.state)")).await;
    let state = format!("document.querySelector('{status}').dataset.state === 'confirmed'");
    testkit::until("the transaction is in a block", async || {
        lab.mine(0, 1).await;
        lab.agree().await;
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        (tab.eval(&state).await == true).then_some(())
    })
    .await;
    tab.reads(status, "in block").await;
}

async fn balance(lab: &Lab, account: &str) -> u64 {
    let program = Address::of_program(account.parse().unwrap());
    client().balance(lab.mempool.as_ref().unwrap(), &program, 1).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs chromium and chromedriver"]
async fn a_bank_is_robbed_and_then_repaired() {
    let lab = Lab::quiet(LayerName::Program).await;
    browse(&lab.explorer, "robbery", async |tab| {
        let own = make(tab, "Mine").await;
        lab.reward(0, own.as_str()).await;
        tab.reads("#wallet-balance", "50 LAB").await;
        lab.agree().await;
        let thief = make_program(&lab, tab, "thief").await;
        for (bank, left) in [("bank", 0), ("bank-repaired", 5 * LAB)] {
            let bank = make_program(&lab, tab, bank).await;
            call(&lab, tab, &bank, "", "", "5").await;
            assert_eq!(balance(&lab, &bank).await, 5 * LAB);
            call(&lab, tab, &thief, "attack(address)", &bank, "1").await;
            assert_eq!(balance(&lab, &bank).await, left, "what the thief left in the bank");
        }
        // Each step of the attack is a page, and the arrow keys turn them.
        tab.go(&format!("/program/{thief}")).await;
        tab.click("section[aria-labelledby=calls] tbody tr:last-child a[href*=transaction]").await;
        tab.go(&format!("/program/{thief}")).await;
        tab.click("section[aria-labelledby=calls] tbody tr a[href*=transaction]").await;
        tab.click("a[href$='/trace']").await;
        tab.reads(".step-place", "Step 1 of").await;
        tab.eval("document.body.dispatchEvent(new KeyboardEvent('keydown', {key: 'ArrowRight', bubbles: true}))").await;
        tab.reads(".step-place", "Step 2 of").await;
        tab.resize(390, 844).await;
        tab.fits().await;
        tab.picture("step-phone").await;
        tab.resize(1280, 720).await;
        tab.fits().await;
        tab.picture("step-wide").await;
        for path in [format!("/program/{thief}"), "/learn/programs".to_owned(), "/learn/machine".to_owned()] {
            tab.go(&path).await;
            crate::tour::is_accessible(tab, &path).await;
            tab.resize(390, 844).await;
            tab.fits().await;
            tab.picture(&format!("{}-phone", path.rsplit('/').next().unwrap())).await;
            tab.resize(1280, 720).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs chromium and chromedriver"]
async fn a_few_instructions_are_edited_run_and_stepped_through() {
    let lab = Lab::quiet(LayerName::Program).await;
    browse(&lab.explorer, "machine", async |tab| {
        tab.go("/learn/machine").await;
        tab.reads("#machine-result", "succeeded").await;
        tab.fill("#machine textarea", "PUSH 2 PUSH 5 MUL STOP").await;
        tab.click("#machine button").await;
        tab.reads(".step-name", "PUSH1").await;
        for name in ["PUSH1", "MUL", "STOP"] {
            tab.click(".step-links a[rel=next]").await;
            tab.reads(".step-name", name).await;
        }
        tab.reads(".step-stack", "10").await;
        tab.fill("#machine textarea", "PUSH 2\nNONSENSE").await;
        tab.click("#machine button").await;
        tab.reads("#machine-result", "line 2: NONSENSE is no instruction").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs chromium and chromedriver"]
async fn long_values_of_the_storage_are_whole_at_every_width_and_the_search_finds_the_account() {
    let lab = Lab::quiet(LayerName::Program).await;
    browse(&lab.explorer, "storage", async |tab| {
        lab.mine(0, 1).await;
        lab.agree().await;
        let (slot, value) = ("ab".repeat(32), "cd".repeat(32));
        let keeper = lab.deploy("miner 0", &format!("PUSH32 0x{value} PUSH32 0x{slot} SSTORE STOP"), 0).await;
        lab.confirm(&lab.send("miner 0", &keeper, 0, "call 100000 0x").await).await;
        let account = keeper.account().to_string();
        for typed in [&account, &account[2..]] {
            tab.go(&format!("/search?q={typed}")).await;
            tab.reads("h1", &format!("program {}…", &account[..8])).await;
        }
        for width in [390, 1280] {
            tab.resize(width, 844).await;
            tab.go(&format!("/program/{keeper}")).await;
            tab.reads(".slots", &value).await;
            tab.fits().await;
            let is_whole = "(e => e.scrollWidth <= e.clientWidth)(document.querySelector('.slots'))";
            assert_eq!(tab.eval(is_whole).await, true, "{width}");
        }
        tab.go("/programs").await;
        tab.reads("#programs", keeper.as_str()).await;
        tab.reads("#programs", &account[..8]).await;
        tab.go("/").await;
        // Both may be of one second, whose line has them folded.
        tab.eval("document.querySelectorAll('#events details').forEach(one => { one.open = true; })").await;
        tab.reads("#events", &format!("calls program {}…", &account[..8])).await;
        tab.reads("#events", "deploys a program").await;
    })
    .await;
}
