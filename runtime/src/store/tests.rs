//! The redb store keeps the contract of `shared::store`, also when the disk fails.

use super::*;
use redb::backends::InMemoryBackend;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

fn batch(rows: &[(&str, Option<&str>)]) -> Batch {
    let mut batch = Batch::default();
    for (key, value) in rows {
        match value {
            Some(value) => batch.put(Table::State, *key, *value),
            None => batch.delete(Table::State, *key),
        }
    }
    batch
}

fn state(store: &dyn Store) -> Vec<(String, String)> {
    let mut rows = Vec::new();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let collect = &mut |key: &[u8], value: &[u8]| {
        rows.push((text(key), text(value)));
        ControlFlow::Continue(())
    };
    store.snapshot().unwrap().scan(Table::State, b"", collect).unwrap();
    rows
}

fn pairs(rows: &[(&str, &str)]) -> Vec<(String, String)> {
    rows.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn committed_rows_are_there_after_reopening_in_key_order() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("chain.redb");
    let store = RedbStore::open(&path).unwrap();
    store.commit(&batch(&[("b", Some("2")), ("a", Some("1")), ("c", Some("3"))])).unwrap();
    store.commit(&batch(&[("c", None), ("a", Some("one"))])).unwrap();
    drop(store);
    let store = RedbStore::open(&path).unwrap();
    assert_eq!(state(&store), pairs(&[("a", "one"), ("b", "2")]));
}

#[test]
fn a_snapshot_does_not_see_later_commits_and_does_not_block_them() {
    let store = RedbStore::open_on(InMemoryBackend::new).unwrap();
    store.commit(&batch(&[("a", Some("1"))])).unwrap();
    let before = store.snapshot().unwrap();
    assert_eq!(before.get(Table::State, b"a").unwrap().unwrap(), b"1");
    store.commit(&batch(&[("a", Some("2"))])).unwrap();
    assert_eq!(before.get(Table::State, b"a").unwrap().unwrap(), b"1");
    assert_eq!(store.snapshot().unwrap().get(Table::State, b"a").unwrap().unwrap(), b"2");
}

#[test]
fn a_file_that_is_open_elsewhere_is_refused_with_the_reason() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("chain.redb");
    let _first = RedbStore::open(&path).unwrap();
    let error = RedbStore::open(&path).err().unwrap().to_string();
    assert!(error.contains("already open"), "{error}");
}

/// A disk that can fail or fill up. While it is full, existing parts of the file can still be overwritten.
#[derive(Debug, Clone, Default)]
struct Disk {
    content: Arc<InMemoryBackend>,
    fails: Arc<AtomicBool>,
    full: Arc<AtomicBool>,
}

impl Disk {
    fn room(&self) -> io::Result<()> {
        if self.fails.load(Ordering::SeqCst) { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        self.content.len()
    }
    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.content.read(offset, out)
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        self.room()?;
        if self.full.load(Ordering::SeqCst) && len > self.content.len()? {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.content.set_len(len)
    }
    fn sync_data(&self) -> io::Result<()> {
        self.room()?;
        self.content.sync_data()
    }
    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.room()?;
        self.content.write(offset, data)
    }
}

#[test]
fn a_full_disk_is_an_error_that_loses_nothing_and_can_pass() {
    let disk = Disk::default();
    let store = RedbStore::open_on({
        let disk = disk.clone();
        move || disk.clone()
    })
    .unwrap();
    store.commit(&batch(&[("a", Some("1"))])).unwrap();

    disk.fails.store(true, Ordering::SeqCst);
    for _ in 0..3 {
        assert!(store.commit(&batch(&[("a", Some("2")), ("b", Some("2"))])).is_err());
    }
    disk.fails.store(false, Ordering::SeqCst);
    assert_eq!(state(&store), pairs(&[("a", "1")]));
    store.commit(&batch(&[("b", Some("3"))])).unwrap();
    assert_eq!(state(&store), pairs(&[("a", "1"), ("b", "3")]));
}

#[test]
fn stored_rows_can_be_read_while_the_disk_is_full() {
    let disk = Disk::default();
    let store = RedbStore::open_on({
        let disk = disk.clone();
        move || disk.clone()
    })
    .unwrap();
    store.commit(&batch(&[("a", Some("1"))])).unwrap();
    disk.full.store(true, Ordering::SeqCst);
    let large = "x".repeat(1 << 20);
    let mut names = (0..256).map(|number| format!("b{number}"));
    let refused = names.find(|name| store.commit(&batch(&[(name, Some(&large))])).is_err()).unwrap();
    for _ in 0..3 {
        let snapshot = store.snapshot().unwrap();
        assert_eq!(snapshot.get(Table::State, b"a").unwrap().unwrap(), b"1");
        assert_eq!(snapshot.get(Table::State, refused.as_bytes()).unwrap(), None);
        assert!(store.commit(&batch(&[(&refused, Some(&large))])).is_err());
    }
    disk.full.store(false, Ordering::SeqCst);
    store.commit(&batch(&[(&refused, Some(&large))])).unwrap();
}

