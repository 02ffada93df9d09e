//! A small name server for the hosts; a test can change a name at any moment.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// Seconds that an answer may be cached.
const TTL: u32 = 1;
const PORT: u16 = 53;
/// Bytes of a message's header (RFC 1035, 4.1.1).
const HEADER: usize = 12;

/// The table of names, and the thread that serves it.
pub(crate) struct NameServer {
    table: Arc<Mutex<BTreeMap<String, Ipv4Addr>>>,
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl NameServer {
    /// Starts the server at `address`.
    pub(crate) fn serve(address: Ipv4Addr) -> std::io::Result<Self> {
        let socket = UdpSocket::bind((IpAddr::V4(address), PORT))?;
        socket.set_read_timeout(Some(Duration::from_millis(100)))?;
        let (table, ends) = (Arc::<Mutex<BTreeMap<_, _>>>::default(), Arc::<AtomicBool>::default());
        let (names, end) = (Arc::clone(&table), Arc::clone(&ends));
        let thread = std::thread::spawn(move || {
            let mut question = [0; 512];
            while !end.load(Ordering::Relaxed) {
                let Ok((length, from)) = socket.recv_from(&mut question) else { continue };
                if let Some(answer) = answer(&question[..length], &names.lock().unwrap()) {
                    // A client that misses the answer asks again.
                    let _ = socket.send_to(&answer, from);
                }
            }
        });
        Ok(Self { table, ends, thread: Some(thread) })
    }

    /// Lets `name` resolve to `address` from now on.
    pub(crate) fn set(&self, name: &str, address: &str) {
        self.table.lock().unwrap().insert(name.to_owned(), address.parse().unwrap());
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The answer to a message with one question; `None` if the message is not one.
fn answer(message: &[u8], names: &BTreeMap<String, Ipv4Addr>) -> Option<Vec<u8>> {
    let (mut at, mut labels) = (HEADER, Vec::new());
    loop {
        let length = usize::from(*message.get(at)?);
        if length == 0 {
            break;
        }
        labels.push(std::str::from_utf8(message.get(at + 1..at + 1 + length)?).ok()?.to_ascii_lowercase());
        at += 1 + length;
    }
    let question = message.get(HEADER..at + 5)?;
    let asks_for_v4 = message.get(at + 1..at + 3)? == [0, 1];
    let known = names.get(&labels.join("."));
    let address = known.filter(|_| asks_for_v4);
    // An authoritative answer; "no such name" if the table has no such name.
    let flags = [0x85, if known.is_some() { 0x80 } else { 0x83 }];
    let counts = [0, 1, 0, u8::from(address.is_some()), 0, 0, 0, 0];
    let mut answer = [message.get(..2)?, &flags, &counts, question].concat();
    if let Some(address) = address {
        // A pointer to the name in the question; type A, class IN.
        answer.extend([0xc0, HEADER as u8, 0, 1, 0, 1]);
        answer.extend(TTL.to_be_bytes());
        answer.extend([0, 4]);
        answer.extend(address.octets());
    }
    Some(answer)
}
