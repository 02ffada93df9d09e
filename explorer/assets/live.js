// Keeps a page up to date. An element with an id and data-live="nodes blocks pool ticker" (one or more of these words)
// gets new content when one of the named things changes. The server renders the content. An element with data-part gets
// its content in the stream itself. This file also shows times in words.

import { base } from "./base.js";
import { enableCopying } from "./copy.js";

const AGAIN_MS = 1000;
/** The pause after a fetch is at least this many times its duration, so that a slow server gets fewer requests. */
const REST = 3;
const LONGEST_REST_MS = 10_000;
const PATIENCE_MS = 30_000;
const FRESH_MS = 2500;
/** More than two heartbeats of the server. */
const LONGEST_SILENCE_MS = 12_000;
const AGAIN_LATER_MS = 5000;
const CHANGES = ["nodes", "blocks", "pool", "ticker"];

/* == parts that change == */

/** The HTML of each part as the server last sent it: later changes by scripts do not count. */
const sent = new Map();
/** When an element first appeared, by part and data-key. */
const appeared = new Map();
const due = new Set();
let isRenewing = false;

const liveParts = (root) => [...root.querySelectorAll("[id][data-live]")];
const remember = () => liveParts(document).forEach((part) => sent.set(part.id, part.innerHTML));

function partsOf(changes) {
  const isDue = (part) => part.dataset.live.split(/\s+/).some((change) => changes.has(change));
  return liveParts(document).filter(isDue);
}

/** Fetches what is due: one fetch at a time, a few times a second at most, and only while the page is visible. */
async function renew() {
  if (isRenewing) return;
  isRenewing = true;
  while (due.size > 0 && !document.hidden) {
    const changes = new Set(due);
    due.clear();
    const began = performance.now();
    const isDone = partsOf(changes).length === 0 || await fetchPage(changes);
    if (!isDone) changes.forEach((change) => due.add(change));
    const least = isDone ? AGAIN_MS : AGAIN_LATER_MS;
    const rest = Math.max(least, Math.min(REST * (performance.now() - began), LONGEST_REST_MS));
    await new Promise((done) => { setTimeout(done, rest); });
  }
  isRenewing = false;
}

/** The URL of the content: not that of the page if it may come to mean something else, as a height may. */
const source = () => document.querySelector("[data-live-from]")?.dataset.liveFrom ?? location.href;

/** Fetches the page and takes its parts over; returns whether that worked. */
async function fetchPage(changes) {
  try {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    // The browser asks with the tag of what it has, so that a page that has not changed is not sent again.
    const answer = await fetch(source(), { headers: { accept: "text/html" }, cache: "no-cache", signal });
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    take(new DOMParser().parseFromString(await answer.text(), "text/html"), changes);
    if (events?.readyState === EventSource.OPEN) showState("live", "live");
    return true;
  } catch {
    // What is shown is old, though the stream may be alive.
    showState("off", "not connected");
    return false;
  }
}

function take(page, changes) {
  for (const part of partsOf(changes)) {
    const now = page.getElementById(part.id);
    if (now && now.innerHTML !== sent.get(part.id)) replace(part, now);
  }
}

/** Replaces the content of a part, and keeps focus, scroll positions and open details. */
function replace(part, now, html = now.innerHTML) {
  sent.set(part.id, html);
  part.dispatchEvent(new CustomEvent("renewing"));
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
  // Before the focus returns: it may be on a button that is added.
  enhance(part);
  for (const path of open) find(part, path)?.setAttribute("open", "");
  if (focus) find(part, focus)?.focus({ preventScroll: true });
  markFresh(part, keys);
  part.dispatchEvent(new CustomEvent("renewed", { bubbles: true }));
}

/* == parts that arrive in the stream == */

const isNarrow = matchMedia("(max-width: 44rem)");
/** The parts of the other layout, which are not shown. */
const HIDDEN = { wide: ["tall"], narrow: ["chain", "making"] };
/** What arrived while the page was paused, by part. */
const held = new Map();
let isPaused = false;

