// The first page: its buttons, keys and steps. live.js replaces its parts and counts its times.

import { base } from "./base.js";
import { serverNow, setPaused } from "./live.js";
import { isRewound, leave, turnChapter } from "./rewind.js";
import { markStep, showSteps } from "./steps.js";

const head = document.getElementById("head");
const chain = document.getElementById("chain");
const spoken = document.getElementById("spoken");
const calm = matchMedia("(prefers-reduced-motion: reduce)");

/* == splitting and healing == */

async function order(action) {
  const button = head.querySelector(`button[data-split="${action}"]`);
  if (!button || button.disabled) return;
  button.disabled = true;
  try {
    const answer = await fetch(`${base}/api/${action}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: "{}",
    });
    const outcome = await answer.json();
    if (answer.ok && action === "split") markStep("split");
    if (!answer.ok) complain(outcome.detail ?? outcome.title);
  } catch {
    complain("The explorer does not answer: is it still running?");
  } finally {
    button.disabled = false;
  }
}

/** Why an order failed; the next state of the headline takes it away. */
function complain(words) {
  const note = head.querySelector(".act > p");
  if (note) note.textContent = words;
  spoken.textContent = words;
}

document.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest("button[data-split]") : null;
  if (button) order(button.dataset.split);
});

/* == what changes == */

/** Speaks a new state, not its countdowns. */
function speak() {
  const words = head.querySelector("[data-speak]")?.dataset.speak ?? "";
  if (words !== "" && spoken.dataset.words !== words) {
    if (spoken.dataset.words !== undefined) spoken.textContent = words;
    spoken.dataset.words = words;
  }
}

/** The buttons of an earlier moment stay as the server sends them: disabled. */
const enableButtons = () => isRewound() || head.querySelectorAll("button[data-split]").forEach((button) => { button.disabled = false; });

/** The blocks and where they are, before the picture is replaced. */
let before = new Map();

chain.addEventListener("renewing", () => {
  before = new Map(blocks().map((block) => [block.dataset.key, place(block)]));
});

chain.addEventListener("renewed", () => {
  const now = blocks();
  if (!isRewound() && before.size > 0 && now.some((block) => !before.has(block.dataset.key))) markStep("watch");
  for (const block of now) {
    const was = before.get(block.dataset.key);
    if (was && !was.isLost && block.classList.contains("lost")) block.classList.add("draining");
  }
  moveLeft(now);
  oneStop();
});

head.addEventListener("renewed", () => {
  enableButtons();
  if (!isRewound()) speak();
});

const blocks = () => [...chain.querySelectorAll("a.block")];
const place = (block) => ({ left: block.getBoundingClientRect().left, isLost: block.classList.contains("lost") });

/** Moves the picture from where it was, once a block. */
function moveLeft(now) {
  if (calm.matches || document.hidden || document.body.classList.contains("frozen")) return;
  const known = now.find((block) => before.has(block.dataset.key) && !block.classList.contains("fresh"));
  const moved = known ? before.get(known.dataset.key).left - place(known).left : 0;
  if (moved > 4 && moved < 1000) {
    const steps = [{ transform: `translateX(${moved}px)` }, { transform: "none" }];
    chain.querySelector("svg")?.animate(steps, { duration: 600, easing: "ease-out" });
  }
}

/** The gap after the newest block grows between two renderings, with the logarithm of the time as everywhere. */
function growGap() {
  const past = chain.querySelector(".past[data-since-tip]");
  const isStill = isRewound() || document.body.classList.contains("frozen") || document.body.dataset.dead !== undefined;
  if (!past || isStill || document.hidden) return;
  const { sinceTip, drawn, decade } = past.dataset;
  const gap = (at) => decade * Math.log10(1 + Math.max(0, at - sinceTip) / 1000);
  const grown = Math.max(0, gap(serverNow()) - gap(drawn));
  past.setAttribute("transform", `translate(${-grown} 0)`);
  for (const wait of chain.querySelectorAll(".wait")) {
    wait.setAttribute("d", `M${wait.dataset.from - grown} ${wait.dataset.y}H${wait.dataset.to}`);
  }
  const last = chain.querySelector(".last");
  const [from, to] = [last.dataset.from - grown, Number(last.dataset.to)];
  const [middle, half] = [(from + to) / 2, Math.min(30, (to - from) / 2)];
  last.querySelector("path").setAttribute("d", `M${from} 300H${middle - half}M${middle + half} 300H${to}`);
  last.querySelector("text").setAttribute("x", middle);
}

/* == keys == */

/** The chain is one stop of the tab key; arrow keys go from block to block. */
function oneStop() {
  blocks().forEach((block) => { block.tabIndex = -1; });
}

chain.addEventListener("keydown", (event) => {
  const all = blocks();
  const at = all.indexOf(document.activeElement);
  const next = {
    ArrowLeft: at < 0 ? all.length - 1 : at - 1,
    ArrowRight: at < 0 ? all.length - 1 : at + 1,
    Home: 0,
    End: all.length - 1,
  }[event.key];
  if (next === undefined || !all[next]) return;
  event.preventDefault();
  all[next].focus();
  all[next].scrollIntoView({ block: "nearest", inline: "nearest" });
});

function toggleLecture() {
  document.documentElement.classList.toggle("lecture");
}

function togglePause() {
  // An earlier moment does not move: the key goes on from now.
  if (isRewound()) {
    leave();
    return;
  }
  const isPaused = document.body.classList.toggle("frozen");
  pauseButton.setAttribute("aria-pressed", String(isPaused));
  pauseButton.textContent = isPaused ? "Go on" : "Pause";
  setPaused(isPaused);
}

document.addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey || event.defaultPrevented) return;
  const isTyping = event.target instanceof Element && event.target.closest("input, textarea, select, button, a, summary");
  if (isTyping && (event.key === " " || event.target.closest("input, textarea, select"))) return;
  const isLecture = document.documentElement.classList.contains("lecture");
  const chapters = { arrowleft: () => turnChapter(-1), arrowright: () => turnChapter(1), n: leave };
  const keys = { s: () => order("split"), h: () => order("heal"), l: toggleLecture, " ": togglePause };
  const act = { ...keys, ...(isLecture ? chapters : {}) }[event.key.toLowerCase()];
  if (!act) return;
  event.preventDefault();
  act();
});

/* == a dead connection == */

const CLOCK = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
let lastLive = Date.now();

/** Says since when nothing was heard. The next part from the server replaces it. */
document.addEventListener("live-state", ({ detail }) => {
  if (detail === "live") {
    lastLive = Date.now();
    delete document.body.dataset.dead;
    return;
  }
  if (document.body.dataset.dead !== undefined) return;
  document.body.dataset.dead = "";
  const section = head.querySelector(".head");
  if (!section) return;
  section.className = "head dead";
  section.querySelector("h1").textContent = `No connection since ${CLOCK.format(lastLive)}.`;
  section.querySelector(".says p").textContent = "Trying again all the time. Below is how things stood then.";
  section.dataset.speak = "The connection is lost.";
  section.querySelectorAll("button").forEach((button) => { button.disabled = true; });
  speak();
});

document.addEventListener("live-heard", () => { lastLive = Date.now(); });

/* == start == */

const pauseButton = document.getElementById("pause");
pauseButton.hidden = false;
pauseButton.addEventListener("click", togglePause);
if (new URLSearchParams(location.search).has("lecture")) toggleLecture();
enableButtons();
oneStop();
speak();
showSteps();
setInterval(growGap, 1000);
