//! The pages of blocks, transactions, addresses and search, on real networks with hostile messages.

use crate::lab::{LAB, Lab, client, key};
use reqwest::StatusCode;
use reqwest::header::LOCATION;
use reqwest::redirect::Policy;
use serde_json::{Value, json};
use shared::ledger::{Payment, Transaction, Transfer};
use shared::params::LayerName;
use testkit::{http, until};

/// A hostile message. The protocol allows it, since it has no control characters.
const HOSTILE: &str = "<script>alert(1)</script>\"'><img src=x>\u{202e}";

/// The status and the body of a path.
pub(crate) async fn page(lab: &Lab, path: &str) -> (StatusCode, String) {
    let answer = http().get(format!("http://{}{path}", lab.explorer)).send().await.unwrap();
    (answer.status(), answer.text().await.unwrap())
}

/// A page with status 200 on which hostile messages are only text.
pub(crate) async fn shown(lab: &Lab, path: &str) -> String {
    let (status, page) = page(lab, path).await;
    assert_eq!(status, 200, "{path}: {page}");
    for bad in ["<script>alert", "<img src=x", "\u{202e}", "style="] {
        assert!(!page.contains(bad), "{path}: {bad:?} in {page}");
    }
    page
}

/// The status and the redirect of a search.
async fn found(lab: &Lab, query: &str) -> (StatusCode, Option<String>) {
    let browser = reqwest::Client::builder().no_proxy().redirect(Policy::none()).build().unwrap();
    let search = browser.get(format!("http://{}/search", lab.explorer)).query(&[("q", query)]);
    let answer = search.send().await.unwrap();
    (answer.status(), answer.headers().get(LOCATION).map(|to| to.to_str().unwrap().to_owned()))
}

/// Waits until the explorer knows a block of this height.
async fn knows_height(lab: &Lab, height: u64) {
    let info = async || client().info(&lab.explorer).await.ok()?.tip.filter(|tip| tip.index.0 >= height);
    until("the explorer knows the block", info).await;
}

