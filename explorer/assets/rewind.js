// Rewinds the first page: a slider through what the explorer has kept, chapters that forks and splits set, and links to
// a moment (#t=143.5). Nothing is fetched before somebody uses it.

import { base } from "./base.js";
import { returnToNow, showMoment } from "./live.js";

const box = document.getElementById("rewind");
const slider = document.getElementById("rewind-at");
const clock = document.getElementById("rewind-time");
const back = document.getElementById("rewind-live");
const list = document.getElementById("rewind-chapters");
const banner = document.getElementById("then");

const NAMES = { start: "Start", fork: "Fork", split: "Split", healed: "Healed" };
const LAST = Number(slider.max);
const MOMENT = /^#t=(\d+(?:\.\d+)?)$/;
const CLOCK = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });

/** The film: {now, frames: [{t, chapter}]}, as of the last look. */
let film = { now: 0, frames: [] };
/** The moment that is shown, in seconds; `undefined` while the page is live. */
let shown;
/** The moment to fetch next. */
let wanted;
let isFetching = false;

export const isRewound = () => shown !== undefined || wanted !== undefined;

/** 143.5 as 2:23. */
const asTime = (t) => `${Math.floor(t / 60)}:${String(Math.floor(t % 60)).padStart(2, "0")}`;

async function fetchJson(path) {
  const answer = await fetch(`${base}${path}`, { headers: { accept: "application/json" }, cache: "no-cache" });
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  return answer.json();
}

async function look() {
  try {
    film = await fetchJson("/api/film");
    showChapters();
  } catch {
    complain();
  }
}

function complain() {
  clock.textContent = "cannot be fetched now";
}

function showChapters() {
  const chapters = film.frames.filter((frame) => frame.chapter);
  list.replaceChildren(...chapters.map(({ t, chapter }) => {
    const link = document.createElement("a");
    link.href = `#t=${t}`;
    link.textContent = `${NAMES[chapter] ?? chapter} ${asTime(t)}`;
    const item = document.createElement("li");
    item.append(link);
    return item;
  }));
}

/** Shows the moment `t`; of moments that are asked for meanwhile, only the last one. */
async function goTo(t) {
  wanted = t;
  if (isFetching) return;
  isFetching = true;
  while (wanted !== undefined) {
    const asked = wanted;
    try {
      const moment = await fetchJson(`/api/moment?t=${asked}`);
      if (wanted !== undefined) show(moment);
    } catch {
      complain();
    }
    if (wanted === asked) wanted = undefined;
  }
  isFetching = false;
}

function show({ t, at, parts }) {
  shown = t;
  document.body.classList.add("rewound");
  back.disabled = false;
  showMoment(parts);
  clock.textContent = asTime(t);
  banner.textContent = `As it was ${asTime(t)} after the start, at ${CLOCK.format(Date.parse(at))}`;
  banner.hidden = false;
  if (document.activeElement !== slider) slider.value = film.now > 0 ? String(Math.round((t / film.now) * LAST)) : slider.max;
  history.replaceState(null, "", `#t=${t}`);
}

export function leave() {
  if (!isRewound()) return;
  wanted = undefined;
  shown = undefined;
  document.body.classList.remove("rewound");
  banner.hidden = true;
  back.disabled = true;
  slider.value = slider.max;
  clock.textContent = "now";
  history.replaceState(null, "", location.pathname + location.search);
  returnToNow();
}

/** Goes to the chapter before (-1) or after (1); after the last one comes the present. */
export async function turnChapter(step) {
  await look();
  const chapters = film.frames.filter((frame) => frame.chapter).map((frame) => frame.t);
  const now = shown ?? Infinity;
  const next = step < 0 ? chapters.findLast((t) => t < now - 0.05) : chapters.find((t) => t > now + 0.05);
  if (next !== undefined) await goTo(next);
  else if (step > 0) leave();
}

async function openLink() {
  const moment = MOMENT.exec(location.hash);
  if (!moment) return;
  await look();
  await goTo(Number(moment[1]));
}

slider.addEventListener("pointerdown", look);
slider.addEventListener("focus", look);
slider.addEventListener("input", async () => {
  if (film.frames.length === 0) await look();
  if (slider.value === slider.max) leave();
  else goTo(Math.round((Number(slider.value) / LAST) * film.now * 10) / 10);
});
document.getElementById("rewind-before").addEventListener("click", () => turnChapter(-1));
document.getElementById("rewind-after").addEventListener("click", () => turnChapter(1));
back.addEventListener("click", leave);
addEventListener("hashchange", openLink);
box.hidden = false;
openLink();
