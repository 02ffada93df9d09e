// Paying: the form, what will be signed, the signature, and the payment's way to six confirmations.

import * as api from "./wallet-api.js";
import { check as checkAddress } from "./address.js";
import { fromLab, sum, toLab } from "./grains.js";
import { complain, element, part, shortLink, visible } from "./wallet-dom.js";
import { checkMessage, draft, signed } from "./wallet-payment.js";

const ENOUGH_CONFIRMATIONS = 6;
const NOT_TWICE = "To send the same payment again cannot pay twice.";

/// A payment that waits for the word of its sender.
let prepared;
/// Counts what was asked to be previewed or was taken back, so that what comes too late is not shown.
let asked = 0;
/// The payment that was sent last: {id, json, what, isSettled}.
let sent;

/// Makes the form work. `purse()` is who pays, {address, key, holds}; `wasSent()` is told when something has moved.
export function setUp({ network, mostBytes, purse, wasSent }) {
  const form = part("send-form");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    preview(network, mostBytes, purse());
  });
  form.addEventListener("input", close);
  part("send-cancel").addEventListener("click", () => {
    close();
    part("send-to").focus();
  });
  part("send-confirm").addEventListener("click", () => confirm(wasSent));
  part("send-again").addEventListener("click", () => push(wasSent));
}

/// Forgets a payment that was not confirmed by its sender.
export function close() {
  asked += 1;
  prepared = undefined;
  part("preview").hidden = true;
}

/// Asks how the payment that was sent last is doing.
export async function follow() {
  if (!sent || sent.isSettled) return;
  const { id, what } = sent;
  let answer;
  try {
    answer = await api.standing(id);
  } catch (error) {
    // Of one that may not have arrived, the reason is more than that it is not there.
    if (sent?.id === id && error.status === 404 && part("send-status").dataset.state !== "unknown") {
      const why = "it may have waited for too long, or been outbid";
      tell("gone", `${what} is not known to the mempool, or not any more: ${why}. ${NOT_TWICE}`);
    }
    return;
  }
  if (sent?.id !== id) return;
  const confirmations = answer.status === "confirmed" ? answer.confirmations : 0;
  sent.isSettled = confirmations >= ENOUGH_CONFIRMATIONS;
  if (confirmations === 0) tell("pending", `${what} waits for a block.`, 0);
  else tell("confirmed", inBlock(what, answer.block?.index, confirmations), confirmations);
}

function inBlock(what, index, confirmations) {
  const shown = Math.min(confirmations, ENOUGH_CONFIRMATIONS);
  const end = shown < ENOUGH_CONFIRMATIONS ? "Each block on top makes it safer." : "It is as good as final.";
  return `${what} is in block ${index}: ${shown} of ${ENOUGH_CONFIRMATIONS} confirmations. ${end}`;
}

/// The field's value, read; undefined, with words at the field, if it cannot be.
function read(id, reader) {
  const field = part(id);
  try {
    const value = reader(field.value);
    complain(field, "");
    return value;
  } catch (error) {
    complain(field, error.message);
    return undefined;
  }
}

async function preview(network, mostBytes, { address, key, holds }) {
  const to = read("send-to", checkAddress);
  const fee = read("send-fee", fromLab);
  const amount = read("send-amount", (text) => payable(fromLab(text), fee ?? 0n, holds));
  const msg = read("send-message", (text) => checkMessage(text, mostBytes));
  if ([to, fee, amount, msg].includes(undefined)) {
    part("send-form").querySelector('[aria-invalid="true"]').focus();
    return;
  }
  close();
  const mine = asked;
  const drafted = await draft({ network, from: address, to, amount, fee, msg });
  // Meanwhile the form, or the wallet, may have changed.
  if (mine !== asked) return;
  prepared = { ...drafted, key };
  show(prepared);
}

function payable(amount, fee, holds) {
  if (amount === 0n) throw new Error("Nothing would move: the smallest amount is 0.00000001 LAB.");
  const together = sum(amount, fee);
  if (holds !== undefined && together > holds) {
    throw new Error(`With its fee this takes ${toLab(together)} LAB, and this wallet holds ${toLab(holds)} LAB.`);
  }
  return amount;
}

function show({ id, from, to, amount, fee, msg, text }) {
  const rows = [
    ["Who pays, this wallet", from],
    ["Who is paid", to === from ? `${to} (this is you: only the fee is spent)` : to],
    ["Amount", `${toLab(amount)} LAB`],
    ["Fee, for whoever mines it", `${toLab(fee)} LAB`],
    ["Together", `${toLab(amount + fee)} LAB`],
    ["Message, for everybody to read", msg === "" ? "none" : visible(msg)],
    ["Its id", id],
  ];
  part("preview-facts").replaceChildren(
    ...rows.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, element("bdi", {}, value))]),
  );
  part("preview-text").textContent = visible(text);
  part("preview-note").hidden = visible(text) === text;
  part("send-confirm").disabled = false;
  part("preview").hidden = false;
  part("preview-title").focus();
}

async function confirm(wasSent) {
  if (!prepared) return;
  part("send-confirm").disabled = true;
  const { id, amount, to } = prepared;
  try {
    const json = await signed(prepared, prepared.key);
    sent = { id, json, what: `Your payment of ${toLab(amount)} LAB to ${to.slice(0, 12)}…`, isSettled: false };
  } catch {
    tell("refused", "The browser could not sign it. Nothing was sent.");
    return;
  }
  close();
  await push(wasSent);
}

async function push(wasSent) {
  const { id, json, what } = sent;
  const typed = asked;
  tell("sending", `${what} is on its way to a mempool…`);
  part("send-status").focus();
  try {
    await api.push(json);
  } catch (error) {
    if (sent.id !== id) return;
    sent.isSettled = !error.isPassing;
    const reason = sentence(visible(error.message));
    if (error.isPassing) tell("unknown", `${what} may not have arrived: ${reason} ${NOT_TWICE}`);
    else tell("refused", `${what} was refused: ${reason} Nothing has moved.`);
    return;
  }
  // What was typed meanwhile is another payment.
  if (sent.id === id && asked === typed) for (const field of ["send-to", "send-amount", "send-message"]) part(field).value = "";
  await follow();
  wasSent();
}

const sentence = (words) => (/[.!?]$/.test(words) ? words : `${words}.`);

/// Says how the payment is doing; only what has changed, since it is read aloud.
function tell(state, words, confirmations) {
  const place = part("send-status");
  place.hidden = false;
  place.dataset.state = state;
  place.dataset.confirmations = confirmations ?? "";
  part("send-again").hidden = !["unknown", "gone"].includes(state);
  const bar = part("send-progress");
  bar.hidden = confirmations === undefined;
  bar.value = confirmations ?? 0;
  const said = part("send-words");
  if (said.firstChild?.textContent === words) return;
  said.replaceChildren(words);
  if (sent && !["refused", "sending"].includes(state)) said.append(" ", shortLink("/transaction", sent.id));
}
