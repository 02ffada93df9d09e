//! The top modules of a crate do not import each other in circles: what handlers share knows no handler, and pure state
//! knows no requests.

use crate::{ARROWS, all_sources, production_code, root};
use std::collections::{BTreeMap, BTreeSet};

type Imports = BTreeMap<String, BTreeSet<String>>;

/// The top modules that a piece of code imports.
fn imported(code: &str) -> BTreeSet<String> {
    let first_word = |path: &str| {
        let end = path.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(path.len());
        path[..end].to_owned()
    };
    let paths = code.split("crate::").skip(1).flat_map(|rest| match rest.strip_prefix('{') {
        Some(group) => group.split('}').next().unwrap_or_default().split(',').map(str::trim).collect::<Vec<_>>(),
        None => vec![rest],
    });
    paths.map(first_word).filter(|name| !name.is_empty()).collect()
}

fn imports_of(name: &str) -> Imports {
    let source = root().join(name).join("src");
    let mut imports = Imports::new();
    for (path, text) in all_sources() {
        let Ok(inside) = path.strip_prefix(&source) else { continue };
        let top = inside.components().next().unwrap().as_os_str().to_str().unwrap().trim_end_matches(".rs").to_owned();
        let is_test = inside.components().any(|part| matches!(part.as_os_str().to_str(), Some("tests" | "tests.rs")));
        if !is_test && !["lib", "main"].contains(&&*top) {
            imports.entry(top).or_default().extend(imported(&production_code(&text)));
        }
    }
    imports
}

/// The modules that can be reached from themselves.
fn circle(imports: &Imports) -> Vec<&String> {
    let reaches_itself = |start: &&String| {
        let mut reached = BTreeSet::new();
        let mut waiting = vec![*start];
        while let Some(module) = waiting.pop() {
            for next in imports.get(module).into_iter().flatten().filter(|next| *next != module) {
                if next == *start {
                    return true;
                }
                if reached.insert(next) {
                    waiting.push(next);
                }
            }
        }
        false
    };
    imports.keys().filter(reaches_itself).collect()
}

#[test]
fn a_circle_is_found_however_long_it_is() {
    let imports = |pairs: &[(&str, &str)]| {
        let mut imports = Imports::new();
        for (from, code) in pairs {
            imports.insert((*from).to_owned(), imported(code));
        }
        imports
    };
    let straight =
        imports(&[("a", "use crate::b::C;\ncrate::{c, b::D}"), ("b", "use crate::c;"), ("c", "crate::c::d()")]);
    assert!(circle(&straight).is_empty());
    let round = imports(&[("a", "use crate::b::C;"), ("b", "use crate::{x, c};"), ("c", "crate::a::d()"), ("x", "")]);
    assert_eq!(circle(&round), ["a", "b", "c"]);
}

#[test]
fn modules_do_not_import_each_other_in_circles() {
    for (name, _) in ARROWS {
        let imports = imports_of(name);
        assert!(!imports.is_empty(), "{name} has no modules");
        assert_eq!(circle(&imports), Vec::<&String>::new(), "{name}: these modules import each other");
    }
}