function streamedParts() {
  const isLecture = document.documentElement.classList.contains("lecture");
  const hidden = HIDDEN[isNarrow.matches && !isLecture ? "narrow" : "wide"];
  return [...document.querySelectorAll("[data-part]")].map((part) => part.id).filter((id) => !hidden.includes(id));
}

function takePart({ id, html, now }) {
  const part = document.getElementById(id);
  if (!part) return;
  if (isPaused) {
    held.set(id, { id, html, now });
    return;
  }
  clockOffset = now - Date.now();
  const template = document.createElement("template");
  template.innerHTML = html;
  if (html !== sent.get(id)) replace(part, template.content, html);
}

/** While it is paused, the page stays as it is. */
export function setPaused(paused) {
  isPaused = paused;
  if (paused) return;
  const parts = [...held.values()];
  held.clear();
  parts.forEach(takePart);
}

/** Shows the parts of an earlier moment; the page then stays as it is until `returnToNow`. */
export function showMoment(parts) {
  isPaused = true;
  for (const id of streamedParts()) {
    if (parts[id] === undefined || parts[id] === sent.get(id)) continue;
    const template = document.createElement("template");
    template.innerHTML = parts[id];
    replace(document.getElementById(id), template.content, parts[id]);
  }
}

/** The server sends every part of a new stream as it is now. */
export function returnToNow() {
  held.clear();
  isPaused = false;
  stop();
  listenWhileVisible();
}

/** How to find an element again after its part was replaced: by id, or by key and position. */
function pathTo(part, element) {
  const keyed = element.closest("[data-key]");
  const within = keyed && part.contains(keyed) ? keyed : part;
  const same = [...within.querySelectorAll(element.localName)];
  const key = within === part ? null : within.dataset.key;
  return { id: element.id, key, name: element.localName, place: same.indexOf(element) };
}

function find(part, { id, key, name, place }) {
  if (id) return document.getElementById(id);
  const hasKey = (element) => element.dataset.key === key;
  const within = key === null ? part : [...part.querySelectorAll("[data-key]")].find(hasKey);
  // -1: the element with the key itself.
  return place < 0 ? within : within?.querySelectorAll(name)[place];
}

/** Highlights new elements for a while, also if their part is replaced again. */
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

/* == the stream of changes == */

let events = null;
/** When the stream was last heard, by the clock, which goes on while the computer sleeps. */
let heardAt = 0;
let isRefused = false;

/** Listens only while the page is visible: browsers open at most six connections to a server, and a stream keeps one. */
function listenWhileVisible() {
  if (document.hidden || isRefused) {
    stop();
  } else if (!events) {
    listen();
  } else {
    checkSilence();
  }
}

function stop() {
  events?.close();
  events = null;
}

function showState(name, words) {
  const state = document.getElementById("live-state");
  if (!state || (state.dataset.state === name && state.textContent === words)) return;
  state.dataset.state = name;
  state.textContent = words;
  document.dispatchEvent(new CustomEvent("live-state", { detail: name }));
}

function listen() {
  const parts = streamedParts();
  // The first versions in the new stream are shown whatever happened to the page meanwhile.
  parts.forEach((id) => sent.delete(id));
  const stream = new EventSource(`${base}/live${parts.length > 0 ? `?parts=${parts}` : ""}`);
  events = stream;
  heardAt = Date.now();
  const heard = () => {
    heardAt = Date.now();
    document.dispatchEvent(new CustomEvent("live-heard"));
  };
  // Changes before this moment were not reported, nor those that a gap stands for.
  const renewAll = () => {
    heard();
    CHANGES.forEach((change) => due.add(change));
    renew();
  };
  stream.onopen = () => {
    showState("live", "live");
    renewAll();
  };
  stream.addEventListener("gap", renewAll);
  stream.addEventListener("heartbeat", heard);
  stream.addEventListener("part", ({ data }) => {
    heard();
    takePart(JSON.parse(data));
  });
  for (const change of CHANGES) {
    stream.addEventListener(change, () => {
      heard();
      due.add(change);
      renew();
    });
  }
  stream.onerror = () => {
    if (events !== stream) return;
    showState("off", "not connected");
    // The browser reconnects by itself unless the server refused.
    if (stream.readyState !== EventSource.CLOSED) return;
    stop();
    retryUnlessRefused();
  };
}

