// The history of the wallet's address, as rows of a table.

import { base } from "./base.js";
import { fromJson, toLab } from "./grains.js";
import { element, part, shortLink, visible } from "./wallet-dom.js";

const MOST_ROWS = 20;

/// Shows the newest entries of a history.
export function show(address, entries) {
  const rows = entries.slice(0, MOST_ROWS).map((entry) => row(address, entry));
  part("wallet-history").replaceChildren(...rows);
  part("history-table").hidden = rows.length === 0;
  part("history-empty").hidden = rows.length > 0;
  const more = part("history-more");
  more.hidden = entries.length <= MOST_ROWS;
  more.href = `${base}/address/${address}`;
}

function row(address, entry) {
  const { kind, change, other, msg, id } = facts(address, entry);
  const what = id ? element("a", { href: `${base}/transaction/${encodeURIComponent(id)}` }, kind) : kind;
  const [look, sign] = change < 0n ? ["amount number", ""] : ["amount number good", "+"];
  const moved = element("td", { className: look }, `${sign}${toLab(change)}`);
  const whom = element("td", { className: "msg" }, ...(other ? [shortLink("/address", other)] : []));
  if (msg) whom.append(" ", element("bdi", { className: "muted" }, visible(msg)));
  const held = element("td", { className: "amount number" }, toLab(fromJson(entry.balance)));
  return element("tr", {}, element("th", { scope: "row" }, what), moved, whom, standing(entry), held);
}

/// What an entry means for the owner of the address.
function facts(address, { transaction, reward }) {
  if (!transaction) return { kind: "Mined", change: fromJson(reward) };
  const { id, from, to, msg } = transaction;
  const [amount, fee] = [fromJson(transaction.amount), fromJson(transaction.fee)];
  if (from !== address) return { kind: "Received", change: amount, other: from, msg, id };
  if (to === address) return { kind: "To itself", change: -fee, msg, id };
  return { kind: "Paid", change: -(amount + fee), other: to, msg, id };
}

function standing({ status, block, confirmations }) {
  if (status !== "confirmed" || !block) return element("td", { className: "warn" }, "waits for a block");
  const link = element("a", { href: `${base}/block/${encodeURIComponent(block.hash)}` }, `block ${block.index}`);
  return element("td", {}, link, ` · ${confirmations} ${confirmations === 1 ? "confirmation" : "confirmations"}`);
}
