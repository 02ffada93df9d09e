//! A recording of the laboratory: the slider, the links beside it, Play, and all of it without a network.

use laboratory::plan::Plan;
use laboratory::recording::Recording;
use shared::config::Config;
use testkit::browser::browse;
use testkit::http;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

const SCENARIO: &str = "title = \"A cut in two halves\"\nmodel = \"core\"\nseed = 7\nblocks = 40\n[consensus]\n\
    block_interval_ms = 20_000\ninitial_difficulty = 50\n[network]\nnodes = 4\npreset = \"lan\"\ngraph = \"full\"\n\
    [[event]]\nat = \"block 12\"\npartition = { half = \"50 %\", for = \"200 s\" }\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs chromium and chromedriver"]
async fn a_slider_leads_through_a_recorded_run() {
    let mut text = String::new();
    assert!(Plan::read(SCENARIO, &[], None).unwrap().record(0, &mut |line| text += &(line + "\n")));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap().to_string();
    let stop = CancellationToken::new();
    let _guard = stop.clone().drop_guard();
    let settings = explorer::RecordingSettings {
        config: Config::default(),
        recording: Recording::read(&text).unwrap(),
        names: explorer::NameBook::default(),
        metrics: None,
    };
    tokio::spawn(explorer::run_recording(listener, settings, stop));
    // Without scripts the slider is a form, and the links lead on.
    let sent = http().get(format!("http://{at}/?t=0")).send().await.unwrap().text().await.unwrap();
    assert!(sent.contains("<form class=\"rewind\" action=\"/\">") && sent.contains("later »</a>"), "{sent}");
    browse(&at, "recording", async |tab| {
        tab.go("/?t=1e9").await;
        tab.reads("#head h1", "all 4 nodes").await;
        tab.picture("recording").await;
        tab.mark().await;
        tab.eval(
            "(() => { const s = document.getElementById('recording-t'); s.value = '0'; \
                s.dispatchEvent(new Event('input')); })()",
        )
        .await;
        tab.reads("#head h1", "mining the first block").await;
        tab.reads("#recording-time", "0:00 of").await;
        tab.click("#recording-steps a:last-of-type").await;
        tab.wait("location.search !== '?t=0'").await;
        tab.wait(
            "[...document.querySelectorAll('#recording-chapters a')].some(a => a.textContent.startsWith('Split'))",
        )
        .await;
        tab.eval(
            "[...document.querySelectorAll('#recording-chapters a')].find(a => a.textContent.startsWith('Split'))\
                .click()",
        )
        .await;
        tab.reads("#head h1", "split in two").await;
        tab.picture("recording-split").await;
        tab.click("#recording-play").await;
        tab.reads("#head h1", "healed").await;
        tab.reads("#recording-play", "pause").await;
        tab.click("#recording-play").await;
        tab.was_not_reloaded().await;
        // The other pages keep the moment.
        let search = tab.eval("location.search").await.as_str().unwrap().to_owned();
        tab.click("#pages a[href^='/blocks']").await;
        tab.reads("h1", "blocks").await;
        assert_eq!(tab.path().await, format!("/blocks{search}"));
        tab.picture("recording-blocks").await;
        tab.go(&format!("/charts{search}")).await;
        tab.reads("h1", "charts").await;
        tab.resize(390, 800).await;
        tab.go(&format!("/{search}")).await;
        tab.reads("#head h1", "healed").await;
        tab.fits().await;
        tab.picture("recording-phone").await;
    })
    .await;
}
