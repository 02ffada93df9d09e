// Parts of the page, by id, and new ones. Whatever comes from outside becomes text, never markup.

/// A part of the page.
export const part = (id) => document.getElementById(id);

/// A new element; strings among its children become text.
export function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

/// A link to a page about something long, which is shown shortened.
export const shortLink = (path, name) =>
  element("a", { className: "hash", href: `${path}/${encodeURIComponent(name)}`, title: name }, `${name.slice(0, 12)}…`);

/// What nobody sees, or what turns the order of what they see: the same as the server's own pages replace.
const HIDDEN =
  /[\p{Cc}\u{ad}\u{61c}\u{180e}\u{200b}-\u{200f}\u{2028}-\u{202e}\u{2060}-\u{206f}\u{feff}\u{fff9}-\u{fffb}\u{e0000}-\u{e007f}]/gu;

/// Text with all that is hidden in it made visible.
export const visible = (text) =>
  text.replace(HIDDEN, (character) =>
    `⟨U+${character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}⟩`);

/// Shows what is wrong with a field, or that nothing is.
export function complain(field, words) {
  const place = part(`${field.id}-error`);
  place.textContent = words;
  place.hidden = words === "";
  field.setAttribute("aria-invalid", String(words !== ""));
}
