//! The first page as people use it: names, the keyboard, a lecture, a phone, a dead connection, and what it costs.

use crate::lab::{LAB, Lab, key};
use crate::proxy::{HostHeader, Proxy};
use crate::wallet;
use shared::params::LayerName;
use testkit::browser::{Tab, browse};
use testkit::until;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs chromium and chromedriver"]
async fn people_and_nodes_are_shown_by_name_and_addresses_by_a_switch() {
    let lab = Lab::quiet(LayerName::Transaction).await;
    browse(&lab.explorer, "names", async |tab| {
        lab.mine(0, 1).await;
        lab.agree().await;
        lab.pay("miner 0", &key("miner 1").address(), LAB, 1000, "for lunch").await;
        tab.go("/").await;
        tab.reads("#people", "ada").await;
        tab.reads("#events", "ada paid ben 1.00").await;
        let text = tab.text("main").await;
        assert!(!text.contains("lab1") && !text.contains(&lab.nodes[0]), "{text}");
        tab.click("#show-addresses").await;
        tab.reads("#people", "lab1q").await;
        // The browser remembers it on other pages.
        tab.go("/blocks").await;
        tab.reads("main", "lab1q").await;
        tab.click("#show-addresses").await;
        tab.reads("main", "ada").await;
        tab.go(&format!("/node/{}", lab.nodes[1])).await;
        tab.reads("h1", "node b (ben)").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs chromium and chromedriver"]
async fn a_wallets_owner_signs_a_name_in_is_paid_by_it_and_takes_it_back() {
    let lab = Lab::quiet(LayerName::Transaction).await;
    browse(&lab.explorer, "signed-name", async |tab| {
        let own = wallet::make(tab, "Mine").await;
        tab.click("#wallet-naming summary").await;
        tab.fill("#name-text", "lab1q").await;
        tab.click("#name-sign").await;
        tab.reads("#name-text-error", "address").await;
        tab.forget_refusals(422).await;
        tab.fill("#name-text", "Ada").await;
        tab.click("#name-sign").await;
        tab.reads("#name-text-error", "somebody else has this name").await;
        tab.forget_refusals(409).await;
        tab.fill("#name-text", "Kim").await;
        tab.click("#name-sign").await;
        tab.reads("#name-status", "calls you kim").await;
        lab.reward(0, own.as_str()).await;
        tab.reads("#wallet-balance", "50").await;
        wallet::prepare(tab, "ben", "2", "by name").await;
        tab.reads("#preview-facts", "Ben, lab1").await;
        tab.click("#send-confirm").await;
        wallet::sent(tab, "pending").await;
        tab.go(&format!("/address/{own}")).await;
        tab.reads("h1", "kim").await;
        tab.go("/wallet").await;
        tab.click("#wallet-naming summary").await;
        tab.click("#name-remove").await;
        tab.reads("#name-status", "no name here").await;
        tab.go(&format!("/address/{own}")).await;
        tab.reads("h1", "address").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs chromium and chromedriver"]
async fn the_chain_is_one_stop_and_arrow_keys_go_from_block_to_block() {
    let lab = Lab::quiet(LayerName::Data).await;
    browse(&lab.explorer, "keyboard", async |tab| {
        lab.mine(0, 3).await;
        lab.agree().await;
        tab.go("/").await;
        tab.wait("document.querySelectorAll('#chain a.block').length === 4").await;
        assert_eq!(tab.count("#chain a.block:not([tabindex='-1'])").await, 0);
        tab.eval("document.getElementById('chain').focus()").await;
        press(tab, "#chain", "ArrowLeft").await;
        tab.wait("document.activeElement.ariaLabel?.startsWith('Block 3')").await;
        press(tab, "#chain", "ArrowLeft").await;
        press(tab, "#chain", "Home").await;
        tab.wait("document.activeElement.ariaLabel?.startsWith('Block 0')").await;
        // The focus survives a block.
        press(tab, "#chain", "End").await;
        lab.mine(1, 1).await;
        tab.wait("document.querySelectorAll('#chain a.block').length === 5").await;
        assert!(tab.eval("document.activeElement.ariaLabel").await.as_str().unwrap().starts_with("Block 3"));
        // Changes of state are spoken; ages and heights are not.
        lab.split().await;
        tab.reads("#spoken", "split").await;
    })
    .await;
}

async fn press(tab: &Tab, selector: &str, key: &str) {
    let event = format!("new KeyboardEvent('keydown', {{ key: '{key}', bubbles: true, cancelable: true }})");
    let target = format!("(document.activeElement?.closest('{selector}') ? document.activeElement : document.body)");
    tab.eval(&format!("{target}.dispatchEvent({event})")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs chromium and chromedriver"]
async fn a_lecture_is_the_stage_alone_and_has_its_keys() {
    let lab = Lab::mining().await;
    browse(&lab.explorer, "lecture", async |tab| {
        tab.resize(1280, 720).await;
        tab.go("/?lecture").await;
        tab.wait("document.querySelectorAll('#chain a.block').length >= 4").await;
        tab.wait("!document.querySelector('.top').checkVisibility()").await;
        press(tab, "body", "s").await;
        tab.reads("#head h1", "split in two").await;
        // Who is on each lane is in sight, although the lanes begin further to the left.
        let labels = "[...document.querySelectorAll('#chain .lane-label')].filter(e => e.checkVisibility()).map(e => { \
             const box = e.getBoundingClientRect(); \
             const all = document.querySelector('#chain').getBoundingClientRect(); \
             return box.left >= all.left && box.right <= all.right && box.height > 15 ? \
             e.textContent.split(':')[0] : 'hidden'; })";
        // Which nodes are in which half depends on their ports: two in each, and all four.
        let are_named = |halves: &[&str]| {
            let mut names: Vec<&str> = halves.iter().flat_map(|half| half.split(" and ")).collect();
            names.sort_unstable();
            halves.iter().all(|half| half.contains(" and ")) && names == ["A (Ada)", "B (Ben)", "C (Cleo)", "D (Dan)"]
        };
        until("both lanes have a name", async || {
            let labels = tab.eval(labels).await;
            let halves: Vec<&str> = labels.as_array()?.iter().filter_map(|label| label.as_str()).collect();
            (halves.len() == 2 && are_named(&halves)).then_some(())
        })
        .await;
        tab.picture("lecture-split").await;
        press(tab, "body", "h").await;
        tab.reads("#head h1", "healed").await;
        press(tab, "body", " ").await;
        tab.wait("document.body.classList.contains('frozen')").await;
        press(tab, "body", "l").await;
        tab.wait("document.querySelector('.top').checkVisibility()").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs chromium and chromedriver"]
async fn the_button_keeps_its_place_in_every_state() {
    let lab = Lab::mining().await;
    browse(&lab.explorer, "steady", async |tab| {
        tab.resize(1280, 720).await;
        tab.go("/").await;
        tab.wait("document.querySelectorAll('#chain a.block').length >= 3").await;
        let place = "JSON.stringify(document.querySelector('#head button').getBoundingClientRect())";
        let before = tab.eval(place).await;
        tab.click("[data-split=split]").await;
        tab.reads("#head h1", "split in two").await;
        assert_eq!(tab.eval(place).await, before, "split");
        tab.click("[data-split=heal]").await;
        tab.reads("#head h1", "healed").await;
        assert_eq!(tab.eval(place).await, before, "healed");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs chromium and chromedriver"]
async fn on_a_phone_no_sentence_moves_the_button() {
    let lab = Lab::quiet(LayerName::Transaction).await;
    browse(&lab.explorer, "steady-phone", async |tab| {
        lab.mine(0, 2).await;
        lab.agree().await;
        tab.resize(390, 844).await;
        tab.go("/").await;
        tab.reads("#head h1", "block 2").await;
        let top = "document.querySelector('#head .act').getBoundingClientRect().top";
        let before = tab.eval(top).await;
        for (title, below) in [
            ("Alright.", ""),
            (
                "All 4 nodes agree: block 1 423 is the newest.",
                "Everyone is mining block 1 424: 12 s so far. 3 s is usual; 1 wait in 55 is longer than this.",
            ),
            (
                "Healed: A and B’s branch won, 13 blocks to 12.",
                "Cleo and Dan each lost 600 LAB. Of 412 payments undone, 391 are back in the chain and 21 are waiting \
                 for lost rewards.",
            ),
        ] {
            let says = serde_json::json!([title, below]);
            let write = format!(
                "(() => {{ const [h1, p] = document.querySelectorAll('#head .says > *'); [h1.textContent, \
                 p.textContent] = {says}; }})()"
            );
            tab.eval(&write).await;
            assert_eq!(tab.eval(top).await, before, "{title}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs chromium and chromedriver"]
async fn a_dead_connection_is_grey_and_its_button_is_off() {
    let lab = Lab::quiet(LayerName::Data).await;
    let proxy = Proxy::to(&lab.explorer, HostHeader::Kept).await;
    browse(&proxy.address, "dead", async |tab| {
        lab.mine(0, 1).await;
        lab.agree().await;
        tab.go("/").await;
        tab.reads("#live-state", "live").await;
        proxy.stall.send_replace(true);
        tab.reads("#head h1", "no connection since").await;
        tab.find("#head button:disabled").await;
        proxy.stall.send_replace(false);
        tab.reads("#head h1", "block 1").await;
        tab.find("#head button:enabled").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs chromium and chromedriver"]
async fn an_open_page_asks_for_nothing_and_gets_only_what_changed() {
    let lab = Lab::mining().await;
    browse(&lab.explorer, "thrift", async |tab| {
        tab.go("/").await;
        tab.reads("#live-state", "live").await;
        tab.mark().await;
        let requests = "performance.getEntriesByType('resource').filter(e => !e.name.includes('/live')).length";
        let before = tab.eval(requests).await;
        lab.mine(0, 3).await;
        tab.reads("#events", "found block").await;
        tokio::time::sleep(std::time::Duration::from_secs(5)).await;
        assert_eq!(tab.eval(requests).await, before, "the page fetched something besides its stream");
        tab.was_not_reloaded().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs chromium and chromedriver"]
async fn nothing_runs_out_of_its_card_or_button() {
    let lab = Lab::quiet(LayerName::Transaction).await;
    browse(&lab.explorer, "cards", async |tab| {
        lab.mine(0, 4).await;
        lab.agree().await;
        let too_wide = |selector: &str| {
            format!("[...document.querySelectorAll('{selector}')].filter(e => e.scrollWidth > e.clientWidth).length")
        };
        tab.resize(1280, 720).await;
        tab.go("/").await;
        tab.reads("#people", "+50.00").await;
        assert_eq!(tab.eval(&too_wide("#people li, #people .job")).await, 0);
        tab.go("/?lecture").await;
        tab.reads("#people", "cleo").await;
        let broken = "[...document.querySelectorAll('#people .name')].filter(e => e.clientHeight > 40).length";
        assert_eq!(tab.eval(broken).await, 0);
        // The simulator's page has a second button.
        tab.resize(390, 844).await;
        tab.go("/").await;
        let second = "(() => { const act = document.querySelector('#head .act'); act.classList.add('two'); \
             act.insertAdjacentHTML('afterbegin', '<button class=steal>Try to steal</button>'); })()";
        tab.eval(second).await;
        assert_eq!(tab.eval(&too_wide("#head .act button")).await, 0);
        tab.picture("two-buttons-phone").await;
    })
    .await;
}

/// The texts of a page that are too faint, each with its contrast.
const FAINT: &str = r#"(() => {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 1;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    context.clearRect(0, 0, 1, 1);
    context.fillStyle = colour;
    context.fillRect(0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data];
  };
  const linear = (c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  const light = ([r, g, b]) => [r, g, b].map((c) => linear(c / 255))
    .reduce((sum, c, place) => sum + c * [0.2126, 0.7152, 0.0722][place], 0);
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = rgba(getComputedStyle(at).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return [255, 255, 255, 255];
  };
  const faint = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const isOutside = element.closest("svg, script, noscript, .hidden, .skip");
    if (!walker.currentNode.data.trim() || isOutside || !element.checkVisibility()) continue;
    const style = getComputedStyle(element);
    const [front, back] = [light(rgba(style.color)), light(behind(element))];
    const contrast = (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05);
    if (contrast < 4.5) faint.push(`${walker.currentNode.data.trim().slice(0, 30)}: ${contrast.toFixed(2)}`);
  }
  return faint;
})()"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs chromium and chromedriver"]
async fn every_text_of_every_page_can_be_read_light_and_dark() {
    let lab = Lab::quiet(LayerName::Transaction).await;
    browse(&lab.explorer, "contrast", async |tab| {
        lab.mine(0, 2).await;
        lab.agree().await;
        let id = lab.pay("miner 0", &key("miner 1").address(), LAB, 1000, "hello").await.id();
        lab.split().await;
        let stale = lab.mine(0, 1).await.remove(0);
        lab.mine(2, 2).await;
        let mut pages = ["/", "/blocks", "/block/0", "/block/2", "/transactions", "/charts", "/learn", "/wallet"]
            .map(str::to_owned)
            .to_vec();
        pages.extend([
            format!("/transaction/{id}"),
            format!("/address/{}", key("miner 0").address()),
            format!("/node/{}", lab.nodes[0]),
        ]);
        for round in 0..2 {
            for path in &pages {
                for dark in [false, true] {
                    tab.dark(dark).await;
                    tab.go(path).await;
                    assert_eq!(tab.eval(FAINT).await, serde_json::json!([]), "{path}, dark: {dark}, healed: {round}");
                }
            }
            lab.heal().await;
            lab.agree().await;
            pages = vec!["/".to_owned(), format!("/block/{stale}")];
        }
        tab.dark(false).await;
    })
    .await;
}
