// The buttons of a node's page: they send orders to the explorer, which has the node's token, and show the outcome.

import { base } from "./base.js";

const steering = document.getElementById("steering");
const result = document.getElementById("steering-result");

// "All" means all nodes in the table, whatever their link was when the table was rendered.
const allPeers = () => [...document.querySelectorAll("button[data-peer]")].map((button) => button.dataset.peer);

const DOING = {
  mine: "Mining …",
  sync: "Asking every peer …",
  connect: "Connecting …",
  cut: "Cutting off …",
  allow: "Allowing again …",
};

let busy = false;

const say = (text, kind, blocks = []) => {
  result.className = kind;
  result.replaceChildren(document.createTextNode(text));
  for (const hash of blocks) {
    const link = document.createElement("a");
    link.href = `${base}/block/${hash}`;
    link.className = "hash";
    link.textContent = `${hash.slice(0, 12)}…`;
    result.append(" ", link);
  }
};

const order = async (action, body) => {
  if (busy) {
    say("Please wait: the last order is not done yet.", "warn");
    return;
  }
  busy = true;
  say(DOING[action], "muted");
  try {
    const node = encodeURIComponent(steering.dataset.node);
    const answer = await fetch(`${base}/api/node/${node}/${action}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    const outcome = await answer.json();
    if (answer.ok) {
      say(outcome.message, "good", outcome.blocks);
    } else {
      say(`That did not work: ${outcome.detail || outcome.title}`, "bad");
    }
  } catch {
    say("The explorer does not answer: is it still running?", "bad");
  } finally {
    busy = false;
  }
};

const pressed = ({ action, peer, all }) => {
  if (peer !== undefined) {
    order(action, { peers: [peer] });
  } else if (all !== undefined) {
    const peers = allPeers();
    if (peers.length === 0) {
      say("No other node is known.", "muted");
    } else {
      order(action, { peers });
    }
  } else {
    order(action, action === "mine" ? { blocks: 1 } : {});
  }
};

if (steering !== null) {
  // live.js replaces the table of peers, so the document listens for its buttons.
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-action]");
    if (button !== null) {
      pressed(button.dataset);
    }
  });
  document.getElementById("mine-more").addEventListener("submit", (event) => {
    event.preventDefault();
    order("mine", { blocks: event.target.elements.blocks.valueAsNumber });
  });
}
