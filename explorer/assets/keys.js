// Makes, reads, writes and uses keys with the browser's cryptography (WebCrypto). No key is ever sent.

import { ofPoint } from "./address.js";

const KIND = { name: "ECDSA", namedCurve: "P-256" };
const SIGNING = { name: "ECDSA", hash: "SHA-256" };
const CURVE_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
/// The bytes before the 32 bytes of the key in a PKCS#8 file without a public key.
const PKCS8_HEAD = "3041020100301306072a8648ce3d020106082a8648ce3d030107042730250201010420";
const LONGEST_PEM = 10_000;
const WIDTH_OF_PEM = 64;

/// A new key. If it is not exportable, nobody can read it, not even this page.
export async function make(isExportable) {
  const { privateKey, publicKey } = await crypto.subtle.generateKey(KIND, isExportable, ["sign", "verify"]);
  return tried({ key: privateKey, publicKey });
}

/// The key of a PKCS#8 PEM text, as `user new` and openssl write it. Throws an error that says what to do.
export async function fromPem(text, isExportable) {
  if (text.length > LONGEST_PEM) throw new Error("This is too long for a key file.");
  const parts = /-----BEGIN ([A-Z0-9 ]*PRIVATE KEY)-----([A-Za-z0-9+/=\s]+)-----END \1-----/.exec(text);
  if (!parts) {
    const expected = "lines from -----BEGIN PRIVATE KEY----- to -----END PRIVATE KEY-----";
    throw new Error(`This is not a key file: expected ${expected}.`);
  }
  const [, label, body] = parts;
  if (label !== "PRIVATE KEY") throw new Error(unreadable(label));
  let der;
  try {
    der = Uint8Array.from(atob(body.replace(/\s+/g, "")), (character) => character.charCodeAt(0));
  } catch {
    throw new Error("The key is damaged: a part of the file is missing or wrong.");
  }
  return fromPkcs8(der, isExportable);
}

/// The key of a seed, the same as that of the program `user`. Anyone who guesses the seed has the key.
export async function fromSeed(seed, isExportable) {
  let digest = await sha256(new TextEncoder().encode(`chainlab seed:${seed}`));
  while (!isScalar(digest)) digest = await sha256(digest);
  return fromPkcs8(fromHex(PKCS8_HEAD + toHex(digest)), isExportable);
}

/// An exportable key as PKCS#8 PEM, which `user -f` reads.
export async function toPem(key) {
  const der = new Uint8Array(await crypto.subtle.exportKey("pkcs8", key));
  const body = btoa(String.fromCharCode(...der)).match(new RegExp(`.{1,${WIDTH_OF_PEM}}`, "g"));
  return `-----BEGIN PRIVATE KEY-----\n${body.join("\n")}\n-----END PRIVATE KEY-----\n`;
}

/// A signature over bytes: r and s, 32 bytes each, in hex. The protocol accepts high and low s.
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
    return "This key has a password, and browsers cannot open such files. "
      + "“openssl pkcs8 -in wallet.pem -out plain.pem” asks for the password and writes a file without one.";
  }
  const command = "openssl pkcs8 -topk8 -nocrypt -in key.pem -out plain.pem";
  return `This file has a ${label}, but a PRIVATE KEY is needed. “${command}” may convert it.`;
}

async function fromPkcs8(der, isExportable) {
  try {
    // Imported as exportable first, to compute the public key.
    const readable = await crypto.subtle.importKey("pkcs8", der, KIND, true, ["sign"]);
    const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", readable);
    const publicKey = await crypto.subtle.importKey("jwk", { kty, crv, x, y }, KIND, true, ["verify"]);
    const key = isExportable ? readable : await crypto.subtle.importKey("pkcs8", der, KIND, false, ["sign"]);
    return await tried({ key, publicKey });
  } catch {
    throw new Error("The browser cannot read this key. It must be a complete EC key on the curve P-256 (prime256v1).");
  }
}

/// A key and its address, after a test signature: so money that is sent to the address can be spent.
async function tried({ key, publicKey }) {
  const text = new TextEncoder().encode("chainlab");
  const signature = await crypto.subtle.sign(SIGNING, key, text);
  const isRight = await crypto.subtle.verify(SIGNING, publicKey, signature, text);
  if (!isRight) throw new Error("the private and the public key do not match");
  const point = new Uint8Array(await crypto.subtle.exportKey("raw", publicKey));
  return { key, address: ofPoint(point.slice(1, 33), point.slice(33)) };
}
