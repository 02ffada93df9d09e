// Signs a call or deployment with a wallet of this browser, and sends it. Each form has `data-network`, `data-to`,
// `data-kind` ("call" or "deploy") and `data-data` (hex); the server made the bytes.

import * as api from "./wallet-api.js";
import * as store from "./wallet-store.js";
import { shortLink, visible } from "./wallet-dom.js";
import { sha256, toHex } from "./keys.js";
import { fromLab } from "./grains.js";
import { draft, signed } from "./wallet-payment.js";

const POLL_MS = 1000;

/// Makes one form work. `wallets` are those of this browser.
export function setUp(form, wallets) {
  const choice = form.querySelector("select");
  choice.replaceChildren(...wallets.map(({ address, name }) => new Option(name, address)));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(form, wallets.find(({ address }) => address === choice.value));
  });
  form.hidden = false;
}

async function send(form, wallet) {
  const button = form.querySelector("button");
  button.disabled = true;
  try {
    const id = await sendCall(form, wallet);
    await follow(form, id);
  } catch (error) {
    say(form, "refused", visible(error.message));
  }
  button.disabled = false;
}

async function sendCall(form, wallet) {
  const { network, to, kind, data } = form.dataset;
  const value = (name) => form.querySelector(`[id$="-${name}"]`).value;
  const gas = value("gas").trim();
  if (!/^[1-9][0-9]{0,8}$/.test(gas)) throw new Error("Gas is a whole number.");
  const [amount, fee] = [fromLab(value("amount")), fromLab(value("fee"))];
  say(form, "sending", "Signing…");
  const msg = `${kind} ${gas} ${data}`;
  const drafted = await draft({ network, from: wallet.address, to, amount, fee, msg });
  await api.push(await signed(drafted, wallet.key));
  return drafted.id;
}

/// Waits until the call is in a block.
async function follow(form, id) {
  for (;;) {
    const { status, block } = await api.standing(id);
    const isDone = status === "confirmed";
    const words = isDone ? `It is in block ${block.index}. See what it did: ` : "Sent; it waits for a block: ";
    const links = [shortLink("/transaction", id)];
    if (isDone && form.dataset.kind === "deploy") links.push(". The program: ", await program(id));
    say(form, isDone ? "confirmed" : "pending", words, ...links);
    if (isDone) return;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/// A link to the program that a deployment made (docs/protocol.md section 15).
async function program(id) {
  const hash = toHex(await sha256(new TextEncoder().encode(`chainlab program:${id}`)));
  return shortLink("/program", `0x${hash.slice(-40)}`);
}

/// Writes only changes, since screen readers read them.
function say(form, state, words, ...links) {
  const place = form.querySelector('[role="status"]');
  place.dataset.state = state;
  if (place.firstChild?.textContent === words) return;
  place.replaceChildren(words, ...links);
}

const forms = [...document.querySelectorAll(".call-form[data-kind]")];
if (forms.length > 0) {
  const wallets = await store.all().catch(() => []);
  if (wallets.length > 0) forms.forEach((form) => setUp(form, wallets));
  else for (const hint of document.querySelectorAll(".no-wallet")) hint.hidden = false;
}
// A call that is tried is tried for the wallet that was used last, unless the reader names somebody.
const from = document.querySelector('#call-form [name="from"]');
if (from && from.value === "" && location.search === "") {
  const [wallet] = await store.all().catch(() => []);
  if (wallet) from.value = wallet.address;
}
