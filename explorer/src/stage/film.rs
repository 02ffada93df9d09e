//! The film: the parts of the first page as they were at earlier moments, so that people can rewind to one.
//!
//! It is bounded. When it is full, every second frame of its older half goes, so that a long run is still there from
//! its beginning, only coarser. Frames that begin a chapter go last.

use serde::Serialize;
use shared::block::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Most frames that are kept.
const MAX_FRAMES: usize = 400;
/// Most bytes of HTML that are kept. Parts that did not change between two frames count once.
const MAX_BYTES: usize = 16 << 20;

/// What begins at a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Chapter {
    /// The first frame.
    Start,
    /// Nodes follow different branches.
    Fork,
    /// Sides cannot reach each other.
    Split,
    /// A split is over, and one branch has won.
    Healed,
}

#[derive(Debug, Clone)]
pub(crate) struct Frame {
    pub(crate) at: Timestamp,
    pub(crate) chapter: Option<Chapter>,
    /// The HTML of each part, by id.
    pub(crate) parts: BTreeMap<&'static str, Arc<str>>,
}

/// Frames, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct Film {
    frames: Vec<Frame>,
    /// When the first frame was made; kept if that frame goes.
    began: Option<Timestamp>,
}

impl Film {
    /// Adds the newest frame.
    pub(crate) fn push(&mut self, mut frame: Frame) {
        self.began.get_or_insert(frame.at);
        if let Some(last) = self.frames.last() {
            for (id, html) in &mut frame.parts {
                if let Some(same) = last.parts.get(id).filter(|before| *before == html) {
                    *html = same.clone();
                }
            }
        }
        self.frames.push(frame);
        while self.frames.len() > MAX_FRAMES || self.bytes() > MAX_BYTES {
            self.thin();
        }
    }

    /// Forgets everything, for example because somebody's name may no longer be shown.
    pub(crate) fn clear(&mut self) {
        self.frames.clear();
    }

    pub(crate) fn frames(&self) -> &[Frame] {
        &self.frames
    }

    /// Seconds from the beginning of the film to a moment.
    pub(crate) fn seconds(&self, at: Timestamp) -> f64 {
        self.began.map_or(0.0, |began| at.ms_since(began) as f64 / 1000.0)
    }

    /// The frame at a moment, in seconds after the beginning: the last one that is not later, or the first.
    pub(crate) fn at(&self, seconds: f64) -> Option<&Frame> {
        let after = self.frames.partition_point(|frame| self.seconds(frame.at) <= seconds + 0.001);
        self.frames.get(after.saturating_sub(1))
    }

    fn bytes(&self) -> usize {
        let mut bytes = 0;
        let mut last: Option<&Frame> = None;
        for frame in &self.frames {
            for (id, html) in &frame.parts {
                let is_same = last.and_then(|last| last.parts.get(id)).is_some_and(|before| Arc::ptr_eq(before, html));
                bytes += if is_same { 0 } else { html.len() };
            }
            last = Some(frame);
        }
        bytes
    }

    /// Removes at least one frame.
    fn thin(&mut self) {
        let (before, half) = (self.frames.len(), self.frames.len() / 2);
        let mut place = 0;
        self.frames.retain(|frame| {
            place += 1;
            frame.chapter.is_some() || place > half || place % 2 == 1
        });
        if self.frames.len() == before {
            self.frames.remove(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(at_ms: u64, chapter: Option<Chapter>, html: &str) -> Frame {
        Frame { at: Timestamp::from_ms(1_000_000 + at_ms), chapter, parts: BTreeMap::from([("head", html.into())]) }
    }

    #[test]
    fn a_moment_shows_the_last_frame_before_it() {
        let mut film = Film::default();
        assert!(film.at(0.0).is_none());
        for (at_ms, html) in [(0, "a"), (2500, "b"), (9000, "c")] {
            film.push(frame(at_ms, None, html));
        }
        let shown = |seconds| &*film.at(seconds).unwrap().parts["head"];
        assert_eq!([0.0, 2.4, 2.5, 8.9, 9.0, 1e9, -5.0].map(shown), ["a", "a", "b", "b", "c", "c", "a"]);
        assert_eq!(film.seconds(Timestamp::from_ms(1_002_500)), 2.5);
        film.clear();
        assert!(film.at(9.0).is_none());
    }

    #[test]
    fn a_long_film_is_bounded_and_keeps_its_beginning_its_end_and_its_chapters() {
        let mut film = Film::default();
        for number in 0..5000_u64 {
            let chapter = number.is_multiple_of(500).then_some(Chapter::Fork);
            film.push(frame(number * 1000, chapter, &number.to_string()));
        }
        assert!(film.frames().len() <= MAX_FRAMES);
        assert_eq!(film.frames().iter().filter(|frame| frame.chapter.is_some()).count(), 10);
        let shown = |seconds: f64| film.seconds(film.at(seconds).unwrap().at);
        assert_eq!((shown(0.0), shown(4999.0)), (0.0, 4999.0));
        // What is recent is there frame by frame, what is old only roughly.
        assert_eq!(shown(4950.0), 4950.0);
        assert!(shown(2600.0) > 1000.0, "{}", shown(2600.0));
    }

    #[test]
    fn bytes_are_bounded_and_parts_that_stay_the_same_count_once() {
        let long = "x".repeat(1 << 20);
        let mut film = Film::default();
        (0..100).for_each(|number| film.push(frame(number, None, &long)));
        assert_eq!((film.frames().len(), film.bytes()), (100, long.len()));
        (0..100).for_each(|number| film.push(frame(1000 + number, None, &format!("{number}{long}"))));
        assert!(film.bytes() <= MAX_BYTES && film.frames().len() > 5, "{}", film.bytes());
        // Chapters go too, if there is nothing else.
        (0..100).for_each(|number| film.push(frame(5000 + number, Some(Chapter::Fork), &format!("{number}{long}"))));
        assert!(film.bytes() <= MAX_BYTES, "{}", film.bytes());
    }
}
