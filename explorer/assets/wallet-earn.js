// Mining in the browser, for the wallet that is shown: work comes from a node by the explorer, and goes back to it solved.

import * as api from "./wallet-api.js";
import { fromJson, toLab } from "./grains.js";
import { element, part, visible } from "./wallet-dom.js";
import { search } from "./miner.js";

/// Work is asked for anew after so long: new payments pay fees, and a block says when it was made.
const ROUND_MS = 10_000;
/// How often in a row a node may fail us, and how long it is waited in between.
const MOST_FAILURES = 5;
const PAUSE_MS = 1_500;

const number = new Intl.NumberFormat("en");

/// What goes on: {address, stop, round, height, tried, ms}; `round` ends the search for the block at hand.
let mining;

/// Makes the buttons work. `current()` is the wallet that is shown, `earned()` is told when there is a new block.
export function setUp({ current, earned }) {
  part("earn-mine").addEventListener("click", () => mine(current().address, earned));
  part("earn-stop").addEventListener("click", () => end("Stopped: no block was found."));
}

/// Another wallet is shown: what was mined for is not to be seen any more.
export function show(address) {
  if (mining?.address === address) return;
  end("");
  part("earn-progress").textContent = "";
}

/// Opens the place where there is nothing to pay with.
export const invite = (isPoor) => { part("wallet-earn").open = isPoor; };

/// The chain has this height now: a block on top of an older one would be none.
export function tipIsAt(height) {
  if (mining && height >= mining.height) mining.round?.abort();
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
      const found = await oneRound(own);
      failures = 0;
      if (found && mining === own) {
        end(`You found block ${found.index}: ${toLab(fromJson(found.reward))} LAB are yours once it is confirmed.`, found.hash);
        earned();
      }
    } catch (error) {
      if (mining !== own) return;
      failures += 1;
      say(`${visible(error.message)} Trying again…`);
      await new Promise((resume) => setTimeout(resume, PAUSE_MS));
    }
  }
  if (mining === own) end("No node gives work at the moment. Try again later.");
}

/// Searches for the block that a node offers; {index, reward, hash} if it was found and taken.
async function oneRound(own) {
  const { node, seal, target, difficulty, index, reward } = await api.work(own.address);
  own.height = index;
  own.round = new AbortController();
  say(`Mining block ${index}…`);
  const signal = AbortSignal.any([own.stop.signal, own.round.signal, AbortSignal.timeout(ROUND_MS)]);
  const before = { tried: own.tried, ms: own.ms };
  const report = (tried, ms) => {
    [own.tried, own.ms] = [before.tried + tried, before.ms + ms];
    if (mining === own) progress(own, difficulty);
  };
  const { nonce, tried, ms } = await search(seal, target, signal, report);
  report(tried, ms);
  if (!nonce) return undefined;
  const hash = await handIn({ node, seal, nonce });
  return hash && { index, reward, hash };
}

/// The hash of the block that it makes; undefined if somebody else was a moment earlier.
async function handIn(solution) {
  try {
    const { hash } = await api.solve(solution);
    return hash;
  } catch (error) {
    if (error.status === 404) return undefined;
    throw error;
  }
}

function end(words, hash) {
  mining?.stop.abort();
  mining = undefined;
  toggle();
  say(words);
  if (hash) part("earn-status").append(" ", element("a", { href: `/block/${encodeURIComponent(hash)}` }, "Look at it"));
}

/// Who stands on a button that goes away is led to the other one.
function toggle() {
  const [begin, stop] = [part("earn-mine"), part("earn-stop")];
  const hadFocus = [begin, stop].includes(document.activeElement);
  [begin.hidden, stop.hidden] = [Boolean(mining), !mining];
  if (hadFocus) (mining ? stop : begin).focus();
  if (mining) part("earn-progress").textContent = "";
}

function progress({ tried, ms }, difficulty) {
  const perSecond = Math.round((tried / Math.max(ms, 1)) * 1000);
  part("earn-progress").textContent =
    `${number.format(tried)} hashes tried, ${number.format(perSecond)} a second. It takes ${number.format(difficulty)} on average.`;
}

/// Read aloud, so written only when it changes.
function say(words) {
  if (part("earn-status").textContent !== words) part("earn-status").textContent = words;
}
