// The page of the wallet: which wallet is shown, its balance, and how these are kept up to date.

import { base } from "./base.js";
import * as accounts from "./wallet-payment.js";
import * as api from "./wallet-api.js";
import * as coins from "./wallet-coins.js";
import * as earning from "./wallet-earn.js";
import * as history from "./wallet-history.js";
import * as keeping from "./wallet-keeping.js";
import * as names from "./wallet-names.js";
import * as sending from "./wallet-send.js";
import * as store from "./wallet-store.js";
import { fromJson, toLab } from "./grains.js";
import { element, part, visible } from "./wallet-dom.js";

const ROUND_MS = 5_000;
/// A mempool receives a block a little later than the page does.
const SETTLING_MS = 400;
const NOTHING_KEPT =
  "This browser does not let pages store data, perhaps because this is a private window. Keys would be lost at once.";

let wallets = [];
/// The balance of the shown wallet in grains; undefined while it is unknown.
let holds;
/// Whether the balance is known, and so whether the form for earning was opened or closed.
let isInvited = false;
let isRefreshing = false;
let isRefreshWanted = false;

const app = part("wallet-app");
const hasCoins = app?.dataset.layer === "utxo";
const current = () => wallets[0];

if (app) start();

async function start() {
  const trouble = missingFeature();
  if (trouble) return showTrouble(trouble);
  try {
    wallets = await store.all();
  } catch {
    return showTrouble(NOTHING_KEPT);
  }
  part("wallet-origin").textContent = location.origin;
  part("wallet-add").open = wallets.length === 0;
  app.hidden = false;
  keeping.setUp({ current, changed: reload });
  const { network, mostBytes } = app.dataset;
  const purse = () => ({ ...current(), holds });
  const payments = hasCoins ? coins : accounts;
  sending.setUp({ network, mostBytes: Number(mostBytes), payments, purse, wasSent: refresh });
  earning.setUp({ current, earned: refresh });
  names.setUp({ network, current });
  part("wallet-choose").addEventListener("change", (event) => choose(event.target.value));
  part("wallet-copy").addEventListener("click", copy);
  show();
  keepFresh();
}

/// Why there can be no wallet in this browser; undefined if there can be one.
function missingFeature() {
  if (!isSecureContext || !globalThis.crypto?.subtle) {
    const port = location.port && `:${location.port}`;
    return `This page came from ${location.origin}. Browsers allow cryptography only on pages that come over https or `
      + `from this computer. Open http://localhost${port} on the computer that runs the explorer, or put https in `
      + "front of the explorer, or use the program “user” in a terminal.";
  }
  return globalThis.indexedDB ? undefined : NOTHING_KEPT;
}

function showTrouble(words) {
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

/// Shows the wallet that was used last; its balance follows later.
function show() {
  sending.close();
  const wallet = current();
  earning.show(wallet?.address);
  if (wallet) names.show(wallet.address);
  // Without a wallet, only the form that makes one is shown.
  for (const place of app.children) place.hidden = !wallet && !place.contains(part("wallet-add"));
  if (!wallet) return;
  const { address, name, isExportable } = wallet;
  const choice = (each) =>
    element("option", { value: each.address }, `${each.name} · ${each.address.slice(0, 12)}…`);
  part("wallet-choose").replaceChildren(...wallets.map(choice));
  part("wallet-title").textContent = name;
  part("wallet-address").textContent = address;
  part("wallet-link").href = `${base}/address/${address}`;
  part("wallet-qr").src = `${base}/qr/${address}.svg`;
  part("wallet-export").hidden = !isExportable;
  part("wallet-export-done").hidden = true;
  part("wallet-locked").hidden = isExportable;
  isInvited = false;
  showBalance(undefined);
  if (hasCoins) coins.show([]);
  history.show(address, []);
  part("history-empty").hidden = true;
  refresh();
}

/// Refreshes after a block or payment, when live.js replaces the line about the chain, and every few seconds.
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

/// Fetches the balance, the coins, the history and the state of the last payment; one refresh at a time.
async function refresh() {
  isRefreshWanted = true;
  if (isRefreshing) return;
  isRefreshing = true;
  try {
    while (isRefreshWanted) {
      isRefreshWanted = false;
      await Promise.all([refreshBalance(), refreshCoins(), refreshHistory(), isAnswered() && sending.follow()]);
    }
  } finally {
    isRefreshing = false;
  }
}

/// Whether a mempool answers. In its first seconds the explorer does not know of any.
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

async function refreshCoins() {
  const address = current()?.address;
  if (hasCoins && address && isAnswered()) await coins.refresh(address, () => current()?.address === address);
}

async function refreshHistory() {
  const address = current()?.address;
  if (!address || !isAnswered()) return;
  await names.load(address);
  try {
    const entries = await api.history(address);
    if (current()?.address === address) history.show(address, entries);
  } catch {
    // The shown history stays; the balance shows the error.
  }
}

function showBalance(confirmed, withPending, trouble) {
  holds = confirmed;
  if (confirmed !== undefined && !isInvited) {
    isInvited = true;
    earning.invite(confirmed === 0n);
  }
  const balance = confirmed === undefined ? "not known" : `${toLab(confirmed)} LAB`;
  // Screen readers read it when it is written, so it is written only if it changes.
  if (part("wallet-balance").textContent !== balance) part("wallet-balance").textContent = balance;
  const pending = confirmed === withPending ? "" : `${toLab(withPending)} LAB once all pending payments are in blocks`;
  part("wallet-pending").textContent = trouble === undefined ? pending : visible(trouble);
}

async function copy() {
  const message = part("wallet-copied");
  try {
    await navigator.clipboard.writeText(current().address);
    message.textContent = "Copied.";
  } catch {
    getSelection().selectAllChildren(part("wallet-address"));
    message.textContent = "Selected: copy it with Ctrl+C.";
  }
}
