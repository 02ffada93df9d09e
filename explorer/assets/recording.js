// A recording: the slider, the links beside it and Play show another moment without loading the page anew. The server
// renders each moment; elements with data-part are exchanged.

const slider = document.getElementById("recording-t");
const play = document.getElementById("recording-play");
const calm = matchMedia("(prefers-reduced-motion: reduce)");
/** A whole recording takes this many steps of Play. */
const STEPS = 240;
const PAUSE_MS = 250;

/** The query of the moment to fetch next. */
let wanted;
let isFetching = false;
let isPlaying = false;

/** The address of this page at another moment. */
function at(t) {
  const url = new URL(location.href);
  url.searchParams.set("t", t);
  return url;
}

/** Shows a moment; of moments that are asked for meanwhile, only the last one. */
async function goTo(url) {
  wanted = url;
  if (isFetching) return;
  isFetching = true;
  while (wanted !== undefined) {
    const asked = wanted;
    wanted = undefined;
    try {
      const answer = await fetch(asked, { headers: { accept: "text/html" } });
      // A block that is not found yet is a page, too.
      if (!answer.ok && answer.status !== 404) throw new Error(`status ${answer.status}`);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (wanted === undefined) show(page, asked);
    } catch {
      document.getElementById("recording-time").textContent = "cannot be fetched now";
      stop();
    }
  }
  isFetching = false;
}

function show(page, url) {
  for (const part of document.querySelectorAll("[data-part]")) {
    const now = page.getElementById(part.id);
    if (!now || now.innerHTML === part.innerHTML) continue;
    const left = [...part.querySelectorAll("[id]")].map((box) => [box.id, box.scrollLeft]);
    part.replaceChildren(...[...now.childNodes].map((node) => document.importNode(node, true)));
    for (const [id, scrolled] of left) {
      const box = document.getElementById(id);
      if (box) box.scrollLeft = scrolled;
    }
  }
  if (!isHeld) slider.value = page.getElementById("recording-t").value;
  document.title = page.title;
  history.replaceState(null, "", url);
}

/** While a finger or the mouse holds the slider, it stays where it is. */
let isHeld = false;
slider.addEventListener("pointerdown", () => { isHeld = true; });
addEventListener("pointerup", () => { isHeld = false; });

slider.addEventListener("input", () => {
  stop();
  goTo(at(slider.value));
});

document.getElementById("recording").addEventListener("click", (event) => {
  const link = event.target instanceof Element ? event.target.closest("a[href]") : null;
  if (!link || event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  stop();
  goTo(at(new URL(link.href).searchParams.get("t")));
});

function stop() {
  isPlaying = false;
  play.textContent = "Play";
  play.setAttribute("aria-pressed", "false");
}

/** Goes on until the end; from the end, from the beginning. */
async function start() {
  isPlaying = true;
  play.textContent = "Pause";
  play.setAttribute("aria-pressed", "true");
  const length = Number(slider.max);
  if (Number(slider.value) >= length) slider.value = "0";
  while (isPlaying) {
    const began = performance.now();
    const t = Math.min(length, Number(slider.value) + length / STEPS);
    slider.value = String(t);
    await goTo(at(Math.round(t * 1000) / 1000));
    if (t >= length) break;
    await new Promise((done) => { setTimeout(done, Math.max(50, PAUSE_MS - (performance.now() - began))); });
  }
  if (isPlaying) stop();
}

play.addEventListener("click", () => (isPlaying ? stop() : start()));
document.getElementById("recording-show").hidden = true;
play.hidden = calm.matches;
