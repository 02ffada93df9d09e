// Addresses: compressed P-256 public keys as text (docs/protocol.md section 6).

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

/// Parses an address that was typed or scanned. Throws an error that says what to change.
export function check(typed) {
  // Copied text may have line breaks; QR codes are in upper case.
  let text = typed.replace(/\s+/g, "");
  if (text === text.toUpperCase()) text = text.toLowerCase();
  if (text === "") throw new Error("The address is missing. Paste the address to pay; it begins with lab1.");
  if (text !== text.toLowerCase()) throw new Error("An address has no capital letters.");
  if (!text.startsWith(`${PREFIX}1`)) throw new Error("An address begins with lab1.");
  const odd = strange(text.slice(PREFIX.length + 1));
  if (odd !== undefined) {
    throw new Error(`After lab1, an address has letters and digits, but no 1, b, i, o or ${JSON.stringify(odd)}.`);
  }
  if (text.length !== LENGTH) {
    throw new Error(`An address has ${LENGTH} characters, but this has ${text.length}.`);
  }
  const key = decode(PREFIX, text);
  if (!key) throw new Error("The checksum does not match: a character is mistyped. Copy the address again.");
  if (![2, 3].includes(key[0]) || !isOnCurve(key)) {
    throw new Error("This address is not a point on the curve. Nobody can have its key, so the money would be lost.");
  }
  return text;
}

/// Whether the curve has a point with the x of this compressed key, that is, whether x^3 - 3x + B is a square.
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
