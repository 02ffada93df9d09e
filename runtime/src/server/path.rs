//! The path of a request in pieces. They are percent-decoded after the split, so an escaped slash makes no new piece.

use super::problem::bad_request;
use percent_encoding::percent_decode_str;
use shared::wire::Problem;
use std::ops::Deref;
use std::sync::Arc;
use warp::path::FullPath;

/// Most pieces of a path.
pub(super) const MAX_PIECES: usize = 8;

/// A request's path. Cheap to clone, so that a handler can match on its pieces while it consumes the request.
#[derive(Debug, Clone)]
pub struct RequestPath {
    full: Arc<str>,
    /// The decoded pieces, if the path has escapes.
    decoded: Option<Arc<[String]>>,
}

impl RequestPath {
    /// # Errors
    /// 400 if an escape is not UTF-8 or there are too many pieces.
    pub(super) fn new(full: &FullPath) -> Result<Self, Problem> {
        let path = full.as_str();
        if pieces(path).count() > MAX_PIECES {
            return Err(bad_request(format!("the path has more than {MAX_PIECES} pieces")));
        }
        let decoded = if path.contains('%') {
            let decode = |piece| percent_decode_str(piece).decode_utf8().map(String::from);
            let decoded = pieces(path).map(decode).collect::<Result<Arc<[String]>, _>>();
            Some(decoded.map_err(|_| bad_request("an escape in the path is not UTF-8"))?)
        } else {
            None
        };
        Ok(Self { full: path.into(), decoded })
    }

    /// The path as it was sent.
    pub fn as_str(&self) -> &str {
        &self.full
    }

    /// The pieces whose bits are set in `mask`, if there are exactly `N`.
    pub(super) fn params<const N: usize>(&self, mask: u8) -> Option<[&str; N]> {
        let mut params = [""; N];
        let mut count = 0;
        for (_, piece) in self.segments().iter().enumerate().filter(|(place, _)| mask >> place & 1 == 1) {
            *params.get_mut(count)? = *piece;
            count += 1;
        }
        (count == N).then_some(params)
    }

    /// The pieces of the path, to match on; a slash at the end is ignored.
    pub fn segments(&self) -> Segments<'_> {
        match &self.decoded {
            Some(decoded) => Segments::collect(decoded.iter().map(String::as_str)),
            None => Segments::collect(pieces(self.as_str())),
        }
    }
}

fn pieces(path: &str) -> impl Iterator<Item = &str> {
    let path = path.strip_prefix('/').unwrap_or(path);
    let path = path.strip_suffix('/').unwrap_or(path);
    // "" splits into one empty piece, but the root has no piece.
    path.split('/').take(if path.is_empty() { 0 } else { usize::MAX })
}

/// The pieces of a [`RequestPath`] without an allocation; derefs to a slice.
#[derive(Debug)]
pub struct Segments<'a> {
    pieces: [&'a str; MAX_PIECES],
    count: usize,
}

impl<'a> Segments<'a> {
    fn collect(all: impl Iterator<Item = &'a str>) -> Self {
        let mut pieces = [""; MAX_PIECES];
        let mut count = 0;
        for (place, piece) in pieces.iter_mut().zip(all) {
            *place = piece;
            count += 1;
        }
        Self { pieces, count }
    }
}

impl<'a> Deref for Segments<'a> {
    type Target = [&'a str];

    fn deref(&self) -> &[&'a str] {
        &self.pieces[..self.count]
    }
}
