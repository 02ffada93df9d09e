// Keys: made, read, written and used by the browser's own cryptography (WebCrypto). A key is signed with and never sent.

import { ofPoint } from "./address.js";

const KIND = { name: "ECDSA", namedCurve: "P-256" };
const SIGNING = { name: "ECDSA", hash: "SHA-256" };
const CURVE_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
/// What stands before the 32 bytes of a key in a PKCS#8 file without its public half.
const PKCS8_HEAD = "3041020100301306072a8648ce3d020106082a8648ce3d030107042730250201010420";
const LONGEST_PEM = 10_000;
const WIDTH_OF_PEM = 64;

/// A new key. One that is not exportable can be used here, but nobody can read it, not even this page.
export async function make(isExportable) {
  const { privateKey, publicKey } = await crypto.subtle.generateKey(KIND, isExportable, ["sign", "verify"]);
  return tried({ key: privateKey, publicKey });
}

/// The key in a PKCS#8 PEM text, as `user new` and openssl write it. Throws words that help.
export async function fromPem(text, isExportable) {
  if (text.length > LONGEST_PEM) throw new Error("This is too long for a key file.");
  const parts = /-----BEGIN ([A-Z0-9 ]*PRIVATE KEY)-----([A-Za-z0-9+/=\s]+)-----END \1-----/.exec(text);
  if (!parts) throw new Error("This is no key file: expected lines from -----BEGIN PRIVATE KEY----- to -----END PRIVATE KEY-----.");
  const [, label, body] = parts;
  if (label !== "PRIVATE KEY") throw new Error(unreadable(label));
  let der;
  try {
    der = Uint8Array.from(atob(body.replace(/\s+/g, "")), (character) => character.charCodeAt(0));
  } catch {
    throw new Error("The key is damaged: a part of the file is missing or mistyped.");
  }
  return fromPkcs8(der, isExportable);
}

/// The key of a seed text, the same as `user` has for it: whoever guesses the text has the key.
export async function fromSeed(seed, isExportable) {
  let digest = await sha256(new TextEncoder().encode(`chainlab seed:${seed}`));
  while (!isScalar(digest)) digest = await sha256(digest);
  return fromPkcs8(fromHex(PKCS8_HEAD + toHex(digest)), isExportable);
}

/// The key as the PKCS#8 PEM that `user -f` reads; only of an exportable key.
export async function toPem(key) {
  const der = new Uint8Array(await crypto.subtle.exportKey("pkcs8", key));
  const body = btoa(String.fromCharCode(...der)).match(new RegExp(`.{1,${WIDTH_OF_PEM}}`, "g"));
  return `-----BEGIN PRIVATE KEY-----\n${body.join("\n")}\n-----END PRIVATE KEY-----\n`;
}

/// The signature over bytes: r and s, 32 bytes each, in hex. The protocol takes every s, so none is changed.
export async function sign(key, bytes) {
  return toHex(new Uint8Array(await crypto.subtle.sign(SIGNING, key, bytes)));
}

/// SHA-256.
export const sha256 = async (bytes) => new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));

/// Bytes as lower-case hex digits.
export const toHex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

const fromHex = (hex) => Uint8Array.from(hex.match(/../g), (pair) => parseInt(pair, 16));

function isScalar(digest) {
  const number = BigInt(`0x${toHex(digest)}`);
  return number > 0n && number < CURVE_ORDER;
}

function unreadable(label) {
  if (label === "ENCRYPTED PRIVATE KEY") {
    return "This key is locked with a password, and browsers cannot open such files. "
      + "“openssl pkcs8 -in wallet.pem -out plain.pem” asks for the password and writes one without.";
  }
  return `This is of kind ${label}. “openssl pkcs8 -topk8 -nocrypt -in key.pem -out plain.pem” may turn it into a PRIVATE KEY.`;
}

async function fromPkcs8(der, isExportable) {
  try {
    // Read as exportable once, for its public half; what is kept is what was asked for.
    const readable = await crypto.subtle.importKey("pkcs8", der, KIND, true, ["sign"]);
    const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", readable);
    const publicKey = await crypto.subtle.importKey("jwk", { kty, crv, x, y }, KIND, true, ["verify"]);
    const key = isExportable ? readable : await crypto.subtle.importKey("pkcs8", der, KIND, false, ["sign"]);
    return await tried({ key, publicKey });
  } catch {
    throw new Error("The browser cannot read this key: it must be whole, of kind EC, on the curve P-256 (prime256v1).");
  }
}

/// A key and its address, after a first signature was checked: money sent to it can be spent.
async function tried({ key, publicKey }) {
  const text = new TextEncoder().encode("chainlab");
  const signature = await crypto.subtle.sign(SIGNING, key, text);
  if (!(await crypto.subtle.verify(SIGNING, publicKey, signature, text))) throw new Error("the halves of the key do not match");
  const point = new Uint8Array(await crypto.subtle.exportKey("raw", publicKey));
  return { key, address: ofPoint(point.slice(1, 33), point.slice(33)) };
}
