//! Rewinding the first page: the slider, chapters, links to a moment, and the way back to now.

use crate::lab::Lab;
use shared::params::LayerName;
use testkit::browser::browse;

/// Whether the picture has a block of this height.
fn shows(height: u64) -> String {
    format!("[...document.querySelectorAll('#chain a.block')].some(b => b.ariaLabel.startsWith('Block {height},'))")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs chromium and chromedriver"]
async fn a_fork_sets_a_chapter_and_a_link_leads_to_its_moment() {
    let lab = Lab::quiet(LayerName::Transaction).await;
    browse(&lab.explorer, "rewind", async |tab| {
        tab.go("/").await;
        tab.reads("#live-state", "live").await;
        lab.mine(0, 2).await;
        lab.agree().await;
        tab.reads("#head h1", "block 2").await;
        lab.split().await;
        tab.reads("#head h1", "split in two").await;
        lab.mine(0, 1).await;
        lab.mine(2, 2).await;
        tab.reads("#head", "found 1 block").await;
        lab.heal().await;
        lab.agree().await;
        tab.reads("#head h1", "healed").await;
        // Until the frame of the healing is made.
        tab.wait(
            "fetch('/api/film').then(a => a.json()).then(f => { window.film = f; }) && \
                  window.film?.frames.some(f => f.chapter === 'healed')",
        )
        .await;
        lab.mine(0, 1).await;
        tab.wait(&shows(5)).await;
        tab.click("#rewind-before").await;
        tab.wait("document.body.classList.contains('rewound')").await;
        tab.reads("#head h1", "healed").await;
        tab.click("#rewind-before").await;
        tab.reads("#head h1", "split in two").await;
        tab.reads("#then", "after the start").await;
        tab.find("#head button:disabled").await;
        assert_eq!(tab.eval(&shows(5)).await, false, "the future is not shown");
        tab.reads("#rewind-chapters", "healed").await;
        tab.picture("rewound").await;
        // The past does not change when the present does.
        lab.mine(0, 1).await;
        lab.agree().await;
        tab.reads("#head h1", "split in two").await;
        // A link to the moment.
        let hash = tab.eval("location.hash").await.as_str().unwrap().to_owned();
        assert!(hash.starts_with("#t="), "{hash}");
        tab.go("/blocks").await;
        tab.go(&format!("/{hash}")).await;
        tab.reads("#then", "after the start").await;
        tab.reads("#head h1", "split in two").await;
        tab.click("#rewind-live").await;
        tab.wait(&shows(6)).await;
        tab.wait("document.getElementById('then').hidden && location.hash === ''").await;
        tab.find("#head button:enabled").await;
    })
    .await;
}
