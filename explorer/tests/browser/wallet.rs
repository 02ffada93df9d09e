//! The wallet in the browser: it is made, earns and pays, and shows its payment until it is confirmed.

use crate::lab::{LAB, Lab, key};
use shared::ledger::Address;
use shared::params::LayerName;
use testkit::browser::Tab;
use testkit::browser::browse;

/// Makes a wallet and returns its address.
pub(crate) async fn make(tab: &Tab, name: &str) -> Address {
    tab.go("/wallet").await;
    tab.wait("document.querySelector('#wallet-app')?.hidden === false").await;
    tab.fill("#wallet-name", name).await;
    tab.click("#wallet-new").await;
    tab.reads("#wallet-title", name).await;
    tab.text("#wallet-address").await.parse().unwrap()
}

/// Presses the button that mines, and waits until a block is found.
pub(crate) async fn mine(tab: &Tab) {
    tab.click("#earn-mine").await;
    tab.reads("#earn-status", "you found block").await;
}

/// Mines until the balance is this. On a network that mines as well, another miner's block may win.
pub(crate) async fn earn(tab: &Tab, balance: &str) {
    loop {
        mine(tab).await;
        let outcome = format!(
            "document.querySelector('#wallet-balance').innerText.includes('{balance}') ? 'earned' \
             : document.querySelector('#earn-status').innerText.includes('stale') ? 'lost' : ''"
        );
        tab.wait(&outcome).await;
        if tab.eval(&outcome).await == "earned" {
            return;
        }
    }
}

/// Fills in the form, and opens the preview.
pub(crate) async fn prepare(tab: &Tab, to: &str, amount: &str, message: &str) {
    tab.fill("#send-to", to).await;
    tab.fill("#send-amount", amount).await;
    tab.fill("#send-message", message).await;
    tab.click("#send-preview").await;
}

