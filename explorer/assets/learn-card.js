// A block on the page. Its fields are read from the page and written to it, so the page shows the true state.

import { digest, malformed, whyNot } from "./learn-rules.js";

const NAMES = ["index", "prev_hash", "timestamp", "difficulty", "data", "nonce"];

export class Card {
  constructor(element) {
    this.element = element;
  }

  field(name) {
    return this.element.querySelector(`[data-field="${name}"]`);
  }

  get(name) {
    const field = this.field(name);
    return field.value ?? field.textContent;
  }

  set(name, content) {
    const field = this.field(name);
    if ("value" in field) {
      field.value = content;
    } else {
      field.textContent = content;
    }
  }

  // All fields, as they are on the page.
  block() {
    return Object.fromEntries(NAMES.map((name) => [name, this.get(name)]));
  }

  // Computes and shows all values again; returns what is needed to judge the next block.
  judge(parent) {
    const block = this.block();
    const digests = digest(block);
    const reason = whyNot(block, digests, parent);
    this.show("data-hash", digests.dataHash);
    this.show("seal", digests.seal);
    this.show("target", digests.target || "none");
    this.show("hash", digests.hash);
    this.show("name", block.index);
    this.show("verdict", reason ? `✗ Not valid: ${reason}` : "✓ Valid");
    this.element.dataset.state = reason ? "bad" : "good";
    this.element.dataset.index = block.index;
    this.markMalformed(malformed(block));
    return { ...digests, index: block.index, difficulty: Number(block.difficulty), isGood: !reason, reason };
  }

  show(out, content) {
    const place = this.element.querySelector(`[data-out="${out}"]`);
    if (place) {
      place.textContent = content;
    }
  }

  markMalformed(wrong) {
    for (const field of this.element.querySelectorAll("input, textarea")) {
      field.setAttribute("aria-invalid", String(field.dataset.field === wrong));
    }
  }
}
