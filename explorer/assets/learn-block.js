// Exercise 2: one block whose fields can all be changed.

import { Card } from "./learn-card.js";
import { Workshop } from "./learn-workshop.js";
import { malformed } from "./learn-rules.js";

export function start(section) {
  const card = new Card(section.querySelector(".learn-block"));
  const workshop = new Workshop(section);
  card.judge();
  card.element.addEventListener("input", () => {
    workshop.stop();
    const { isGood, reason } = card.judge();
    workshop.say(isGood ? "The block is valid." : `The block is not valid: ${reason}.`);
  });
  card.element.querySelector('[data-do="mine"]').addEventListener("click", async () => {
    const wrong = malformed(card.block());
    if (wrong && wrong !== "nonce") {
      workshop.say(`Correct the field ${wrong} first; then the block can be mined.`);
    } else if (await workshop.mine(card)) {
      card.judge();
    }
  });
}