/// Waits until the last payment has this state.
pub(crate) async fn sent(tab: &Tab, state: &str) {
    tab.wait(&format!("document.querySelector('#send-status')?.dataset.state === '{state}'")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs chromium and chromedriver"]
async fn a_wallet_earns_pays_and_sees_it_confirmed() {
    let lab = Lab::quiet(LayerName::Transaction).await;
    let shop = key("a shop").address();
    browse(&lab.explorer, "wallet", async |tab| {
        let own = make(tab, "Mine").await;
        tab.reads("#wallet-balance", "0 LAB").await;
        lab.reward(0, own.as_str()).await;
        tab.reads("#wallet-balance", "50 LAB").await;
        tab.reads("#wallet-history", "Mined").await;

        let message = "<img src=x onerror=alert(1)>";
        prepare(tab, shop.as_str(), "12.5", message).await;
        tab.reads("#preview", "12.5 LAB").await;
        tab.reads("#preview-text", message).await;
        tab.click("#send-confirm").await;
        sent(tab, "pending").await;
        tab.reads("#send-words", "waits for a block").await;
        tab.reads("#wallet-history", message).await;
        lab.agree().await;
        lab.mine(1, 1).await;
        sent(tab, "confirmed").await;
        tab.reads("#send-words", "1 of 6").await;
        tab.reads("#wallet-balance", "37.49999 LAB").await;
        lab.agree().await;
        let mempool = lab.mempool.as_ref().unwrap();
        assert_eq!(crate::lab::client().balance(mempool, &shop, 1).await.unwrap(), 12 * LAB + LAB / 2);
        lab.mine(2, 5).await;
        tab.reads("#send-words", "as good as final").await;

        // The shop pays back, and the wallet is still there after the page was closed.
        lab.agree().await;
        let back = lab.pay("a shop", &own, LAB, 1000, "change \u{202e}esrever").await;
        lab.mine(3, 1).await;
        tab.go("/").await;
        tab.go("/wallet").await;
        assert_eq!(tab.text("#wallet-address").await, own.as_str());
        tab.reads("#wallet-balance", "38.49999 LAB").await;
        tab.go(&format!("/transaction/{}", back.id())).await;
        tab.reads("main", "change").await;
        assert!(!tab.text("main").await.contains('\u{202e}'), "a control character turns the text around");
        tab.go(&format!("/address/{own}")).await;
        tab.reads("main", "38.49999").await;
        tab.reads("main", message).await;

        // Writing of all peoples is shown as it is written, by the server's rule and by the browser's.
        let writing = "👩\u{200d}🚀 می\u{200c}خواهم क्\u{200d}ष e\u{301}";
        let thanks = lab.pay("a shop", &own, LAB, 1000, writing).await;
        tab.go("/wallet").await;
        tab.reads("#wallet-history", writing).await;
        tab.go(&format!("/transaction/{}", thanks.id())).await;
        tab.reads("main", writing).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs chromium and chromedriver"]
async fn a_browser_mines_what_it_pays_with() {
    let lab = Lab::quiet(LayerName::Transaction).await;
    browse(&lab.explorer, "earning", async |tab| {
        make(tab, "Mine").await;
        // The form for earning is open while the wallet is empty, and closed afterwards.
        tab.find("#wallet-earn[open] #earn-mine").await;
        tab.wait("document.querySelector('#earn-stop').hidden").await;
        mine(tab).await;
        tab.reads("#earn-status", "block 1: 50 LAB are yours").await;
        tab.reads("#earn-progress", "1,000 on average").await;
        tab.reads("#wallet-balance", "50 LAB").await;
        tab.reads("#wallet-history", "Mined").await;
        assert_eq!(lab.agree().await.index.0, 1);
        tab.go("/wallet").await;
        tab.reads("#wallet-balance", "50 LAB").await;
        tab.wait("document.querySelector('#wallet-earn').open === false").await;
        tab.click("#wallet-earn > summary").await;
        mine(tab).await;
        tab.reads("#wallet-balance", "100 LAB").await;
        tab.click("#earn-status a").await;
        tab.wait("location.pathname.startsWith('/block/')").await;
        tab.reads("#standing", "on the best chain").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs chromium and chromedriver"]
async fn a_miner_is_told_that_another_block_won() {
    let lab = Lab::quiet(LayerName::Transaction).await;
    browse(&lab.explorer, "outrun", async |tab| {
        make(tab, "Mine").await;
        lab.split().await;
        mine(tab).await;
        let halves = [0, 2];
        let indices = [lab.tip(0).await.index.0, lab.tip(2).await.index.0];
        lab.mine(halves[usize::from(indices[0] > indices[1])], 3).await;
        lab.heal().await;
        lab.agree().await;
        tab.reads("#earn-status", "another miner’s block 1 won").await;
        tab.reads("#wallet-balance", "0 LAB").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs chromium and chromedriver"]
async fn before_the_network_is_found_the_wallet_says_that_it_is_looking() {
    let lab = Lab::empty().await;
    browse(&lab.explorer, "early", async |tab| {
        make(tab, "Early").await;
        tab.reads("#wallet-pending", "looking for the network").await;
        tab.reads("#wallet-live", "no node answers").await;
        let asked = "performance.getEntriesByType('resource').filter(e => e.name.includes('/api/')).length";
        assert_eq!(tab.eval(asked).await, 0, "it sent requests although no service is known");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs chromium and chromedriver"]
async fn mining_follows_the_chain_and_can_be_stopped() {
    let lab = Lab::hard().await;
    browse(&lab.explorer, "stopping", async |tab| {
        make(tab, "Mine").await;
        tab.click("#earn-mine").await;
        tab.reads("#earn-status", "mining block 1").await;
        tab.reads("#earn-progress", "hashes tried").await;
        // Once the chain has grown, there is new work.
        let asked = "performance.getEntriesByType('resource').filter(e => e.name.includes('/api/work')).length";
        assert_eq!(tab.eval(asked).await, 1);
        tab.eval("document.querySelector('#wallet-tip').textContent = '1'").await;
        tab.wait(&format!("{asked} === 2")).await;
        println!("{}", tab.text("#earn-progress").await);
        tab.click("#earn-stop").await;
        tab.reads("#earn-status", "stopped").await;
        tab.find("#earn-mine").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs chromium and chromedriver"]
async fn a_wallet_says_what_is_wrong_before_it_signs() {
    let lab = Lab::quiet(LayerName::Transaction).await;
    let shop = key("a shop").address().to_string();
    browse(&lab.explorer, "wallet-mistakes", async |tab| {
        let own = make(tab, "Mine").await;
        lab.reward(0, own.as_str()).await;
        tab.reads("#wallet-balance", "50 LAB").await;
        let mistyped = shop.replacen("q", "p", 1);
        for (to, amount, message, field, words) in [
            ("alice", "1", "", "to", "lab1"),
            (mistyped.as_str(), "1", "", "to", "mistyped"),
            (&shop, "50", "", "amount", "holds 50 LAB"),
            (&shop, "0", "", "amount", "nothing would move"),
            (&shop, "1.000000001", "", "amount", ""),
            (&shop, "-1", "", "amount", ""),
            (&shop, "1", &"☃".repeat(86), "message", "258 bytes"),
        ] {
            prepare(tab, to, amount, message).await;
            let error = format!("#send-{field}-error");
            tab.wait(&format!("document.querySelector('{error}').hidden === false")).await;
            tab.reads(&error, words).await;
            assert_eq!(tab.eval("document.querySelector('#preview').hidden").await, true, "{to} {amount} {message}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs chromium and chromedriver"]
async fn a_browser_mines_no_faster_than_it_is_told() {
    let lab = Lab::quiet(LayerName::Transaction).await;
    browse(&lab.explorer, "fair-mining", async |tab| {
        tab.go("/wallet").await;
        // No hash is zero, so the search ends with its signal.
        let kept = "const [done] = arguments; \
             import('/assets/miner.js') \
               .then(({ search }) => search('0'.repeat(64), '0'.repeat(64), AbortSignal.timeout(600), () => {}, 2000)) \
               .then(({ tried, ms }) => done(tried > 0 && tried <= 2 * ms + 100 ? 'kept' : `${tried} in ${ms} ms`));";
        assert_eq!(tab.eval_later(kept).await, "kept");
    })
    .await;
}
