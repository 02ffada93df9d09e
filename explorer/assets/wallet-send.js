// Paying: the form, the preview, the signature, and the state of the payment up to six confirmations.

import * as api from "./wallet-api.js";
import { fromLab, sum, toLab } from "./grains.js";
import { described, nameOf, payee } from "./wallet-names.js";
import { markStep } from "./steps.js";
import { complain, element, part, shortLink, visible } from "./wallet-dom.js";
import { checkMessage } from "./wallet-payment.js";

const ENOUGH_CONFIRMATIONS = 6;
const NOT_TWICE = "Sending the same payment again cannot pay twice.";

/// A payment in preview that its sender has not confirmed.
let prepared;
/// Counts previews and cancellations, so that an outdated preview is not shown.
let asked = 0;
/// The last payment that was sent: {id, json, what, isSettled}.
let sent;

/// Makes the form work. `payments` makes them, from accounts or from coins; `purse()` returns the sender, {address, key,
/// holds}; `wasSent()` is called after a payment.
export function setUp({ network, mostBytes, payments, purse, wasSent }) {
  const form = part("send-form");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    preview(network, mostBytes, payments, purse());
  });
  form.addEventListener("input", close);
  part("send-cancel").addEventListener("click", () => {
    close();
    part("send-to").focus();
  });
  part("send-confirm").addEventListener("click", () => confirm(wasSent));
  part("send-again").addEventListener("click", () => push(wasSent));
}

/// Forgets the payment in preview.
export function close() {
  asked += 1;
  prepared = undefined;
  part("preview").hidden = true;
}

/// Fetches the state of the last payment.
export async function follow() {
  if (!sent || sent.isSettled) return;
  const { id, what } = sent;
  let answer;
  try {
    answer = await api.standing(id);
  } catch (error) {
    // If the payment may not have arrived, the shown reason says more than "not found".
    if (sent?.id === id && error.status === 404 && part("send-status").dataset.state !== "unknown") {
      const why = "perhaps it waited too long, or others paid a higher fee";
      showState("gone", `${what} is not in the mempool, or no longer: ${why}. ${NOT_TWICE}`);
    }
    return;
  }
  if (sent?.id !== id) return;
  const confirmations = answer.status === "confirmed" ? answer.confirmations : 0;
  sent.isSettled = confirmations >= ENOUGH_CONFIRMATIONS;
  if (confirmations === 0) showState("pending", `${what} waits for a block.`, 0);
  else showState("confirmed", inBlock(what, answer.block?.index, confirmations), confirmations);
}

function inBlock(what, index, confirmations) {
  const shown = Math.min(confirmations, ENOUGH_CONFIRMATIONS);
  const end = shown < ENOUGH_CONFIRMATIONS ? "Each block on top makes it safer." : "It is as good as final.";
  return `${what} is in block ${index}: ${shown} of ${ENOUGH_CONFIRMATIONS} confirmations. ${end}`;
}

/// Parses the value of a field; if that fails, shows the error at the field and returns undefined.
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

async function preview(network, mostBytes, payments, { address, key, holds }) {
  const to = read("send-to", payee);
  const fee = read("send-fee", fromLab);
  const amount = read("send-amount", (text) => payable(fromLab(text), fee ?? 0n, holds));
  const msg = read("send-message", (text) => checkMessage(text, mostBytes));
  if ([to, fee, amount, msg].includes(undefined)) {
    part("send-form").querySelector('[aria-invalid="true"]').focus();
    return;
  }
  close();
  const mine = asked;
  let drafted;
  try {
    drafted = await payments.draft({ network, from: address, to, amount, fee, msg });
  } catch (error) {
    complain(part("send-amount"), error.message);
    part("send-amount").focus();
    return;
  }
  // The form or the wallet may have changed in the meantime.
  if (mine !== asked) return;
  prepared = { ...drafted, key, sign: payments.signed };
  show(prepared, payments.facts(drafted));
}

function payable(amount, fee, holds) {
  if (amount === 0n) throw new Error("Nothing would move: the smallest amount is 0.00000001 LAB.");
  const together = sum(amount, fee);
  if (holds !== undefined && together > holds) {
    throw new Error(`With the fee this costs ${toLab(together)} LAB, but this wallet holds ${toLab(holds)} LAB.`);
  }
  return amount;
}

function show({ id, from, to, amount, fee, msg, text }, facts) {
  const rows = [
    ["From (this wallet)", described(from)],
    ["To", to === from ? `${to} (this wallet: only the fee is spent)` : described(to)],
    ["Amount", `${toLab(amount)} LAB`],
    ["Fee, for the miner", `${toLab(fee)} LAB`],
    ["Total", `${toLab(amount + fee)} LAB`],
    ...facts,
    ["Message, public", msg === "" ? "none" : visible(msg)],
    ["Transaction id", id],
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
    const json = await prepared.sign(prepared, prepared.key);
    sent = { id, json, what: `Your payment of ${toLab(amount)} LAB to ${nameOf(to) ?? `${to.slice(0, 12)}…`}`, isSettled: false };
  } catch {
    showState("refused", "The browser could not sign the payment. Nothing was sent.");
    return;
  }
  close();
  await push(wasSent);
}

async function push(wasSent) {
  const { id, json, what } = sent;
  const typed = asked;
  showState("sending", `${what} is being sent to a mempool…`);
  part("send-status").focus();
  try {
    await api.push(json);
    markStep("pay");
  } catch (error) {
    if (sent.id !== id) return;
    sent.isSettled = !error.mayBeTemporary;
    const reason = sentence(visible(error.message));
    if (error.mayBeTemporary) showState("unknown", `${what} may not have arrived: ${reason} ${NOT_TWICE}`);
    else showState("refused", `${what} was refused: ${reason} No money was moved.`);
    return;
  }
  // If something was typed in the meantime, it is another payment.
  if (sent.id === id && asked === typed) {
    for (const field of ["send-to", "send-amount", "send-message"]) part(field).value = "";
  }
  await follow();
  wasSent();
}

const sentence = (words) => (/[.!?]$/.test(words) ? words : `${words}.`);

/// Shows the state of the payment. Writes only changes, since screen readers read them.
function showState(state, words, confirmations) {
  const place = part("send-status");
  place.hidden = false;
  place.dataset.state = state;
  place.dataset.confirmations = confirmations ?? "";
  part("send-again").hidden = !["unknown", "gone"].includes(state);
  const bar = part("send-progress");
  bar.hidden = confirmations === undefined;
  bar.value = confirmations ?? 0;
  const line = part("send-words");
  if (line.firstChild?.textContent === words) return;
  line.replaceChildren(words);
  if (sent && !["refused", "sending"].includes(state)) line.append(" ", shortLink("/transaction", sent.id));
}
