//! The template of a route's path: pieces between slashes, of which those in braces are parameters.

/// The pieces of a template; the root has none.
pub(super) fn pieces(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|piece| !piece.is_empty())
}

/// The name of a parameter, where a piece of a template is one.
pub(super) fn param(piece: &str) -> Option<&str> {
    piece.strip_prefix('{')?.strip_suffix('}')
}
