//! Positions along the axis of time: each block stands after its parent, with a gap that grows with the logarithm of
//! the wait. So 5 milliseconds and 32 seconds look different, and an hour still fits.

/// Least distance between the near edges of two blocks, in units: a later block is never drawn before an earlier one.
const LEAST_STEP: f64 = 8.0;

/// A block that is to be placed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spot {
    pub(crate) at_ms: u64,
    /// The place in the list of the block that it follows; smaller than its own.
    pub(crate) parent: Option<usize>,
}

/// Sizes in units of the drawing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scale {
    /// The length of a block along the axis.
    pub(crate) block: f64,
    /// The gap of no time.
    pub(crate) least: f64,
    /// What is added for each tenfold of (1 + seconds).
    pub(crate) decade: f64,
}

impl Scale {
    /// The gap for a wait.
    pub(crate) fn gap(&self, ms: u64) -> f64 {
        self.least + self.decade * (1.0 + ms as f64 / 1000.0).log10()
    }
}

/// The near edge of each block; the first is at 0. The list must be in the order of time, parents first.
pub(crate) fn place(spots: &[Spot], scale: Scale) -> Vec<f64> {
    let mut edges: Vec<f64> = Vec::with_capacity(spots.len());
    for spot in spots {
        let parent = spot.parent.and_then(|parent| Some((edges.get(parent)?, spots.get(parent)?)));
        let after_parent = parent
            .map_or(0.0, |(edge, parent)| edge + scale.block + scale.gap(spot.at_ms.saturating_sub(parent.at_ms)));
        let after_last = edges.last().map_or(0.0, |last| last + LEAST_STEP);
        edges.push(after_parent.max(after_last));
    }
    edges
}

/// The end of the last gap: where the current moment is.
pub(crate) fn now(spots: &[Spot], edges: &[f64], scale: Scale, now_ms: u64) -> f64 {
    let is_tip = |place: &usize| !spots.iter().any(|spot| spot.parent == Some(*place));
    let ends = (0..spots.len().min(edges.len())).filter(is_tip);
    let end = |place: usize| edges[place] + scale.block + scale.gap(now_ms.saturating_sub(spots[place].at_ms));
    ends.map(end).fold(scale.least, f64::max)
}

/// A coordinate with one decimal, which is finer than any screen.
pub(crate) fn tenth(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCALE: Scale = Scale { block: 138.0, least: 16.0, decade: 40.0 };

    fn spot(at_ms: u64, parent: Option<usize>) -> Spot {
        Spot { at_ms, parent }
    }

    #[test]
    fn gaps_grow_with_the_logarithm_of_the_wait() {
        for (ms, gap) in [(0, 16.0), (9000, 56.0), (99_000, 96.0)] {
            assert!((SCALE.gap(ms) - gap).abs() < 1e-9, "{ms}");
        }
        let edges = place(&[spot(0, None), spot(9000, Some(0)), spot(9000, Some(1))], SCALE);
        assert_eq!(edges.iter().map(|edge| edge.round()).collect::<Vec<_>>(), [0.0, 194.0, 348.0]);
    }

    // 0 ─ 1 ─ 3
    // └── 2
    #[test]
    fn branches_are_side_by_side_in_the_order_of_time() {
        let spots = [spot(0, None), spot(1000, Some(0)), spot(1000, Some(0)), spot(5000, Some(1))];
        let edges = place(&spots, SCALE);
        assert_eq!(edges[2] - edges[1], LEAST_STEP);
        assert!(edges.windows(2).all(|two| two[1] - two[0] >= LEAST_STEP), "{edges:?}");
        // The last gap begins at the tip that reaches farthest.
        let end = now(&spots, &edges, SCALE, 6000);
        assert!((end - (edges[3] + 138.0 + SCALE.gap(1000))).abs() < 1e-9);
    }

    #[test]
    fn clocks_that_go_backwards_and_empty_chains_can_be_drawn() {
        assert_eq!(place(&[], SCALE), Vec::<f64>::new());
        assert_eq!(now(&[], &[], SCALE, 5), 16.0);
        let edges = place(&[spot(9000, None), spot(1000, Some(0))], SCALE);
        assert_eq!(edges, [0.0, 154.0]);
        assert_eq!(now(&[spot(9000, None)], &[0.0], SCALE, 10), 154.0);
    }
}
