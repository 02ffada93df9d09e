// The network page: splits the network in two and heals it, by the explorer, which holds the nodes' tokens.

const result = document.getElementById("split-result");

const say = (words, kind) => {
  result.className = kind;
  result.textContent = words;
};

async function order(action, button) {
  button.disabled = true;
  say(action === "split" ? "Splitting …" : "Healing …", "muted");
  try {
    const answer = await fetch(`/api/${action}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: "{}",
    });
    const told = await answer.json();
    if (answer.ok) say(told.message, "good");
    else say(`That did not work: ${told.detail ?? told.title}`, "bad");
  } catch {
    say("The explorer does not answer: is it still running?", "bad");
  } finally {
    button.disabled = false;
  }
}

// The buttons are replaced while the page is open, so the page listens, not each of them.
document.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest("button[data-split]") : null;
  if (button) order(button.dataset.split, button);
});
