// Exercise 3: a chain of blocks. Exercise 4 has two of them.

import { enableCopying } from "./copy.js";
import { Card } from "./learn-card.js";
import { digest } from "./learn-rules.js";
import { Workshop, count } from "./learn-workshop.js";

// The blocks of one `[data-chain]`, from genesis up.
export class Chain {
  #list;
  #original;

  constructor(list) {
    this.#list = list;
    this.#original = list.cloneNode(true);
  }

  get cards() {
    return Array.from(this.#list.children, (element) => new Card(element));
  }

  // Judges all blocks in order; returns them, their total work, and the first one that is not valid.
  judge() {
    const blocks = [];
    for (const card of this.cards) {
      blocks.push(card.judge(blocks.at(-1)));
    }
    const work = blocks.reduce((sum, block) => sum + block.difficulty, 0);
    return { blocks, work, broken: blocks.find((block) => !block.isGood) };
  }

  // Puts the block onto the one before, as that is now, and looks for a nonce.
  async mine(card, workshop) {
    const before = card.element.previousElementSibling;
    if (before) {
      card.set("prev_hash", digest(new Card(before).block()).hash);
    }
    this.judge();
    const isFound = await workshop.mine(card);
    this.judge();
    return isFound;
  }

  // Mines again every block that is not valid, oldest first; whether all was found.
  async repair(workshop) {
    const broken = this.judge().blocks.findIndex((block) => !block.isGood);
    for (const card of broken < 0 ? [] : this.cards.slice(broken)) {
      if (!(await this.mine(card, workshop))) {
        return false;
      }
    }
    return true;
  }

  append(element) {
    this.#list.append(element);
    enableCopying(this.#list);
  }

  // Replaces the blocks from a height on by copies of another chain's blocks.
  adopt(other, from) {
    const taken = other.cards.slice(from).map((card) => card.element.cloneNode(true));
    this.#list.replaceChildren(...Array.from(this.#list.children).slice(0, from), ...taken);
    enableCopying(this.#list);
  }

  reset() {
    this.#list.replaceChildren(...this.#original.cloneNode(true).children);
    enableCopying(this.#list);
  }

  // Calls `changed` when a block is edited, and `mine` when a button "Mine" is pressed.
  listen(changed, mine) {
    this.#list.addEventListener("input", changed);
    this.#list.addEventListener("click", (event) => {
      if (event.target.closest('[data-do="mine"]')) {
        mine(new Card(event.target.closest(".learn-block")));
      }
    });
  }
}

// What is needed to make the chain valid again.
function repairWork(blocks) {
  const broken = blocks.slice(blocks.findIndex((block) => !block.isGood));
  const hashes = broken.reduce((sum, block) => sum + block.difficulty, 0);
  const blocksAgain = count(broken.length, "block", "blocks");
  return `To repair it, mine ${blocksAgain} again. That takes about ${count(hashes, "try", "tries")}.`;
}

export function start(section) {
  const chain = new Chain(section.querySelector("[data-chain]"));
  const workshop = new Workshop(section);
  const tell = () => {
    const { blocks, broken } = chain.judge();
    workshop.say(
      broken ? `The chain is broken at block ${broken.index}. ${repairWork(blocks)}` : "The whole chain is valid.",
    );
  };
  chain.listen(
    () => {
      workshop.stop();
      tell();
    },
    async (card) => {
      if (await chain.mine(card, workshop)) {
        tell();
      }
    },
  );
  section.querySelector('[data-do="reset"]').addEventListener("click", () => {
    workshop.stop();
    chain.reset();
    tell();
  });
  chain.judge();
}
