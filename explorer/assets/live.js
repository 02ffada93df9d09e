// Keeps a page up to date. Every element with an id and data-live="nodes blocks pool ticker" (any of these words) gets
// the content that the page has now, as soon as one of the named things changes; the server renders it, nothing is
// built here. Besides: times in words, and buttons that copy.

const AGAIN_MS = 300;
/** After a fetch, at least so many times as long as it took is waited: who answers slowly is asked less often. */
const REST = 3;
const LONGEST_REST_MS = 10_000;
const PATIENCE_MS = 30_000;
const FRESH_MS = 2500;
const CHANGES = ["nodes", "blocks", "pool", "ticker"];

/* == parts that change == */

/** What the server last sent of each part: what scripts did to it since is no change. */
const sent = new Map();
/** When something appeared for the first time, by its data-key. */
const appeared = new Map();
const due = new Set();
let isRenewing = false;

const liveParts = (root) => [...root.querySelectorAll("[id][data-live]")];
const remember = () => liveParts(document).forEach((part) => sent.set(part.id, part.innerHTML));

function partsOf(changes) {
  const isDue = (part) => part.dataset.live.split(/\s+/).some((change) => changes.has(change));
  return liveParts(document).filter(isDue);
}

/** Never twice at once, a few times a second at the most, and only while somebody looks: what is due stays due. */
async function renew() {
  if (isRenewing) return;
  isRenewing = true;
  while (due.size > 0 && !document.hidden) {
    const changes = new Set(due);
    due.clear();
    const began = performance.now();
    if (partsOf(changes).length > 0) await fetchPage(changes);
    const rest = Math.max(AGAIN_MS, Math.min(REST * (performance.now() - began), LONGEST_REST_MS));
    await new Promise((done) => { setTimeout(done, rest); });
  }
  isRenewing = false;
}

/** Where the page as it is now is found: a name may come to mean another thing, as a height does when the chain forks. */
const source = () => document.querySelector("[data-live-from]")?.dataset.liveFrom ?? location.href;

async function fetchPage(changes) {
  try {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const answer = await fetch(source(), { headers: { accept: "text/html" }, cache: "no-store", signal });
    if (answer.ok) take(new DOMParser().parseFromString(await answer.text(), "text/html"), changes);
  } catch {
    // The stream of changes breaks off too, and comes back by itself: then everything is asked for again.
  }
}

function take(page, changes) {
  for (const part of partsOf(changes)) {
    const now = page.getElementById(part.id);
    if (now && now.innerHTML !== sent.get(part.id)) replace(part, now);
  }
}

/** Gives a part its new content; focus, places of scrolling and what is folded open stay. */
function replace(part, now) {
  sent.set(part.id, now.innerHTML);
  const keys = new Set([...part.querySelectorAll("[data-key]")].map((element) => element.dataset.key));
  const focus = part.contains(document.activeElement) ? pathTo(part, document.activeElement) : null;
  const scrolled = [...part.querySelectorAll("[id]")].map((box) => [box.id, box.scrollTop, box.scrollLeft]);
  const open = [...part.querySelectorAll("details[open]")].map((details) => pathTo(part, details));
  const [top, left] = [part.scrollTop, part.scrollLeft];
  part.replaceChildren(...[...now.childNodes].map((node) => document.importNode(node, true)));
  [part.scrollTop, part.scrollLeft] = [top, left];
  for (const [id, boxTop, boxLeft] of scrolled) {
    const box = document.getElementById(id);
    if (box) [box.scrollTop, box.scrollLeft] = [boxTop, boxLeft];
  }
  for (const path of open) find(part, path)?.setAttribute("open", "");
  if (focus) find(part, focus)?.focus({ preventScroll: true });
  markFresh(part, keys);
  enhance(part);
  part.dispatchEvent(new CustomEvent("renewed", { bubbles: true }));
}

/** How to find an element again among new ones: by its id, its key or its link, else by its place. */
function pathTo(part, element) {
  const keyed = element.closest("[data-key]");
  const within = keyed && part.contains(keyed) ? keyed : part;
  const same = [...within.querySelectorAll(element.localName)];
  return { id: element.id, key: within === part ? null : within.dataset.key, name: element.localName, place: same.indexOf(element) };
}

