// Finds and makes elements. Text from outside becomes text nodes, never markup.

import { base } from "./base.js";

/// The element with an id.
export const part = (id) => document.getElementById(id);

/// A new element. Strings among its children become text.
export function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

/// A link to the page of a hash, id or address, which is shown shortened.
export function shortLink(path, name) {
  const href = `${base}${path}/${encodeURIComponent(name)}`;
  return element("a", { className: "hash", href, title: name }, `${name.slice(0, 12)}…`);
}

/// Characters that are invisible or change the order of text: the same that the server replaces.
const HIDDEN = new RegExp(
  "[\\p{Cc}\\u{ad}\\u{61c}\\u{180e}\\u{200b}-\\u{200f}\\u{2028}-\\u{202e}\\u{2060}-\\u{206f}\\u{feff}"
    + "\\u{fff9}-\\u{fffb}\\u{e0000}-\\u{e007f}]",
  "gu",
);

/// Replaces hidden characters by their numbers.
export const visible = (text) =>
  text.replace(HIDDEN, (character) =>
    `⟨U+${character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}⟩`);

/// Shows the error of a field; empty words remove it.
export function complain(field, words) {
  const place = part(`${field.id}-error`);
  place.textContent = words;
  place.hidden = words === "";
  field.setAttribute("aria-invalid", String(words !== ""));
}
