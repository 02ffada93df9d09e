// A payment: its text, its id, its signature, and the JSON that is pushed (protocol.md section 7). Shows nothing.

import { sha256, sign, toHex } from "./keys.js";

/// What somebody says with a payment, if the network takes it. Throws words that help.
export function checkMessage(msg, mostBytes) {
  const bytes = new TextEncoder().encode(msg);
  if (new TextDecoder().decode(bytes) !== msg) throw new Error("The message has a broken character.");
  if (bytes.length > mostBytes) {
    throw new Error(`The message has ${bytes.length} bytes, and this network takes at most ${mostBytes}.`);
  }
  if (/\p{Cc}/u.test(msg)) throw new Error("The message has a control character, such as a line break or a tab.");
  return msg;
}

/// A payment before it is signed: the text that will be, and its id. Amounts are BigInt grains.
export async function draft({ network, from, to, amount, fee, msg }) {
  const uuid = toHex(crypto.getRandomValues(new Uint8Array(16)));
  const text = `${network}:${uuid}:${from}:${to}:${amount}:${fee}:${msg}`;
  const id = toHex(await sha256(new TextEncoder().encode(text)));
  return { id, uuid, from, to, amount, fee, msg, text };
}

/// The JSON of a draft with its signature. Pushed twice, it still pays once: the id is the same.
export async function signed({ id, uuid, from, to, amount, fee, msg, text }, key) {
  const signature = await sign(key, new TextEncoder().encode(text));
  // Amounts are below 2^53: exact as JSON numbers.
  return JSON.stringify({ id, uuid, from, to, amount: Number(amount), fee: Number(fee), msg, signature });
}
