// Buttons that copy: those of commands, which the server writes, and one beside every hash and address, which this file
// adds. So a page without scripts has no button that does nothing.

/** What is worth copying: a hash or an address, as a whole. */
const WHOLE = /^(?:[0-9a-f]{64}|lab1[0-9a-z]{20,100})$/;
const BESIDE = "a.hash, code.hash, a.who";
const SHOWN_MS = 2000;

/** Copies the text; what cannot be copied is selected, if it is on the page. Returns words for the button. */
async function copy(text, element) {
  if (navigator.clipboard) {
    try {
      await navigator.clipboard.writeText(text);
      return "Copied";
    } catch {
      // Not allowed: select the text instead.
    }
  }
  getSelection()?.selectAllChildren(element);
  return "Selected: press Ctrl-C";
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
  button.title = text.startsWith("lab1") ? "Copy the address" : "Copy the hash";
  button.setAttribute("aria-label", button.title);
  // A table has many: there the tab key goes to links only, and each thing has a page of its own with a button.
  if (element.closest("table")) button.tabIndex = -1;
  element.after(button);
}

/** Shows the buttons of a page or of a part that is new on it. */
export function enableCopying(root) {
  root.querySelectorAll(".copyable .copy[hidden]").forEach((button) => { button.hidden = false; });
  for (const element of root.querySelectorAll(BESIDE)) {
    // The first page shows people and not addresses, and on Learn the hashes are of what one types.
    if (!element.closest("#stage, #learn, pre, button, .copyable")) addButton(element);
  }
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
  const button = event.target instanceof Element ? event.target.closest(".copy, .copy-beside") : null;
  if (!button) return;
  const source = button.closest(".copyable")?.querySelector("code") ?? button.previousElementSibling;
  const text = button.matches(".copy") ? source?.textContent : wholeText(source);
  if (text) showDone(button, await copy(text, source));
});
