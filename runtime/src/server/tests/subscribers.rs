//! What subscribers of a channel get over HTTP.

use super::*;
use shared::wire::{NodeEvent, PeerChange, PeerEvent};
use tokio::sync::broadcast;

#[tokio::test]
async fn a_subscriber_that_falls_behind_gets_a_gap() {
    let events = |_, request: Request| async move {
        let (sender, receiver) = broadcast::channel(2);
        for number in 0..5 {
            let peer = PeerEvent { address: format!("a:{number}"), change: PeerChange::Lost, reason: None };
            sender.send(Arc::new(NodeEvent::Peer(peer))).unwrap();
        }
        reply::broadcast(&request, receiver)
    };
    let router = Router::new("sample", "Falls behind.").group("sample", "One", [get("/events", "Events", events)]);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, shutdown) = (listener.local_addr().unwrap(), CancellationToken::new());
    let ended = tokio::spawn(serve(listener, Arc::new(Sample), router, Settings::default(), shutdown.clone()));
    let server = Server { address, shutdown, ended };
    let (status, answer) = server.ask("GET /events", "", "").await;
    let lines: Vec<_> = answer.lines().filter(|line| line.starts_with("event: ") || line.contains("\"a:")).collect();
    assert_eq!((status, lines.len()), (200, 5), "{answer}");
    assert!(lines[0] == "event: gap" && lines[2].contains("a:3") && lines[4].contains("a:4"), "{answer}");
}
