//! Answers compressed with gzip, for clients that accept it: pages and streams of events shrink to a fifth.
//!
//! Only what contains no secret may be compressed: the length of an answer would reveal parts of one.

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, HeaderValue, VARY};
use http::{HeaderMap, header};
use std::io::{self, Write};

/// Shorter bodies would gain nothing.
const LEAST_BYTES: usize = 1000;

/// Whether a client accepts gzip. A weight of 0 refuses it.
pub fn accepts_gzip(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split(',')).any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let weight = weight.trim().strip_prefix("q=").unwrap_or("1");
        name.trim().eq_ignore_ascii_case("gzip") && weight.trim().parse::<f32>().is_ok_and(|weight| weight > 0.0)
    })
}

/// The body of an answer to a request with these headers; sets the headers of the answer that belong to it.
pub fn body(request: &HeaderMap, answer: &mut HeaderMap, body: Bytes) -> Bytes {
    answer.append(VARY, HeaderValue::from_static("accept-encoding"));
    if body.len() < LEAST_BYTES || !accepts_gzip(request) {
        return body;
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    match encoder.write_all(&body).and_then(|()| encoder.finish()) {
        Ok(short) => {
            answer.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            answer.remove(header::CONTENT_LENGTH);
            short.into()
        }
        // Writing into memory does not fail.
        Err(_) => body,
    }
}

/// Compresses a stream chunk by chunk: each is complete for the reader at once, and similar to the ones before.
pub(super) struct ChunkEncoder(GzEncoder<Vec<u8>>);

impl ChunkEncoder {
    pub(super) fn new() -> Self {
        Self(GzEncoder::new(Vec::new(), Compression::fast()))
    }

    pub(super) fn chunk(&mut self, chunk: &[u8]) -> io::Result<Bytes> {
        self.0.write_all(chunk)?;
        self.0.flush()?;
        Ok(std::mem::take(self.0.get_mut()).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::read::GzDecoder;
    use flate2::write::GzDecoder as ChunkDecoder;
    use std::io::Read;

    fn headers(accepted: &'static str) -> HeaderMap {
        [(ACCEPT_ENCODING, HeaderValue::from_static(accepted))].into_iter().collect()
    }

    #[test]
    fn gzip_is_used_only_where_it_is_accepted() {
        for (accepted, expected) in [
            ("gzip", true),
            ("deflate, GZIP;q=0.5, br", true),
            ("br", false),
            ("gzip;q=0", false),
            ("gzip;q=x", false),
            ("", false),
        ] {
            assert_eq!(accepts_gzip(&headers(accepted)), expected, "{accepted}");
        }
        let (text, mut answer) = (Bytes::from("block ".repeat(1000)), HeaderMap::new());
        let short = body(&headers("gzip"), &mut answer, text.clone());
        assert!(short.len() < text.len() / 5 && answer[CONTENT_ENCODING] == "gzip", "{}", short.len());
        let mut long = Vec::new();
        GzDecoder::new(&short[..]).read_to_end(&mut long).unwrap();
        assert_eq!(long, text);
        assert_eq!(body(&headers("br"), &mut HeaderMap::new(), text.clone()), text);
        assert_eq!(body(&headers("gzip"), &mut HeaderMap::new(), Bytes::from("short")), "short");
    }

    #[test]
    fn each_chunk_can_be_read_at_once_and_repetition_costs_little() {
        let (mut encoder, mut decoder) = (ChunkEncoder::new(), ChunkDecoder::new(Vec::new()));
        let part = format!("data: {}", "0123456789abcdef".repeat(100));
        let mut sizes = Vec::new();
        for number in 0..5 {
            let chunk = encoder.chunk(format!("{number} {part}").as_bytes()).unwrap();
            sizes.push(chunk.len());
            decoder.write_all(&chunk).unwrap();
            decoder.flush().unwrap();
            assert!(String::from_utf8_lossy(decoder.get_ref()).ends_with(&format!("{number} {part}")));
        }
        assert!(sizes[4] < 100, "{sizes:?}");
    }
}
