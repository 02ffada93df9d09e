// What the exercises with blocks share: a search for a nonce, its progress, and a line for its result.

import { digest } from "./learn-rules.js";
import { search } from "./miner.js";

const number = new Intl.NumberFormat("en");

export const count = (many, one, several) => `${number.format(many)} ${many === 1 ? one : several}`;

export class Workshop {
  #rate;
  #status;
  #stop;
  #search; // aborts the search in progress
  #miner; // the button that started it

  constructor(section) {
    this.#rate = section.querySelector('[data-out="rate"]');
    this.#status = section.querySelector('[data-out="status"]');
    this.#stop = section.querySelector('[data-do="stop"]');
    this.#stop.disabled = true;
    this.#stop.addEventListener("click", () => {
      this.stop();
      this.say("Stopped: no nonce was found.");
    });
  }

  say(text) {
    this.#status.textContent = text;
  }

  // Ends the search in progress. If the button that stops it has the focus, the button that started it gets it.
  stop() {
    this.#search?.abort();
    this.#search = undefined;
    if (document.activeElement === this.#stop) {
      this.#miner?.focus();
    }
    this.#stop.disabled = true;
  }

  // Searches for a nonce for the block and writes it there; returns whether it was found. Ends another search first.
  async mine(card) {
    this.stop();
    const own = new AbortController();
    this.#search = own;
    this.#miner = document.activeElement;
    this.#stop.disabled = false;
    const name = `block ${card.get("index")}`;
    this.say(`Mining ${name}…`);
    const { seal, target } = digest(card.block());
    const { nonce, tried, ms } = await search(seal, target, own.signal, (...progress) => this.#showRate(...progress));
    if (own.signal.aborted) {
      return false;
    }
    this.stop();
    this.#showRate(tried, ms);
    if (!nonce) {
      this.say("No nonce fits. Change anything else in the block, and try again.");
      return false;
    }
    card.set("nonce", nonce);
    this.say(`Found a nonce for ${name} after ${count(tried, "try", "tries")}.`);
    return true;
  }

  #showRate(tried, ms) {
    const perSecond = Math.round((tried / Math.max(ms, 1)) * 1000);
    this.#rate.textContent = `${count(tried, "hash", "hashes")}, ${number.format(perSecond)} per second`;
  }
}
