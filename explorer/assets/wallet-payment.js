// A payment: its text, its id, its signature, and its JSON (docs/protocol.md section 7).

import { sha256, sign, toHex } from "./keys.js";

/// Returns the message of a payment if the network accepts it; throws an error that says what to change.
export function checkMessage(msg, mostBytes) {
  const bytes = new TextEncoder().encode(msg);
  if (new TextDecoder().decode(bytes) !== msg) throw new Error("The message has a broken character.");
  if (bytes.length > mostBytes) {
    throw new Error(`The message has ${bytes.length} bytes, and this network takes at most ${mostBytes}.`);
  }
  if (/\p{Cc}/u.test(msg)) throw new Error("The message has a control character, such as a line break or a tab.");
  return msg;
}

/// A payment that is not signed yet: the text to sign, and its id. Amounts are BigInt grains.
export async function draft({ network, from, to, amount, fee, msg }) {
  const uuid = toHex(crypto.getRandomValues(new Uint8Array(16)));
  const text = `${network}:${uuid}:${from}:${to}:${amount}:${fee}:${msg}`;
  const id = toHex(await sha256(new TextEncoder().encode(text)));
  return { id, uuid, from, to, amount, fee, msg, text };
}

/// What the preview says besides: nothing.
export const facts = () => [];

/// The JSON of a signed payment. Sent twice, it pays once, since its id is the same.
export async function signed({ id, uuid, from, to, amount, fee, msg, text }, key) {
  const signature = await sign(key, new TextEncoder().encode(text));
  // Amounts are below 2^53, so JSON numbers are exact.
  return JSON.stringify({ id, uuid, from, to, amount: Number(amount), fee: Number(fee), msg, signature });
}
