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

/// Text with what would not show, or would turn the order of what does, made visible.
export const visible = (text) =>
  text.replace(/[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/gu, (character) =>
    `⟨U+${character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}⟩`);

/// Shows what is wrong with a field, or that nothing is.
export function complain(field, words) {
  const place = part(`${field.id}-error`);
  place.textContent = words;
  place.hidden = words === "";
  field.setAttribute("aria-invalid", String(words !== ""));
}
