// Addresses: a compressed P-256 public key as text (protocol.md section 6), made and checked here.

import { decode, encode, strange } from "./bech32m.js";

const PREFIX = "lab";
const LENGTH = 63;

// The curve: y^2 = x^3 - 3x + B over the integers modulo P.
const P = 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n;
const B = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn;

/// The address of a point: 32 bytes of x, 32 of y.
export function ofPoint(x, y) {
  return encode(PREFIX, [2 + (y[31] & 1), ...x]);
}

/// The address that somebody typed or scanned. Throws words that help.
export function check(typed) {
  // Text from letters breaks lines; codes to be scanned are upper-case.
  let text = typed.replace(/\s+/g, "");
  if (text === text.toUpperCase()) text = text.toLowerCase();
  if (text === "") throw new Error("Whom? Paste the address of the one who is paid; it begins with lab1.");
  if (text !== text.toLowerCase()) throw new Error("An address is written in lower-case letters.");
  if (!text.startsWith(`${PREFIX}1`)) throw new Error("An address begins with lab1. Is this something else?");
  const odd = strange(text.slice(PREFIX.length + 1));
  if (odd !== undefined) {
    throw new Error(`An address has letters and digits, but after lab1 no 1, b, i or o, and no ${JSON.stringify(odd)}.`);
  }
  if (text.length !== LENGTH) {
    throw new Error(`An address has ${LENGTH} characters, this has ${text.length}: is a part missing, or too much?`);
  }
  const key = decode(PREFIX, text);
  if (!key) throw new Error("The checksum does not match: a character is mistyped. Copy the address again.");
  if (![2, 3].includes(key[0]) || !isOnCurve(key)) {
    throw new Error("This address is no point of the curve: nobody can have its key, and the money would be lost.");
  }
  return text;
}

/// Whether there is a point with the x of this compressed key: whether x^3 - 3x + B is a square.
function isOnCurve(key) {
  const x = key.slice(1).reduce((number, byte) => (number << 8n) | BigInt(byte), 0n);
  const square = (((x * x - 3n) * x + B) % P + P) % P;
  return x < P && power(square, (P - 1n) / 2n) === 1n;
}

function power(base, exponent) {
  let result = 1n;
  for (let bits = exponent; bits > 0n; bits >>= 1n) {
    if (bits & 1n) result = (result * base) % P;
    base = (base * base) % P;
  }
  return result;
}
