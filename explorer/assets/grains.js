// Amounts: BigInt grains inside, LAB for people; exact (docs/protocol.md section 1).

const GRAINS_PER_LAB = 100_000_000n;
const MOST = 2n ** 53n - 1n;

/// Parses an amount in LAB, such as 12 or 0.5, into grains. Throws an error that says what to change.
export function fromLab(typed) {
  const text = typed.trim();
  if (text === "") throw new Error("An amount is missing.");
  if (/^-[0-9.]/.test(text)) throw new Error("An amount cannot be negative.");
  const parts = /^([0-9]+)(?:\.([0-9]+))?$/.exec(text);
  if (!parts) throw new Error("This is not an amount. Write digits, such as 12 or 0.5, with a point and not a comma.");
  const fraction = (parts[2] ?? "").replace(/0+$/, "");
  if (fraction.length > 8) throw new Error("At most 8 digits after the point: the smallest amount is 0.00000001 LAB.");
  // Larger than any amount; parsing very many digits would take long.
  const whole = parts[1].replace(/^0+(?=[0-9])/, "");
  if (whole.length > 16) throw tooMuch();
  return checked(BigInt(whole) * GRAINS_PER_LAB + BigInt(fraction.padEnd(8, "0")));
}

/// The sum of amount and fee, which must be an amount too.
export const sum = (amount, fee) => checked(amount + fee);

/// Grains as LAB: 12, 0.5, -1.
export function toLab(grains) {
  const [sign, rest] = grains < 0n ? ["-", -grains] : ["", grains];
  const fraction = (rest % GRAINS_PER_LAB).toString().padStart(8, "0").replace(/0+$/, "");
  return `${sign}${rest / GRAINS_PER_LAB}${fraction && "."}${fraction}`;
}

/// Grains from a JSON number, which must be below 2^53 to be exact.
export function fromJson(number) {
  if (!Number.isSafeInteger(number)) throw new Error("the answer contains a malformed amount");
  return BigInt(number);
}

function checked(grains) {
  if (grains > MOST) throw tooMuch();
  return grains;
}

const tooMuch = () => new Error(`This is too much: the largest amount is ${toLab(MOST)} LAB.`);
