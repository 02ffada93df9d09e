// Money: whole grains inside, LAB for people. Exact, as protocol.md section 1 demands: BigInt, never a floating-point number.

const GRAINS_PER_LAB = 100_000_000n;
const MOST = 2n ** 53n - 1n;

/// Grains of an amount that somebody typed, as in 12 or 0.5. Throws words that help.
export function fromLab(typed) {
  const text = typed.trim();
  if (text === "") throw new Error("How much? An amount is missing.");
  if (/^-[0-9.]/.test(text)) throw new Error("An amount is never negative.");
  const parts = /^([0-9]+)(?:\.([0-9]+))?$/.exec(text);
  if (!parts) throw new Error("This is not an amount: write digits, as in 12 or 0.5, with a point and not a comma.");
  const fraction = (parts[2] ?? "").replace(/0+$/, "");
  if (fraction.length > 8) throw new Error("At most 8 digits after the point: the smallest amount is 0.00000001 LAB.");
  // No money has so many digits, and reading them would take a while.
  const whole = parts[1].replace(/^0+(?=[0-9])/, "");
  if (whole.length > 16) throw tooMuch();
  return checked(BigInt(whole) * GRAINS_PER_LAB + BigInt(fraction.padEnd(8, "0")));
}

/// Amount and fee together, which must still be an amount.
export const sum = (amount, fee) => checked(amount + fee);

/// Grains as LAB: 12, 0.5, -1.
export function toLab(grains) {
  const [sign, rest] = grains < 0n ? ["-", -grains] : ["", grains];
  const fraction = (rest % GRAINS_PER_LAB).toString().padStart(8, "0").replace(/0+$/, "");
  return `${sign}${rest / GRAINS_PER_LAB}${fraction && "."}${fraction}`;
}

/// Grains as a service writes them: a JSON number below 2^53, which is exact.
export function fromJson(number) {
  if (!Number.isSafeInteger(number)) throw new Error("an amount in the answer is no amount");
  return BigInt(number);
}

function checked(grains) {
  if (grains > MOST) throw tooMuch();
  return grains;
}

const tooMuch = () => new Error(`This is more than there can be: at most ${toLab(MOST)} LAB.`);
