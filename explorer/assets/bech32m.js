// Bech32m (BIP 350): bytes as text with a checksum that detects typing mistakes.

const ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const GENERATORS = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];
const BECH32M = 0x2bc830a3;
const CHECKSUM_LENGTH = 6;

/// Bytes as lower-case text: prefix, 1, bytes, checksum.
export function encode(prefix, bytes) {
  const values = regroup(bytes, 8, 5, true);
  const code = checksum([...expand(prefix), ...values, 0, 0, 0, 0, 0, 0]) ^ BECH32M;
  const tail = [25, 20, 15, 10, 5, 0].map((shift) => (code >>> shift) & 31);
  return `${prefix}1${[...values, ...tail].map((value) => ALPHABET[value]).join("")}`;
}

/// The first character that is not allowed after the prefix, or undefined.
export const strange = (data) => [...data].find((character) => !ALPHABET.includes(character));

/// The bytes of a lower-case text with this prefix; undefined if the checksum or the padding is wrong.
export function decode(prefix, text) {
  const data = text.slice(prefix.length + 1);
  if (!text.startsWith(`${prefix}1`) || data.length < CHECKSUM_LENGTH || strange(data) !== undefined) return undefined;
  const values = [...data].map((character) => ALPHABET.indexOf(character));
  if (checksum([...expand(prefix), ...values]) !== BECH32M) return undefined;
  return regroup(values.slice(0, -CHECKSUM_LENGTH), 5, 8, false);
}

function checksum(values) {
  let state = 1;
  for (const value of values) {
    const top = state >>> 25;
    state = ((state & 0x1ffffff) << 5) ^ value;
    GENERATORS.forEach((generator, bit) => {
      if ((top >>> bit) & 1) state ^= generator;
    });
  }
  return state;
}

function expand(prefix) {
  const codes = [...prefix].map((character) => character.charCodeAt(0));
  return [...codes.map((code) => code >>> 5), 0, ...codes.map((code) => code & 31)];
}

/// Regroups bits. The last group is padded with zeros; when decoding, the padding is checked and removed.
function regroup(groups, from, to, isPadded) {
  const regrouped = [];
  let [held, bits] = [0, 0];
  for (const group of groups) {
    held = ((held << from) | group) & 0xfff;
    bits += from;
    while (bits >= to) {
      bits -= to;
      regrouped.push((held >>> bits) & ((1 << to) - 1));
    }
  }
  const rest = held & ((1 << bits) - 1);
  if (isPadded) return bits === 0 ? regrouped : [...regrouped, rest << (to - bits)];
  return bits < from && rest === 0 ? regrouped : undefined;
}
