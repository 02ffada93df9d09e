// The wallet's requests to the explorer: balances, histories, payments and work.

import { base } from "./base.js";

const PATIENCE_MS = 15_000;

/// A failed request. `status` is 0 if there was no answer.
export class Refused extends Error {
  constructor(words, status) {
    super(words);
    this.status = status;
  }

  /// Whether the request may have worked, or may work when it is sent again.
  get mayBeTemporary() {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

export const balance = (address) => ask(`/api/balance/${address}`);
export const coins = (address) => ask(`/api/unspent/${address}`);
export const history = (address) => ask(`/api/history/${address}`);
export const standing = (id) => ask(`/api/transaction/${id}`);
export const names = () => ask("/api/names");
export const claim = (json) => send("/api/names", json);
export const push = (json) => send("/api/pushtx", json);
export const work = (address) => ask(`/api/work?miner=${address}`);
/// Whether a block is off the best chain, as its page says.
export const isStale = async (hash) => {
  const page = await fetch(`${base}/block/${hash}`, { cache: "no-cache", signal: AbortSignal.timeout(PATIENCE_MS) });
  return new DOMParser().parseFromString(await page.text(), "text/html").getElementById("undone") !== null;
};
export const solve = (solution) => send("/api/work", JSON.stringify(solution));

const send = (path, json) => ask(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: json });

async function ask(path, options = {}) {
  let response, answer;
  try {
    response = await fetch(base + path, { ...options, cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
    answer = await response.json();
  } catch {
    const words = response
      ? `The explorer's answer cannot be read (status ${response.status}).`
      : "The explorer does not answer.";
    throw new Refused(words, response?.ok === false ? response.status : 0);
  }
  if (response.ok) return answer;
  const rule = answer?.rule ? ` (rule ${answer.rule})` : "";
  throw new Refused(`${answer?.detail ?? answer?.title ?? `Status ${response.status}`}${rule}`, response.status);
}
