// Searches for a nonce in short turns, so that the page keeps responding.

import { compress, initialState, wordsOf } from "./sha256.js";

const NONCES = 2 ** 32; // most nonces that are tried
const BATCH = 500; // nonces between two reads of the clock
const TURN_MS = 20; // longest turn
const REPORT_MS = 250;
const MOST_PAUSE_MS = 200;

const ascii = (text) => new TextEncoder().encode(text);

// The second block of the 80 hashed bytes: the nonce's 16 digits, a one bit, zeros, the length in bits.
function secondBlock() {
  const bytes = new Uint8Array(64);
  bytes.set(ascii("0".repeat(16)));
  bytes[16] = 0x80;
  new DataView(bytes.buffer).setUint32(60, 640);
  return wordsOf(bytes);
}

// Four hex digits of a number below 65536, as one word of ASCII.
const digit = (value) => value + (value < 10 ? 48 : 87);
const fourDigits = (value) =>
  (digit(value >>> 12) << 24) | (digit((value >>> 8) & 15) << 16)
  | (digit((value >>> 4) & 15) << 8) | digit(value & 15);

const wordsOfHex = (text) => text.match(/.{8}/g).map((digits) => parseInt(digits, 16));

// Returns a function that tries `count` nonces from `first` up, and returns the first one whose hash meets the target.
function searcher(seal, target) {
  const midstate = initialState();
  compress(midstate, wordsOf(ascii(seal)));
  const limit = wordsOfHex(target);
  const block = secondBlock();
  const state = new Uint32Array(8);
  const meets = () => {
    const differing = state.findIndex((word, i) => word !== limit[i]);
    return differing < 0 || state[differing] < limit[differing];
  };
  return (first, count) => {
    for (let nonce = first; nonce < first + count; nonce++) {
      block[2] = fourDigits(nonce >>> 16);
      block[3] = fourDigits(nonce & 0xffff);
      state.set(midstate);
      compress(state, block);
      if (state[0] <= limit[0] && meets()) {
        return nonce;
      }
    }
    return undefined;
  };
}

const turn = (ms) => new Promise((resume) => setTimeout(resume, ms));

// Returns the nonce as 16 hex digits, and how many were tried. Without a nonce if `signal` aborted the search, or none
// fits. `perSecond` is the highest rate: as many pauses are made as it takes.
export async function search(seal, target, signal, report, perSecond = Infinity) {
  const batch = Math.max(1, Math.min(BATCH, Math.floor(perSecond / 50)));
  const mayTry = () => (perSecond === Infinity ? NONCES : ((performance.now() - begin) / 1000) * perSecond);
  const tryFrom = searcher(seal, target);
  const begin = performance.now();
  let reported = begin;
  let tried = 0;
  while (tried < NONCES && !signal.aborted) {
    const yieldAt = performance.now() + TURN_MS;
    do {
      const nonce = tryFrom(tried, batch);
      if (nonce !== undefined) {
        return { nonce: nonce.toString(16).padStart(16, "0"), tried: nonce + 1, ms: performance.now() - begin };
      }
      tried += batch;
    } while (performance.now() < yieldAt && tried < mayTry());
    if (performance.now() - reported >= REPORT_MS) {
      reported = performance.now();
      report(tried, reported - begin);
    }
    await turn(Math.min(MOST_PAUSE_MS, Math.max(0, ((tried - mayTry()) / perSecond) * 1000)));
  }
  return { tried, ms: performance.now() - begin };
}
