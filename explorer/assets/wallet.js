// The wallet's page: which wallet is shown, what it holds, and what keeps that up to date.

import * as api from "./wallet-api.js";
import * as earning from "./wallet-earn.js";
import * as history from "./wallet-history.js";
import * as keeping from "./wallet-keeping.js";
import * as sending from "./wallet-send.js";
import * as store from "./wallet-store.js";
import { fromJson, toLab } from "./grains.js";
import { element, part, visible } from "./wallet-dom.js";

const ROUND_MS = 5_000;
/// A mempool hears of a block a little later than the page does.
const SETTLING_MS = 400;
const NOTHING_KEPT =
  "This browser does not let pages keep anything, perhaps because this is a private window: keys would be lost at once.";

let wallets = [];
/// What the shown wallet holds, in grains; undefined while that is not known.
let holds;
/// Whether it was seen if the shown wallet has anything, and so whether it should earn something first.
let isInvited = false;
let isRefreshing = false;
let isRefreshWanted = false;

const app = part("wallet-app");
const current = () => wallets[0];

if (app) start();

async function start() {
  const trouble = whatIsMissing();
  if (trouble) return complainAloud(trouble);
  try {
    wallets = await store.all();
  } catch {
    return complainAloud(NOTHING_KEPT);
  }
  part("wallet-origin").textContent = location.origin;
  part("wallet-add").open = wallets.length === 0;
  app.hidden = false;
  keeping.setUp({ current, changed: reload });
  const { network, mostBytes } = app.dataset;
  sending.setUp({ network, mostBytes: Number(mostBytes), purse: () => ({ ...current(), holds }), wasSent: refresh });
  earning.setUp({ current, earned: refresh });
  part("wallet-choose").addEventListener("change", (event) => choose(event.target.value));
  part("wallet-copy").addEventListener("click", copy);
  show();
  keepFresh();
}

/// Why there can be no wallet here, in words; undefined if there can be.
function whatIsMissing() {
  if (!isSecureContext || !globalThis.crypto?.subtle) {
    return `This page came from ${location.origin}, and browsers do cryptography only for pages that came over https or `
      + `from this machine itself. Open it as http://localhost${location.port && `:${location.port}`} on the machine `
      + "where the explorer runs, or put https in front of the explorer, or use the program “user” in a terminal.";
  }
  return globalThis.indexedDB ? undefined : NOTHING_KEPT;
}

function complainAloud(words) {
  const place = part("wallet-trouble");
  place.textContent = words;
  place.hidden = false;
}

async function reload() {
  wallets = await store.all();
  if (wallets.length === 0) part("wallet-add").open = true;
  show();
}

async function choose(address) {
  await store.use(address);
  await reload();
}

/// Shows the wallet that was used last; what it holds comes later.
function show() {
  sending.close();
  const wallet = current();
  earning.show(wallet?.address);
  // Without a wallet there is nothing to do but to make one.
  for (const place of app.children) place.hidden = !wallet && !place.contains(part("wallet-add"));
  if (!wallet) return;
  const { address, name, isExportable } = wallet;
  const choice = (each) => element("option", { value: each.address }, `${each.name} · ${each.address.slice(0, 12)}…`);
  part("wallet-choose").replaceChildren(...wallets.map(choice));
  part("wallet-title").textContent = name;
  part("wallet-address").textContent = address;
  part("wallet-link").href = `/address/${address}`;
  part("wallet-qr").src = `/qr/${address}.svg`;
  part("wallet-export").hidden = !isExportable;
  part("wallet-export-done").hidden = true;
  part("wallet-locked").hidden = isExportable;
  isInvited = false;
  showBalance(undefined);
  history.show(address, []);
  part("history-empty").hidden = true;
  refresh();
}

/// Asks anew when a block or payment came (live.js replaces the line about the chain), and now and then.
function keepFresh() {
  const watching = new MutationObserver(() => {
    earning.tipIsAt(Number(part("wallet-tip")?.textContent ?? 0));
    setTimeout(refresh, SETTLING_MS);
  });
  watching.observe(part("wallet-live"), { childList: true, subtree: true, characterData: true });
  setInterval(() => document.hidden || refresh(), ROUND_MS);
  // Another tab may have made or deleted wallets.
  document.addEventListener("visibilitychange", () => document.hidden || reloadIfChanged());
}

async function reloadIfChanged() {
  const names = (list) => list.map(({ address }) => address).join();
  if (names(await store.all()) === names(wallets)) refresh();
  else await reload();
}

/// Asks for what the wallet holds and how its payments are; never twice at once.
async function refresh() {
  isRefreshWanted = true;
  if (isRefreshing) return;
  isRefreshing = true;
  try {
    while (isRefreshWanted) {
      isRefreshWanted = false;
      await Promise.all([refreshBalance(), refreshHistory(), isAnswered() && sending.follow()]);
    }
  } finally {
    isRefreshing = false;
  }
}

/// Whether there is somebody to ask. In its first seconds the explorer does not know of anybody yet.
const isAnswered = () => part("wallet-waiting") !== null;

async function refreshBalance() {
  const address = current()?.address;
  if (!address) return;
  if (!isAnswered()) return showBalance(undefined, undefined, "Looking for the network…");
  try {
    const { confirmed, with_pending } = await api.balance(address);
    if (current()?.address === address) showBalance(fromJson(confirmed), fromJson(with_pending));
  } catch (error) {
    if (current()?.address === address) showBalance(undefined, undefined, error.message);
  }
}

async function refreshHistory() {
  const address = current()?.address;
  if (!address || !isAnswered()) return;
  try {
    const entries = await api.history(address);
    if (current()?.address === address) history.show(address, entries);
  } catch {
    // What was shown stays; the balance says that nobody answers.
  }
}

function showBalance(confirmed, withPending, trouble) {
  holds = confirmed;
  if (confirmed !== undefined && !isInvited) {
    isInvited = true;
    earning.invite(confirmed === 0n);
  }
  const balance = confirmed === undefined ? "not known" : `${toLab(confirmed)} LAB`;
  // Said aloud when it changes, so written only then.
  if (part("wallet-balance").textContent !== balance) part("wallet-balance").textContent = balance;
  const pending = confirmed === withPending ? "" : `${toLab(withPending)} LAB when all that waits is in a block`;
  part("wallet-pending").textContent = trouble === undefined ? pending : visible(trouble);
}

async function copy() {
  const said = part("wallet-copied");
  try {
    await navigator.clipboard.writeText(current().address);
    said.textContent = "Copied.";
  } catch {
    getSelection().selectAllChildren(part("wallet-address"));
    said.textContent = "Marked: copy it with Ctrl+C.";
  }
}