function find(part, { id, key, name, place }) {
  if (id) return document.getElementById(id);
  const within = key === null ? part : [...part.querySelectorAll("[data-key]")].find((element) => element.dataset.key === key);
  // -1: the element with the key itself.
  return place < 0 ? within : within?.querySelectorAll(name)[place];
}

/** What was not there before is shown to be new, and goes on to be so when the part is replaced meanwhile. */
function markFresh(part, keysBefore) {
  const now = performance.now();
  for (const [key, at] of appeared) if (now - at > FRESH_MS) appeared.delete(key);
  for (const element of part.querySelectorAll("[data-key]")) {
    const key = `${part.id} ${element.dataset.key}`;
    if (!keysBefore.has(element.dataset.key)) appeared.set(key, now);
    if (!appeared.has(key)) continue;
    element.classList.add("fresh");
    element.style.setProperty("--age", `${Math.round(appeared.get(key) - now)}ms`);
  }
}

let events = null;

/** Listens only while somebody looks: a browser opens six connections to us at most, and a stream takes one for good. */
function listenWhileVisible() {
  if (!document.hidden && !events) {
    listen();
  } else if (document.hidden && events) {
    events.close();
    events = null;
  }
}

function listen() {
  const state = document.getElementById("live-state");
  const say = (name, words) => {
    if (!state || state.dataset.state === name) return;
    state.dataset.state = name;
    state.textContent = words;
  };
  const stream = new EventSource("/live");
  events = stream;
  stream.onopen = () => {
    say("live", "live");
    // What happened before nobody told us.
    CHANGES.forEach((change) => due.add(change));
    renew();
  };
  stream.onerror = () => {
    say("off", "not connected");
    // The browser tries again by itself unless it was refused.
    if (stream.readyState !== EventSource.CLOSED || events !== stream) return;
    events = null;
    setTimeout(listenWhileVisible, 5000);
  };
  for (const change of CHANGES) {
    stream.addEventListener(change, () => {
      due.add(change);
      renew();
    });
  }
}

/* == times == */

const FORMAT = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

function ago(ms) {
  const seconds = Math.round(ms / 1000);
  if (seconds < 0) return `in ${-seconds} s`;
  if (seconds < 2) return "just now";
  if (seconds < 100) return `${seconds} s ago`;
  if (seconds < 6000) return `${Math.round(seconds / 60)} min ago`;
  if (seconds < 48 * 3600) return `${Math.round(seconds / 3600)} h ago`;
  return `${Math.round(seconds / 86400)} days ago`;
}

function tellTimes(root) {
  for (const element of root.querySelectorAll("time[datetime]")) {
    const at = Date.parse(element.dateTime);
    if (Number.isNaN(at)) continue;
    const words = ago(Date.now() - at);
    if (element.textContent !== words) element.textContent = words;
    if (!element.title) element.title = FORMAT.format(at);
  }
}

/* == copying == */

async function copy(box) {
  const text = box.querySelector("code")?.textContent ?? "";
  if (navigator.clipboard) {
    try {
      await navigator.clipboard.writeText(text);
      return "Copied";
    } catch {
      // Not allowed: select it instead.
    }
  }
  getSelection()?.selectAllChildren(box.querySelector("code"));
  return "Selected: press Ctrl-C";
}

document.addEventListener("click", async (event) => {
  const button = event.target instanceof Element ? event.target.closest(".copyable .copy") : null;
  if (!button) return;
  const before = button.dataset.words ?? button.textContent;
  button.dataset.words = before;
  button.textContent = await copy(button.closest(".copyable"));
  setTimeout(() => { button.textContent = before; }, 2000);
});

/* == start == */

function enhance(root) {
  root.querySelectorAll(".copyable .copy[hidden]").forEach((button) => { button.hidden = false; });
  tellTimes(root);
}

remember();
enhance(document);
setInterval(() => { if (!document.hidden) tellTimes(document); }, 1000);
document.addEventListener("visibilitychange", () => { renew(); });
if (liveParts(document).length > 0) {
  document.addEventListener("visibilitychange", listenWhileVisible);
  listenWhileVisible();
}