/// A network on which alice has paid bob; the payment is in a block if `is_confirmed`.
async fn paid(is_confirmed: bool) -> (Lab, Transaction) {
    let lab = Lab::quiet(LayerName::Transaction).await;
    let alice = key("alice").address();
    lab.reward(0, alice.as_str()).await;
    lab.agree().await;
    let transaction = lab.pay("alice", &key("bob").address(), LAB, 1000, HOSTILE).await;
    let height = if is_confirmed {
        // A node may not have received the payment yet, so blocks are mined until it has.
        until("the payment is in a block", async || {
            lab.mine(0, 1).await;
            lab.agree().await;
            let at = lab.mempool.as_ref()?;
            client().confirmations(at, &transaction.id()).await.ok().filter(|confirmations| *confirmations > 0)
        })
        .await;
        lab.tip(0).await.index.0
    } else {
        1
    };
    knows_height(&lab, height).await;
    (lab, transaction)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_confirmed_payment_is_on_all_pages_about_it() {
    let (lab, transaction) = paid(true).await;
    let (id, Transfer { from, to, .. }) = (transaction.id(), transaction.transfer());
    let life = shown(&lab, &format!("/transaction/{id}")).await;
    assert!(life.contains("Verified OK") && life.contains("confirmation"), "{life}");
    assert!(shown(&lab, "/transactions").await.contains(&format!("/transaction/{id}")));
    for (path, holds) in [
        (format!("/address/{to}"), "1.00 LAB"),
        (format!("/address/{from}"), "48.99<span class=\"rest\">999</span> LAB"),
    ] {
        let address = shown(&lab, &path).await;
        assert!(address.contains(holds) && address.contains(&format!("/transaction/{id}")), "{address}");
    }
    let status = client().transaction(lab.mempool.as_ref().unwrap(), &id).await.unwrap();
    let block = status.block.unwrap();
    let (by_height, by_hash) =
        (shown(&lab, &format!("/block/{}", block.index)).await, shown(&lab, &format!("/block/{}", block.hash)).await);
    for block in [by_height, by_hash] {
        assert!(block.contains(&format!("/transaction/{id}")) && block.contains("On the best chain"), "{block}");
        assert!(block.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "{block}");
    }
    assert!(shown(&lab, "/blocks").await.contains(&block.hash.to_string()));
    let (status, blocks) = page(&lab, "/blocks.csv").await;
    assert!(
        status == 200 && blocks.starts_with("height,hash,") && blocks.contains(&block.hash.to_string()),
        "{blocks}"
    );
    let (status, history) = page(&lab, &format!("/address/{to}/history.csv")).await;
    assert!(status == 200 && history.contains(&format!(",{id},{from},{to},{LAB},1000,,{LAB}\r\n")), "{history}");
    assert!(!history.contains("alert"), "messages are not for spreadsheets: {history}");
    let (status, waiting) = page(&lab, "/transactions.csv").await;
    assert_eq!((status, waiting.lines().count()), (StatusCode::OK, 1), "{waiting}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn search_finds_heights_hashes_ids_and_addresses() {
    let (lab, transaction) = paid(true).await;
    let (id, bob) = (transaction.id().to_string(), key("bob").address().to_string());
    let genesis = lab.params.network_id().to_string();
    let to = |path: String| (StatusCode::FOUND, Some(path));
    for (query, expected) in [
        ("1", to("/block/1".to_owned())),
        (&format!(" {} ", genesis.to_uppercase()), to(format!("/block/{genesis}"))),
        (&id, to(format!("/transaction/{id}"))),
        (&bob.to_uppercase(), to(format!("/address/{bob}"))),
        (&bob[..12], to(format!("/address/{bob}"))),
        ("lab1", (StatusCode::OK, None)),
        ("999999", (StatusCode::NOT_FOUND, None)),
        (&"f".repeat(64), (StatusCode::NOT_FOUND, None)),
        ("//evil.example", (StatusCode::NOT_FOUND, None)),
        (HOSTILE, (StatusCode::NOT_FOUND, None)),
        ("", (StatusCode::NOT_FOUND, None)),
    ] {
        assert_eq!(found(&lab, query).await, expected, "{query}");
    }
    let (_, help) = page(&lab, "/search?q=%3Cscript%3Ealert(1)%3C%2Fscript%3E").await;
    assert!(!help.contains("<script>alert") && help.contains("&lt;script&gt;"), "{help}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn search_finds_what_programs_print() {
    let (lab, transaction) = paid(true).await;
    let (id, bob) = (transaction.id().to_string(), key("bob").address());
    let status = client().transaction(lab.mempool.as_ref().unwrap(), &transaction.id()).await.unwrap();
    let block = status.block.unwrap().hash.to_string();
    let (at, node) = (&lab.explorer, &lab.nodes[1]);
    let port = node.rsplit_once(':').unwrap().1;
    for (query, path) in [
        (transaction.id().short(), format!("/transaction/{id}")),
        (format!("{}…", &id[..12]), format!("/transaction/{id}")),
        (format!("\"{id}\","), format!("/transaction/{id}")),
        (format!("http://{at}/transaction/{id}"), format!("/transaction/{id}")),
        (format!("{}…", &block[..12]), format!("/block/{block}")),
        (format!("http://{node}/block/{block}"), format!("/block/{block}")),
        (format!("http://{at}/block/1#header"), "/block/1".to_owned()),
        (bob.short(), format!("/address/{bob}")),
        (format!("{}…", &bob.as_str()[..12]), format!("/address/{bob}")),
        (node.clone(), format!("/node/{node}")),
        (format!(":{port}"), format!("/node/{node}")),
        (format!("http://{at}/node/{node}"), format!("/node/{node}")),
        (lab.mempool.clone().unwrap(), "/#mempools".to_owned()),
    ] {
        assert_eq!(found(&lab, &query).await, (StatusCode::FOUND, Some(path)), "{query}");
    }
    for nothing in ["127.0.0.1:1", "https://evil.example/wallets", "lab1qqq…zzzzz"] {
        assert_eq!(found(&lab, nothing).await.0, 404, "{nothing}");
    }
}

#[tokio::test]
async fn an_experiment_that_is_unknown_is_a_page_with_the_known_ones() {
    let lab = Lab::quiet(LayerName::Data).await;
    for query in ["question=nosuch", "share=much", "wrong=1"] {
        let answer = http().get(format!("http://{}/lab?{query}", lab.explorer)).send().await.unwrap();
        assert_eq!(answer.status(), 400, "{query}");
        let page = answer.text().await.unwrap();
        assert!(page.contains("No such experiment") && page.contains("\"/lab?question=links\""), "{page}");
    }
}

#[tokio::test]
async fn below_a_path_of_a_proxy_all_links_lead_below_it() {
    let lab = Lab::quiet(LayerName::Data).await;
    let browser = reqwest::Client::builder().no_proxy().redirect(Policy::none()).build().unwrap();
    let get = async |path: &str, prefix: &str| {
        let request = browser.get(format!("http://{}{path}", lab.explorer)).header("x-forwarded-prefix", prefix);
        request.send().await.unwrap()
    };
    for path in ["/", "/blocks", "/block/0", "/charts", "/learn", "/nothing/here"] {
        let page = get(path, "/lab/").await.text().await.unwrap();
        assert!(page.contains("data-base=\"/lab\"") && page.contains(" src=\"/lab/assets/live.js\""), "{page}");
        for attribute in [" href=\"/", " src=\"/", " action=\"/", " data-live-from=\"/"] {
            let outside = page.split(attribute).skip(1).find(|rest| !rest.starts_with("lab/"));
            assert_eq!(outside.map(|rest| &rest[..20.min(rest.len())]), None, "{path}{attribute}");
        }
    }
    assert_eq!(get("/search?q=0", "/lab").await.headers()[LOCATION], "/lab/block/0");
    let hostile = get("/", "//evil.example").await.text().await.unwrap();
    assert!(!hostile.contains("evil.example") && hostile.contains(" href=\"/blocks\""), "{hostile}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scripts_get_json_and_the_refusals_of_a_mempool_as_they_are() {
    let (lab, transaction) = paid(false).await;
    let api = |path: String| format!("http://{}/api/{path}", lab.explorer);
    let get = async |path: String| {
        let answer = http().get(api(path)).send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
    };
    let alice = key("alice").address();
    let (_, balance) = get(format!("balance/{alice}")).await;
    assert_eq!(balance, json!({"confirmed": 50 * LAB, "with_pending": 49 * LAB - 1000}));
    let (_, history) = get(format!("history/{alice}")).await;
    assert_eq!(history[0]["transaction"]["id"], json!(transaction.id()));
    let (status, found) = get(format!("transaction/{}", transaction.id())).await;
    assert_eq!((status, &found["status"]), (200, &json!("pending")));
    assert_eq!(get(format!("transaction/{}", "f".repeat(64))).await.0, 404);
    assert_eq!(get("balance/lab1nobody".to_owned()).await.0, 400);
    let forged = Payment { msg: "another".to_owned(), ..transaction.as_payment().unwrap().clone() }.into();
    for (body, status, rule) in [(&transaction, 200, Value::Null), (&forged, 422, json!("id"))] {
        let answer = http().post(api("pushtx".to_owned())).json(body).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), status);
        assert_eq!(answer.json::<Value>().await.unwrap()["rule"], rule);
    }
    let answer = http().post(api("pushtx".to_owned())).json(&json!({"id": 1})).send().await.unwrap();
    assert_eq!(answer.status(), 400);
    let wrong_method = http().get(api("pushtx".to_owned())).send().await.unwrap();
    assert_eq!(wrong_method.status(), 405);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_text_stays_text_without_money() {
    let lab = Lab::quiet(LayerName::Data).await;
    lab.mine_data(0, 2, Some(&format!("{HOSTILE}\nsecond line"))).await;
    knows_height(&lab, 2).await;
    assert!(shown(&lab, "/blocks").await.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert!(shown(&lab, "/block/2").await.contains("second line"));
    for path in [
        "/transactions".to_owned(),
        format!("/address/{}", key("bob").address()),
        format!("/transaction/{}", "f".repeat(64)),
    ] {
        assert!(shown(&lab, &path).await.contains("This network has no money"), "{path}");
    }
    for (path, expected) in
        [("/block/99", 404), ("/block/first", 404), ("/blocks?before=x", 400), ("/blocks?before=1", 200)]
    {
        assert_eq!(page(&lab, path).await.0, expected, "{path}");
    }
}
