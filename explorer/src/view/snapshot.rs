//! Compares a page with a reviewed file (tests only).
//!
//! `UPDATE_SNAPSHOTS=1 cargo test -p explorer` writes the files again; review the difference with git.

use maud::Markup;
use std::path::PathBuf;

/// Fails if `shown` differs from `src/snapshots/<name>.html`.
pub(crate) fn snapshot(name: &str, shown: &Markup) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/snapshots").join(format!("{name}.html"));
    // One tag per line, so that differences are small.
    let shown = format!("{}\n", shown.0.replace("><", ">\n<"));
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder for snapshots");
        std::fs::write(&path, shown).expect("a snapshot is written");
        return;
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    for (number, (kept, shown)) in kept.lines().zip(shown.lines()).enumerate() {
        assert_eq!(kept, shown, "{}, line {}", path.display(), number + 1);
    }
    assert_eq!(kept.lines().count(), shown.lines().count(), "{}: lines", path.display());
}
