// Buttons that copy: those of commands, which the server writes, and one beside every hash and address, which this file
// adds. So a page without scripts has no button that does nothing.

/** What is worth copying: a hash or an address, as a whole. */
const WHOLE = /^(?:[0-9a-f]{64}|0x[0-9a-f]{40}|lab1[0-9a-z]{20,100})$/;
const BESIDE = "a.hash, code.hash, a.who";
const SHOWN_MS = 2000;

/** Copies the text; what cannot be copied is selected, if it is on the page. Returns words for the button. */
async function copy(text, element) {
  if (navigator.clipboard) {
    try {
      await navigator.clipboard.writeText(text);
      return "Copied";
    } catch {
      // Not allowed: try the older way.
    }
  }
  // On a plain http address of another machine, as in a classroom, browsers have only the older way.
  if (copyFromField(text)) return "Copied";
  getSelection()?.selectAllChildren(element);
  return "Selected: press Ctrl-C";
}

function copyFromField(text) {
  const focused = document.activeElement;
  const field = document.createElement("textarea");
  field.className = "hidden";
  field.value = text;
  document.body.append(field);
  field.select();
  try {
    return document.execCommand("copy");
  } catch {
    return false;
  } finally {
    field.remove();
    focused?.focus?.({ preventScroll: true });
  }
}

/** The whole hash or address that an element shows, perhaps shortened; `undefined` if it shows another text. */
function wholeText(element) {
  const texts = [element.title, element.textContent.trim()];
  return texts.find((text) => WHOLE.test(text));
}

function addButton(element) {
  const text = wholeText(element);
  if (text === undefined || element.nextElementSibling?.classList.contains("copy-beside")) return;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy-beside";
  button.title = /^(?:lab1|0x)/.test(text) ? "Copy the address" : "Copy the hash";
  button.setAttribute("aria-label", button.title);
  // A table has many: there the tab key goes to links only, and each thing has a page of its own with a button.
  if (element.closest("table")) button.tabIndex = -1;
  element.after(button);
}

/** Shows the buttons of a page or of a part that is new on it. */
export function enableCopying(root) {
  root.querySelectorAll(".copyable .copy[hidden]").forEach((button) => { button.hidden = false; });
  for (const element of root.querySelectorAll(BESIDE)) {
    if (!element.closest("pre, button, .copyable")) addButton(element);
  }
  root.querySelectorAll("svg.chain a.block").forEach(addToBlock);
}

const SVG = "http://www.w3.org/2000/svg";

/** A block of the picture has its button in the drawing, over its lower corner, so that nothing moves. It shows while the
 * pointer is over the block. Keys go to the block's page, which has a button of its own. */
function addToBlock(block) {
  const body = block.querySelector(".body");
  if (!body || !WHOLE.test(block.dataset.key ?? "") || block.nextElementSibling?.classList.contains("copy-block")) return;
  const number = (name) => Number(body.getAttribute(name));
  const make = (name, attributes) => {
    const element = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return element;
  };
  const button = make("g", { class: "copy-block", "aria-hidden": "true" });
  const [x, y] = [number("x") + number("width") - 48, number("y") + number("height") - 28];
  const title = make("title", {});
  title.textContent = "Copy the hash";
  button.append(title, make("rect", { x, y, width: 24, height: 24, rx: 6 }),
    make("path", { d: `M${x + 9} ${y + 7}h9v11h-9zM${x + 6} ${y + 15}v-11h9` }));
  block.after(button);
}

function showDone(button, words) {
  const before = button.dataset.words ?? button.textContent;
  button.dataset.words = before;
  button.textContent = words;
  button.classList.add("done");
  setTimeout(() => {
    button.textContent = before;
    button.classList.remove("done");
  }, SHOWN_MS);
}

document.addEventListener("click", async (event) => {
  const inPicture = event.target instanceof Element ? event.target.closest(".copy-block") : null;
  if (inPicture) {
    const block = inPicture.previousElementSibling;
    const title = inPicture.querySelector("title");
    title.textContent = await copy(block.dataset.key, title);
    inPicture.classList.add("done");
    setTimeout(() => {
      title.textContent = "Copy the hash";
      inPicture.classList.remove("done");
    }, SHOWN_MS);
    return;
  }
  const button = event.target instanceof Element ? event.target.closest(".copy, .copy-beside") : null;
  if (!button) return;
  const source = button.closest(".copyable")?.querySelector("code") ?? button.previousElementSibling;
  const text = button.matches(".copy") ? source?.textContent : wholeText(source);
  if (text) showDone(button, await copy(text, source));
});
