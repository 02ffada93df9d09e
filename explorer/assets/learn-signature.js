// Exercise 5: a key pair that the browser makes (WebCrypto). Not even this script can read the private key, and the
// browser forgets it with the page.

import { hex } from "./sha256.js";

const CURVE = { name: "ECDSA", namedCurve: "P-256" };
const SIGNING = { name: "ECDSA", hash: "SHA-256" };
const SIGNATURE = /^[0-9a-f]{128}$/;

const YES = "✓ Yes: the owner of the private key has signed exactly this message.";
const NO = "✗ No: this is not a signature of this message by this key.";
const NOT_WRITTEN_SO = "✗ No: a signature has 128 digits, 0 to 9 and a to f.";
const NOT_HERE =
  "Browsers sign only on secure pages. Open this page over https, or as http://localhost on the computer that runs " +
  "the explorer. What you see is an example.";

const bytes = (text) => new TextEncoder().encode(text);
const ofHex = (text) => Uint8Array.from(text.match(/../g), (digits) => parseInt(digits, 16));

// A compressed public key, as in addresses: 02 or 03 for an even or odd y, then x.
async function compressed(key) {
  const point = new Uint8Array(await crypto.subtle.exportKey("raw", key));
  return (point[64] % 2 === 0 ? "02" : "03") + hex(point.slice(1, 33));
}

class Exercise {
  #pair;

  constructor(section) {
    this.box = section.querySelector("[data-state]");
    this.key = section.querySelector('[data-out="public-key"]');
    this.status = section.querySelector('[data-out="status"]');
    this.message = section.querySelector('[name="message"]');
    this.signature = section.querySelector('[name="signature"]');
  }

  async makeKey() {
    this.#pair = await crypto.subtle.generateKey(CURVE, false, ["sign", "verify"]);
    this.key.textContent = await compressed(this.#pair.publicKey);
  }

  async sign() {
    const signature = await crypto.subtle.sign(SIGNING, this.#pair.privateKey, bytes(this.message.value));
    this.signature.value = hex(new Uint8Array(signature));
  }

  async verify() {
    const [message, signature] = [this.message.value, this.signature.value];
    const isWritten = SIGNATURE.test(signature);
    const isRight =
      isWritten && (await crypto.subtle.verify(SIGNING, this.#pair.publicKey, ofHex(signature), bytes(message)));
    // If the text has changed during the check, another check is running and will show the result.
    if (message === this.message.value && signature === this.signature.value) {
      this.box.dataset.state = isRight ? "good" : "bad";
      this.status.textContent = isRight ? YES : isWritten ? NO : NOT_WRITTEN_SO;
    }
  }
}

export async function start(section) {
  const exercise = new Exercise(section);
  const fields = [exercise.message, exercise.signature];
  const buttons = section.querySelectorAll("button");
  if (!globalThis.crypto?.subtle) {
    exercise.status.textContent = NOT_HERE;
    fields.forEach((field) => (field.readOnly = true));
    buttons.forEach((button) => (button.disabled = true));
    return;
  }
  section.querySelector('[data-do="sign"]').addEventListener("click", async () => {
    await exercise.sign();
    await exercise.verify();
  });
  section.querySelector('[data-do="new-key"]').addEventListener("click", async () => {
    await exercise.makeKey();
    await exercise.verify();
  });
  fields.forEach((field) => field.addEventListener("input", () => exercise.verify()));
  await exercise.makeKey();
  await exercise.sign();
  await exercise.verify();
}
