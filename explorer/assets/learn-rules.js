// The rules of a block that the exercises need (docs/protocol.md, sections 3 and 4). Knows nothing of the page.

import { sha256 } from "./sha256.js";

const WHOLE_NUMBER = /^(0|[1-9][0-9]{0,15})$/;
const HASH = /^[0-9a-f]{64}$/;
const NONCE = /^[0-9a-f]{16}$/;
const TIME = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$/;

const isWholeNumber = (text) => WHOLE_NUMBER.test(text) && Number.isSafeInteger(Number(text));

function isTime(text) {
  const ms = TIME.test(text) ? Date.parse(text) : NaN;
  return ms >= 0 && new Date(ms).toISOString() === text;
}

const isDifficulty = (text) => isWholeNumber(text) && text !== "0";

// The check of each field, and its error.
const FIELDS = {
  index: [isWholeNumber, "index must be a whole number"],
  prev_hash: [(text) => HASH.test(text), "prev_hash must have 64 digits, 0 to 9 and a to f"],
  timestamp: [isTime, "timestamp must be a time like 2026-11-21T03:29:00.123Z"],
  difficulty: [isDifficulty, "difficulty must be a whole number, at least 1"],
  nonce: [(text) => NONCE.test(text), "nonce must have 16 digits, 0 to 9 and a to f"],
};

// The name of the first malformed field, or undefined.
export const malformed = (block) => Object.keys(FIELDS).find((field) => !FIELDS[field][0](block[field]));

// The largest hash that meets a difficulty, as 64 hex digits; empty if the difficulty is malformed.
export function target(difficulty) {
  if (!isDifficulty(difficulty)) {
    return "";
  }
  return (((1n << 256n) - 1n) / BigInt(difficulty)).toString(16).padStart(64, "0");
}

// All values that are computed from the fields of a block.
export function digest(block) {
  const dataHash = sha256(block.data);
  const seal = sha256(`${block.index} ${block.prev_hash} ${block.timestamp} ${block.difficulty} ${dataHash}`);
  return { dataHash, seal, hash: sha256(seal + block.nonce), target: target(block.difficulty) };
}

// Why a block is not valid, or "" if it is. `parent` has the hash of the block before and whether it is valid;
// undefined if the block is judged alone.
export function whyNot(block, { hash, target }, parent) {
  const field = malformed(block);
  if (field) {
    return FIELDS[field][1];
  }
  if (parent && parent.hash !== block.prev_hash) {
    return `prev_hash is not the hash of the block before, which is now ${parent.hash.slice(0, 8)}…`;
  }
  // Both have 64 digits, so they compare as the numbers do.
  if (hash > target) {
    return "the hash is too large: it is above the target";
  }
  return parent && !parent.isGood ? "the block before is not valid" : "";
}
