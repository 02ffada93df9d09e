// Exercise 4: two peers with a chain each, and the rule by which they agree.

import { Card } from "./learn-card.js";
import { Chain } from "./learn-chain.js";
import { Workshop, count } from "./learn-workshop.js";

const MOST_BLOCKS = 10;
const INTERVAL_MS = 5000;

class Peer {
  constructor(element, name) {
    this.name = name;
    this.element = element;
    this.chain = new Chain(element.querySelector("[data-chain]"));
  }

  part(selector) {
    return this.element.querySelector(selector);
  }

  judge() {
    const judged = this.chain.judge();
    this.part('[data-out="work"]').textContent = String(judged.work);
    return { ...judged, peer: this };
  }

  // Mines all blocks again that are not valid.
  async repair(workshop) {
    if (await this.chain.repair(workshop)) {
      workshop.say(`The chain of ${this.name} is valid.`);
    }
  }

  // Adds the block of the form on top of the last one, and mines it.
  async add(template, workshop) {
    const { blocks, broken } = this.judge();
    if (broken) {
      workshop.say("Nobody builds on an invalid block. Repair the chain first.");
      return;
    }
    if (blocks.length >= MOST_BLOCKS) {
      workshop.say("That is enough for one exercise. Start again.");
      return;
    }
    const last = this.chain.cards.at(-1);
    const card = new Card(template.cloneNode(true));
    card.set("index", String(blocks.length));
    card.set("prev_hash", blocks.at(-1).hash);
    card.set("timestamp", new Date(Date.parse(last.get("timestamp")) + INTERVAL_MS).toISOString());
    card.set("difficulty", this.part('[name="difficulty"]').value);
    card.set("data", this.part('[name="next"]').value);
    this.chain.append(card.element);
    await this.chain.mine(card, workshop);
  }
}

// How many blocks two chains have in common.
function inCommon(one, other) {
  const differing = one.blocks.findIndex((block, i) => block.hash !== other.blocks[i]?.hash);
  return differing < 0 ? one.blocks.length : differing;
}

const heights = (from, to) => (from === to ? `block ${from}` : `blocks ${from} to ${to}`);

// Gives `loser` the chain of `winner`; returns a sentence about it.
function take(winner, loser) {
  const shared = inCommon(loser, winner);
  loser.peer.chain.adopt(winner.peer.chain, shared);
  const taken = heights(shared, winner.blocks.length - 1);
  const undone = loser.blocks.length - shared;
  if (undone === 0) {
    return `${loser.peer.name} adds ${taken} of ${winner.peer.name}.`;
  }
  const dropped = heights(shared, loser.blocks.length - 1);
  const words = `${loser.peer.name} removes ${dropped} and takes ${taken} of ${winner.peer.name} instead.`;
  return `${words} That is a reorganisation.`;
}

// The rule: an invalid chain does not count; of two valid chains, the one with more work wins.
function choose(one, other) {
  const valid = [one, other].filter((judged) => !judged.broken);
  if (valid.length === 0) {
    return "Both chains are broken, so nobody changes anything.";
  }
  if (valid.length === 1) {
    const [winner] = valid;
    const loser = winner === one ? other : one;
    take(winner, loser);
    const why = `The chain of ${loser.peer.name} is broken at block ${loser.broken.index}, so its work does not count`;
    return `${why}. Both continue with the chain of ${winner.peer.name}.`;
  }
  if (one.blocks.at(-1).hash === other.blocks.at(-1).hash) {
    return "Both have the same chain, so there is nothing to choose.";
  }
  if (one.work === other.work) {
    return "Both chains are valid and have the same work, so each peer keeps its own. The next block decides.";
  }
  const [winner, loser] = one.work > other.work ? [one, other] : [other, one];
  const works = `${count(winner.work, "try", "tries")} against ${count(loser.work, "try", "tries")}`;
  return `Both chains are valid, and more work wins: ${works}. ${take(winner, loser)}`;
}

export function start(section) {
  const workshop = new Workshop(section);
  const template = section.querySelector("template").content.firstElementChild;
  const peers = [
    new Peer(section.querySelector('[data-peer="alice"]'), "Alice"),
    new Peer(section.querySelector('[data-peer="bob"]'), "Bob"),
  ];
  const judge = () => peers.map((peer) => peer.judge());
  const changed = () => {
    workshop.stop();
    workshop.say("");
    judge();
  };
  for (const peer of peers) {
    const then = async (mined) => {
      await mined;
      judge();
    };
    peer.chain.listen(changed, (card) => then(peer.chain.mine(card, workshop)));
    peer.part('[data-do="add"]').addEventListener("click", () => then(peer.add(template, workshop)));
    peer.part('[data-do="repair"]').addEventListener("click", () => then(peer.repair(workshop)));
  }
  section.querySelector('[data-do="compare"]').addEventListener("click", () => {
    workshop.stop();
    workshop.say(choose(...judge()));
    judge();
  });
  section.querySelector('[data-do="reset"]').addEventListener("click", () => {
    peers.forEach((peer) => peer.chain.reset());
    changed();
  });
  judge();
}
