// The drawer "Try to steal" of the first page: opens and closes it, and starts a theft. The server renders what it shows.

import { base } from "./base.js";
import { isRewound } from "./rewind.js";

const head = document.getElementById("head");
const drawer = document.getElementById("theft-drawer");
const part = document.getElementById("theft");

/** Whether the theft that goes on was shown: somebody who closed the drawer meanwhile wants it closed. */
let wasShown = false;

function setOpen(isOpen) {
  drawer.hidden = !isOpen;
  head.querySelector("[data-steal=open]")?.setAttribute("aria-expanded", String(isOpen));
}

/** The buttons of an earlier moment stay as the server sends them: disabled. */
function enable() {
  const opener = head.querySelector("[data-steal=open]");
  if (opener) {
    opener.disabled = false;
    opener.setAttribute("aria-expanded", String(!drawer.hidden));
  }
  if (isRewound()) return;
  part.querySelectorAll("[data-steal]").forEach((button) => { button.disabled = false; });
}

/** A theft opens the drawer for everybody, once. */
function show() {
  enable();
  const isShown = part.querySelector("[data-shown]") !== null;
  if (isShown && !wasShown) setOpen(true);
  wasShown = isShown;
}

async function steal({ percent, confirmations }) {
  part.querySelectorAll("[data-steal=start]").forEach((button) => { button.disabled = true; });
  try {
    const answer = await fetch(`${base}/api/steal`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ percent: Number(percent), confirmations: Number(confirmations) }),
    });
    if (answer.ok) return;
    const problem = await answer.json();
    complain(problem.detail ?? problem.title);
  } catch {
    complain("The explorer does not answer: is it still running?");
  }
  enable();
}

/** Why no theft began; the next state of the drawer takes it away. */
function complain(words) {
  const result = document.getElementById("theft-result");
  if (result) result.textContent = words;
}

document.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest("button[data-steal]") : null;
  if (!button) return;
  const orders = { open: () => setOpen(drawer.hidden), close: () => setOpen(false), start: () => steal(button.dataset) };
  orders[button.dataset.steal]();
});

document.addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey || event.defaultPrevented || event.key.toLowerCase() !== "t") return;
  if (event.target instanceof Element && event.target.closest("input, textarea, select")) return;
  if (head.querySelector("[data-steal=open]")) setOpen(drawer.hidden);
});

head.addEventListener("renewed", enable);
part.addEventListener("renewed", show);
show();
