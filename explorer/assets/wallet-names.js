// Names: whom the wallet pays by name, and the name that its owner signs in at this explorer.

import * as api from "./wallet-api.js";
import * as keys from "./keys.js";
import { check as checkAddress } from "./address.js";
import { complain, element, part, visible } from "./wallet-dom.js";

const PATTERN = /^\p{L}[\p{L}\p{N} _'.-]{0,19}$/u;

/// The names that the explorer knows: addresses by lower-case name, and names by address.
let addresses = new Map();
let names = new Map();
let isLoaded = false;

/// Fetches the names, for the list of people to pay. Without them, addresses still work.
export async function refresh() {
  let people;
  try {
    people = await api.names();
  } catch {
    return;
  }
  isLoaded = true;
  addresses = new Map(people.map(({ name, address }) => [name.toLowerCase(), address]));
  names = new Map(people.map(({ name, address }) => [address, name]));
  part("send-people").replaceChildren(...people.map(({ name }) => element("option", { value: name })));
}

/// Fetches the names unless they were fetched before.
export async function load(address) {
  if (isLoaded) return;
  await refresh();
  show(address);
}

/// The address that a person typed, or that of the person whose name was typed. Throws an error that says what to do.
export function payee(text) {
  const typed = text.trim();
  const address = addresses.get(typed.toLowerCase());
  if (address) return address;
  if (PATTERN.test(typed) && !typed.toLowerCase().startsWith("lab1")) {
    throw new Error(`Nobody here is called “${typed}”. Type a name of the list, or an address, which begins with lab1.`);
  }
  return checkAddress(typed);
}

/// `Ada, lab1…`, or the address.
export const described = (address) => (names.has(address) ? `${names.get(address)}, ${address}` : address);

export const nameOf = (address) => names.get(address);

/// Makes the form work that signs a name in. `current()` returns the shown wallet.
export function setUp({ network, current }) {
  part("name-form").addEventListener("submit", (event) => {
    event.preventDefault();
    sign(network, current(), part("name-text").value.trim());
  });
  part("name-remove").addEventListener("click", () => sign(network, current(), ""));
}

async function sign(network, { address, key }, name) {
  if (name !== "" && !PATTERN.test(name)) {
    complain(part("name-text"), "A name has up to 20 letters, digits, spaces and - _ ' . and begins with a letter.");
    return;
  }
  const time = Date.now();
  const text = `chainlab name|${network}|${address}|${time}|${name}`;
  try {
    const signature = await keys.sign(key, new TextEncoder().encode(text));
    await api.claim(JSON.stringify({ address, name, time, signature }));
    complain(part("name-text"), "");
  } catch (error) {
    complain(part("name-text"), visible(error.message));
    return;
  }
  await refresh();
  show(address);
}

/// Shows whether the wallet has a name.
export function show(address) {
  const name = nameOf(address);
  part("name-status").textContent = name ? `This explorer calls you ${name}.` : "You have no name here yet.";
  part("name-remove").hidden = !name;
}
