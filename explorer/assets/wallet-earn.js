// Mining in the browser for the shown wallet: the explorer fetches work from a node, and submits the solution.

import { base } from "./base.js";
import * as api from "./wallet-api.js";
import { fromJson, toLab } from "./grains.js";
import { element, part, visible } from "./wallet-dom.js";
import { search } from "./miner.js";

/// Work is fetched again after this time: new payments pay fees, and the block's timestamp gets old.
const ROUND_MS = 10_000;
/// How many requests in a row may fail, and the pause after each.
const MOST_FAILURES = 5;
const PAUSE_MS = 1_500;
/// Blocks after which a reward is as good as final.
const FINAL = 6;

const number = new Intl.NumberFormat("en");

/// The search in progress: {address, stop, round, height, tried, ms}; `round` aborts the search for the current block.
let mining;
/// The block that was found last, while its reward may still be lost: {index, hash}.
let found;

/// Makes the buttons work. `current()` returns the shown wallet; `earned()` is called after a block was found.
export function setUp({ current, earned }) {
  part("earn-mine").addEventListener("click", () => mine(current().address, earned));
  part("earn-stop").addEventListener("click", () => end("Stopped: no block was found."));
}

/// Ends the search if another wallet is shown.
export function show(address) {
  if (mining?.address === address) return;
  end("");
  part("earn-progress").textContent = "";
}

/// Opens the form if the wallet is empty.
export const invite = (isPoor) => { part("wallet-earn").open = isPoor; };

/// Ends the search for a block whose height the chain has reached, and says so if the block that was found last is lost.
export async function tipIsAt(height) {
  if (mining && height >= mining.height) mining.round?.abort();
  const last = found;
  if (!last || mining || height <= last.index) return;
  if (height >= last.index + FINAL) found = undefined;
  // A page that cannot be fetched says nothing about the block.
  const isLost = await api.isStale(last.hash).catch(() => false);
  if (!isLost || mining || (found ?? last) !== last) return;
  found = undefined;
  say(`Another miner’s block ${last.index} won: yours is stale, and its reward does not count. Mine again.`);
  linkTo(last.hash);
}

async function mine(address, earned) {
  if (mining) return;
  const own = { address, stop: new AbortController(), height: Infinity, tried: 0, ms: 0 };
  mining = own;
  toggle();
  say("Asking a node for work…");
  let failures = 0;
  while (mining === own && failures < MOST_FAILURES) {
    try {
      const block = await oneRound(own);
      failures = 0;
      if (block && mining === own) {
        const reward = toLab(fromJson(block.reward));
        end(`You found block ${block.index}: ${reward} LAB are yours once it is confirmed.`);
        linkTo(block.hash);
        found = block;
        earned();
      }
    } catch (error) {
      if (mining !== own) return;
      // A refusal will not change: trying again would only repeat it.
      if (!error.mayBeTemporary && error.status !== 404) return end(visible(error.message));
      failures += 1;
      say(`${visible(error.message)} Trying again…`);
      await new Promise((resume) => setTimeout(resume, PAUSE_MS));
    }
  }
  if (mining === own) end("No node offers work at the moment. Try again later.");
}

/// Searches for the block that a node offers; returns {index, reward, hash} if it was found and accepted.
async function oneRound(own) {
  const { node, seal, target, difficulty, index, reward, fair_rate: fair } = await api.work(own.address);
  const perSecond = part("earn-full").checked ? Infinity : fair ?? Infinity;
  own.height = index;
  own.round = new AbortController();
  say(`Mining block ${index}…`);
  const signal = AbortSignal.any([own.stop.signal, own.round.signal, AbortSignal.timeout(ROUND_MS)]);
  const before = { tried: own.tried, ms: own.ms };
  const report = (tried, ms) => {
    [own.tried, own.ms] = [before.tried + tried, before.ms + ms];
    if (mining === own) progress(own, difficulty);
  };
  const { nonce, tried, ms } = await search(seal, target, signal, report, perSecond);
  report(tried, ms);
  if (!nonce) return undefined;
  const hash = await handIn({ node, seal, nonce });
  return hash && { index, reward, hash };
}

/// Submits a solution; returns the hash of its block, or undefined if another miner was faster.
async function handIn(solution) {
  try {
    const { hash } = await api.solve(solution);
    return hash;
  } catch (error) {
    if (error.status === 404) return undefined;
    throw error;
  }
}

function end(words) {
  mining?.stop.abort();
  [mining, found] = [undefined, undefined];
  toggle();
  say(words);
}

function linkTo(hash) {
  part("earn-status").append(" ", element("a", { href: `${base}/block/${encodeURIComponent(hash)}` }, "Look at it"));
}

/// Shows the right button. If the hidden one had the focus, the other one gets it.
function toggle() {
  const [begin, stop] = [part("earn-mine"), part("earn-stop")];
  const hadFocus = [begin, stop].includes(document.activeElement);
  [begin.hidden, stop.hidden] = [Boolean(mining), !mining];
  if (hadFocus) (mining ? stop : begin).focus();
  if (mining) part("earn-progress").textContent = "";
}

function progress({ tried, ms }, difficulty) {
  const perSecond = Math.round((tried / Math.max(ms, 1)) * 1000);
  const progress = `${number.format(tried)} hashes tried, ${number.format(perSecond)} per second.`;
  part("earn-progress").textContent = `${progress} It takes ${number.format(difficulty)} on average.`;
}

/// Screen readers read it when it is written, so it is written only if it changes.
function say(words) {
  if (part("earn-status").textContent !== words) part("earn-status").textContent = words;
}