/** A server that is busy, or that a proxy cannot reach, may answer later; another refusal will not change. */
async function retryUnlessRefused() {
  try {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const answer = await fetch(`${base}/live`, { headers: { accept: "text/event-stream" }, cache: "no-store", signal });
    isRefused = answer.status >= 400 && answer.status < 500 && answer.status !== 429;
    const detail = isRefused ? await answer.json().then((problem) => problem.detail, () => undefined) : undefined;
    await answer.body?.cancel().catch(() => undefined);
    if (isRefused) {
      showState("refused", `not live: ${detail ?? `the server refuses updates (status ${answer.status})`}`);
      return;
    }
  } catch {
    // No answer: try again.
  }
  setTimeout(listenWhileVisible, AGAIN_LATER_MS);
}

/** A connection may die without a word, as when a computer sleeps or loses its network: then the page is not live. */
function checkSilence() {
  if (!events || Date.now() - heardAt < LONGEST_SILENCE_MS) return;
  showState("off", "not connected");
  stop();
  listen();
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

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
/** The server's clock minus this one, in milliseconds. */
let clockOffset = 0;

/** Words for an age in the picture, as the server writes them. */
function age(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds} s ago`;
  return seconds < 6000 ? `${Math.floor(seconds / 60)} min ago` : `${Math.floor(seconds / 3600)} h ago`;
}

/** The server's clock. */
export const serverNow = () => Date.now() + clockOffset;

const write = (element, words) => { if (element.textContent !== words) element.textContent = words; };

/** How rare a wait of `times` usual times is. head.rs has the same words. */
function rarity(times) {
  const rare = Math.round(Math.exp(Math.min(30, times)));
  return rare <= 1000 ? `1 wait in ${rare} is longer than this` : "a wait is almost never longer than this";
}

function showTimes(root) {
  for (const element of root.querySelectorAll("time[datetime]")) {
    const at = Date.parse(element.dateTime);
    if (Number.isNaN(at)) continue;
    if (!element.classList.contains("exact")) {
      write(element, element.classList.contains("clock") ? CLOCK.format(at) : ago(Date.now() - at));
    }
    if (!element.title) element.title = FORMAT.format(at);
  }
  if (isPaused || document.body.dataset.dead !== undefined) return;
  const now = serverNow();
  const seconds = (ms) => String(Math.max(0, Math.floor(ms / 1000)));
  for (const element of root.querySelectorAll("[data-ago]")) write(element, age(now - element.dataset.ago));
  for (const element of root.querySelectorAll("[data-since]")) write(element, seconds(now - element.dataset.since));
  for (const element of root.querySelectorAll("[data-until]")) write(element, seconds(element.dataset.until - now + 999));
  for (const element of root.querySelectorAll("[data-rare]")) {
    const { rare, usual } = element.dataset;
    write(element, rarity(Math.max(0, now - rare) / usual));
  }
}

/* == start == */

function enhance(root) {
  enableCopying(root);
  showTimes(root);
}

/* == the switch "Show addresses" == */

const addresses = document.getElementById("show-addresses");
if (addresses) {
  try {
    addresses.checked = localStorage.getItem("chainlab-addresses") === "shown";
    addresses.addEventListener("change", () => {
      localStorage.setItem("chainlab-addresses", addresses.checked ? "shown" : "hidden");
    });
  } catch {
    // Nothing is kept in this browser: the switch is for this page.
  }
}

const server = Number(document.querySelector("[data-now]")?.dataset.now);
if (server) clockOffset = server - Date.now();
remember();
enhance(document);
setInterval(() => { if (!document.hidden) showTimes(document); }, 1000);
document.addEventListener("visibilitychange", () => { renew(); });
const hasStream = liveParts(document).length > 0 || document.querySelector("[data-part]");
if (hasStream) {
  isNarrow.addEventListener("change", () => {
    stop();
    listenWhileVisible();
  });
  document.addEventListener("visibilitychange", listenWhileVisible);
  addEventListener("online", listenWhileVisible);
  setInterval(() => { if (!document.hidden) checkSilence(); }, 1000);
  listenWhileVisible();
}
