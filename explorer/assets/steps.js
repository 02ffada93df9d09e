// The first steps of a newcomer, which tick themselves off. The browser remembers them; nobody else learns of them.

const KEY = "chainlab-steps";

function read() {
  try {
    return JSON.parse(localStorage.getItem(KEY)) ?? {};
  } catch {
    // Nothing is kept in this browser: the steps begin anew on each page.
    return {};
  }
}

function write(steps) {
  try {
    localStorage.setItem(KEY, JSON.stringify(steps));
  } catch {
    // See above.
  }
}

/** Ticks a step off. */
export function markStep(name) {
  const steps = read();
  if (steps[name]) return;
  write({ ...steps, [name]: true });
  showSteps();
}

/** Shows which steps are done and which is next. */
export function showSteps() {
  const nav = document.getElementById("steps");
  if (!nav) return;
  const steps = read();
  nav.hidden = Boolean(steps.hidden);
  let isNextShown = false;
  for (const item of nav.querySelectorAll("[data-step]")) {
    const isDone = Boolean(steps[item.dataset.step]);
    const isNext = !isDone && !isNextShown;
    isNextShown ||= isNext;
    item.classList.toggle("done", isDone);
    item.classList.toggle("next", isNext);
    if (isDone) item.querySelector(".tick").textContent = "✓";
    item.querySelector("[data-done]").textContent = isDone ? " (done)" : "";
  }
  const hide = document.getElementById("steps-hide");
  hide.hidden = false;
  hide.onclick = () => {
    write({ ...read(), hidden: true });
    showSteps();
  };
}
