// Exercise 1: a text and its hash.

import { sha256 } from "./sha256.js";

const BITS = { 0: 0, 1: 1, 2: 1, 3: 2, 4: 1, 5: 2, 6: 2, 7: 3, 8: 1, 9: 2, a: 2, b: 3, c: 2, d: 3, e: 3, f: 4 };

// How many bits of two hashes differ.
function differingBits(one, other) {
  const bits = (digit, i) => BITS[(parseInt(digit, 16) ^ parseInt(other[i], 16)).toString(16)];
  return Array.from(one, bits).reduce((a, b) => a + b);
}

export function start(section) {
  const text = section.querySelector('[name="text"]');
  const hash = section.querySelector('[data-out="hash"]');
  const status = section.querySelector('[data-out="status"]');
  text.addEventListener("input", () => {
    const before = hash.textContent;
    hash.textContent = sha256(text.value);
    status.textContent = `${differingBits(before, hash.textContent)} of 256 bits have changed.`;
  });
}
