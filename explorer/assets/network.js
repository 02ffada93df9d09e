// The buttons of the network page: they ask the explorer, which has the nodes' tokens, to split or heal the network.

import { base } from "./base.js";

const result = document.getElementById("split-result");

const say = (words, kind) => {
  result.className = kind;
  result.textContent = words;
};

async function order(action, button) {
  button.disabled = true;
  say(action === "split" ? "Splitting …" : "Healing …", "muted");
  try {
    const answer = await fetch(`${base}/api/${action}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: "{}",
    });
    const outcome = await answer.json();
    if (answer.ok) say(outcome.message, "good");
    else say(`That did not work: ${outcome.detail ?? outcome.title}`, "bad");
  } catch {
    say("The explorer does not answer: is it still running?", "bad");
  } finally {
    button.disabled = false;
  }
}

// live.js replaces the buttons, so the document listens for them.
document.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest("button[data-split]") : null;
  if (button) order(button.dataset.split, button);
});
