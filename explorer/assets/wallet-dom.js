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

// Which characters deceive is decided in runtime/src/sanitize.rs; this is the same rule for browsers.

/// Characters that are invisible or change the order of text.
const HIDDEN = new RegExp(
  "[\\p{Cc}\\u{ad}\\u{61c}\\u{180e}\\u{200b}-\\u{200f}\\u{2028}-\\u{202e}\\u{2060}-\\u{206f}\\u{feff}"
    + "\\u{fff9}-\\u{fffb}\\u{e0000}-\\u{e007f}]",
  "u",
);
/// Emoji, marks, and letters of scripts whose letters join: here a joiner is a part of writing.
const JOINED = new RegExp(
  "[\\u{600}-\\u{1cff}\\u{2190}-\\u{2bff}\\u{a800}-\\u{abff}\\u{fb50}-\\u{fe0f}\\u{fe70}-\\u{feff}"
    + "\\u{10a00}-\\u{11fff}\\u{1e900}-\\u{1faff}]",
  "u",
);
const JOINER = /[\u{200c}\u{200d}]/u;
const TAG = /[\u{e0020}-\u{e007f}]/u;
/// The emoji that begins the flag of a region, and most tags after it: six characters and the end.
const BLACK_FLAG = "\u{1f3f4}";
const FLAG_TAGS = 7;

/// Replaces hidden characters by their numbers, except for those that writing needs.
export function visible(text) {
  let [shown, previous, tags] = ["", "", 0];
  for (const character of text) {
    const isJoined = JOINER.test(character) && JOINED.test(previous) && !HIDDEN.test(previous);
    const isFlag = tags > 0 && TAG.test(character);
    const isShown = !HIDDEN.test(character) || isJoined || isFlag;
    shown += isShown ? character : numberOf(character);
    tags = character === BLACK_FLAG ? FLAG_TAGS : isFlag && character !== "\u{e007f}" ? tags - 1 : 0;
    previous = character;
  }
  return shown;
}

const numberOf = (character) => `⟨U+${character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}⟩`;

/// Shows the error of a field; empty words remove it.
export function complain(field, words) {
  const place = part(`${field.id}-error`);
  place.textContent = words;
  place.hidden = words === "";
  field.setAttribute("aria-invalid", String(words !== ""));
}