/// A store with some rows, closed.
fn stored() -> (tempfile::TempDir, std::path::PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("chain.redb");
    let store = RedbStore::open(&path).unwrap();
    let names: Vec<_> = (0..500).map(|number| format!("row {number}")).collect();
    for some in names.chunks(100) {
        let rows: Vec<_> = some.iter().map(|name| (name.as_str(), Some("what is stored under it"))).collect();
        store.commit(&batch(&rows)).unwrap();
    }
    drop(store);
    (dir, path)
}

/// Uses every part of a store that may be damaged; what it returns does not matter, only that it returns.
fn use_it(path: &Path) -> Result<usize, StoreError> {
    let store = RedbStore::open(path)?;
    let mut rows = 0;
    for table in Table::ALL {
        store.snapshot()?.scan(table, b"", &mut |_, _| {
            rows += 1;
            ControlFlow::Continue(())
        })?;
        store.snapshot()?.get(table, b"row 77")?;
    }
    let (name, long) = ("x".repeat(30), "y".repeat(100_000));
    store.commit(&batch(&[(&name, Some(&long)), ("row 1", None), ("row 499", Some("z"))]))?;
    Ok(rows)
}

#[test]
fn a_file_that_was_used_and_is_lost_is_no_new_store() {
    let (_dir, path) = stored();
    for empty in [false, true] {
        std::fs::remove_file(&path).unwrap();
        if empty {
            std::fs::write(&path, "").unwrap();
        }
        let error = RedbStore::open(&path).err().unwrap().to_string();
        let marker = format!("{}.used", path.display());
        assert!(error.contains(&marker) && error.contains("put it back"), "{error}");
        assert_eq!(path.exists(), empty, "nothing was begun");
        std::fs::write(&path, "").unwrap();
    }
    std::fs::remove_file(path.with_file_name("chain.redb.used")).unwrap();
    assert_eq!(state(&RedbStore::open(&path).unwrap()), [], "without the marker it begins anew");
}

#[test]
fn a_damaged_or_shortened_file_is_an_error_that_names_it_and_never_a_panic() {
    let (_dir, path) = stored();
    let whole = std::fs::read(&path).unwrap();
    assert_eq!(use_it(&path), Ok(500));
    let mut refused = 0;
    let mut check = |bytes: &[u8], what: String| {
        std::fs::write(&path, bytes).unwrap();
        if let Err(error) = use_it(&path) {
            let error = error.to_string();
            assert!(error.contains("chain.redb"), "{what}: {error}");
            refused += 1;
        }
    };
    for part in 0..8 {
        let length = (whole.len() * part / 8).max(1);
        check(&whole[..length], format!("the first {length} bytes"));
    }
    // Bytes of the header, and of many pages.
    for at in (0..320).step_by(7).chain((512..whole.len()).step_by(whole.len() / 40)) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        check(&bytes, format!("byte {at} changed"));
    }
    check(b"not a database", "a text".to_owned());
    assert!(refused > 8, "only {refused} of these files were refused");
}

#[test]
fn a_file_that_is_moved_away_while_it_is_used_is_noticed_until_it_is_back() {
    let (_dir, path) = stored();
    let away = path.with_file_name("away");
    let store = RedbStore::open(&path).unwrap();
    assert_eq!(store.fault(), None);
    std::fs::rename(&path, &away).unwrap();
    let error = store.commit(&batch(&[("a", Some("1"))])).unwrap_err().to_string();
    assert!(error.contains("was deleted or moved") && error.contains("chain.redb"), "{error}");
    assert_eq!(state(&store).len(), 500, "what is there can be read");
    std::fs::write(&path, "").unwrap();
    assert!(store.commit(&batch(&[("a", Some("1"))])).unwrap_err().to_string().contains("was replaced"));
    store.check_place();
    assert!(store.fault().is_some());

    std::fs::rename(&away, &path).unwrap();
    store.check_place();
    assert_eq!(store.fault(), None);
    store.commit(&batch(&[("a", Some("1"))])).unwrap();
    assert_eq!(state(&store).len(), 501);
}

#[test]
fn a_fault_lasts_until_a_commit_succeeds() {
    let disk = Disk::default();
    let store = RedbStore::open_on({
        let disk = disk.clone();
        move || disk.clone()
    })
    .unwrap();
    disk.fails.store(true, Ordering::SeqCst);
    assert!(store.commit(&batch(&[("a", Some("1"))])).is_err());
    let reason = store.fault().unwrap();
    assert!(reason.contains("no room is left") && reason.contains("goes on by itself"), "{reason}");
    disk.fails.store(false, Ordering::SeqCst);
    assert!(store.fault().is_some());
    store.commit(&batch(&[("a", Some("1"))])).unwrap();
    assert_eq!(store.fault(), None);
}
