//! People who open the address of a service see a page; programs see what they saw before.

use super::{Settings, start};

#[tokio::test]
async fn a_browser_gets_a_page_and_a_program_a_refusal_as_json() {
    let server = start(Settings { explorer: Some("127.0.0.1:8080".to_owned()), ..Settings::default() }).await;
    let browser = "Accept: text/html,application/xhtml+xml,*/*;q=0.8\r\n";
    let (status, page) = server.ask("GET /", browser, "").await;
    assert_eq!(status, 200, "{page}");
    for part in ["content-type: text/html", "default-src 'none'", "vary: accept", "Has one of each.", "/echo/{word}"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(page.contains("http://127.0.0.1:8080/") && page.contains("<a href=\"/docs\">"), "{page}");
    for accept in ["", "Accept: application/json\r\n", "Accept: */*\r\n"] {
        let (status, answer) = server.ask("GET /", accept, "").await;
        assert!(status == 404 && answer.contains("application/problem+json"), "{accept}: {answer}");
    }
    // Only the address itself is a page.
    let (status, answer) = server.ask("GET /nowhere", browser, "").await;
    assert!(status == 404 && answer.contains("application/problem+json"), "{answer}");
}
