// Makes the exercises of the page "Learn" work.

import { selfTest } from "./sha256.js";
import * as hash from "./learn-hash.js";
import * as block from "./learn-block.js";
import * as chain from "./learn-chain.js";
import * as peers from "./learn-peers.js";
import * as signature from "./learn-signature.js";

const EXERCISES = { hash, block, chain, peers, signature };

// The server sends everything locked, since nothing works without scripts.
function unlock(page) {
  for (const field of page.querySelectorAll("[readonly]:not([data-fixed])")) {
    field.readOnly = false;
  }
  for (const control of page.querySelectorAll(":disabled")) {
    control.disabled = false;
  }
}

const page = document.getElementById("learn");
const isRight = selfTest();
if (isRight) {
  unlock(page);
  unlock(page.querySelector("template").content);
  await Promise.all(
    Object.entries(EXERCISES).map(([name, exercise]) => exercise.start(document.getElementById(`learn-${name}`))),
  );
}
page.dataset.ready = String(isRight);
