// The history of the wallet's address, as rows of a table.

import { base } from "./base.js";
import { fromJson, toLab } from "./grains.js";
import { element, part, shortLink, visible } from "./wallet-dom.js";

const MOST_ROWS = 20;
/// The message of a call, whose hex is for programs.
const CALL = /^(?:call|deploy) [0-9]+ 0x(?:[0-9a-f]{2})*$/;

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
  const { kind, other, msg, id } = describe(address, entry);
  const change = fromJson(entry.balance) - fromJson(entry.before);
  const what = id ? element("a", { href: `${base}/transaction/${encodeURIComponent(id)}` }, kind) : kind;
  const [look, sign] = change < 0n ? ["amount number", ""] : ["amount number good", "+"];
  const moved = element("td", { className: look }, `${sign}${toLab(change)}`);
  const whom = element("td", { className: "msg" }, ...(other ? [shortLink("/address", other)] : []));
  if (msg) whom.append(" ", element("bdi", { className: "muted" }, visible(msg)));
  const held = element("td", { className: "amount number" }, toLab(fromJson(entry.balance)));
  const cells = { Amount: moved, Whom: whom, Status: standing(entry), "Balance after": held };
  Object.entries(cells).forEach(([label, cell]) => { cell.dataset.label = label; });
  return element("tr", {}, element("th", { scope: "row" }, what), ...Object.values(cells));
}

/// What an entry means for the owner of the address.
function describe(address, { transaction }) {
  if (!transaction) return { kind: "Mined" };
  const { id, msg } = transaction;
  const { from, to } = transaction.inputs ? sides(address, transaction) : transaction;
  if (from !== address && to !== address) return { kind: "By a program", other: from, id };
  if (from !== address) return { kind: "Received", other: from, msg, id };
  if (to === address) return { kind: "To itself", msg, id };
  return { kind: CALL.test(msg) ? "Called" : "Paid", other: to, msg: CALL.test(msg) ? "" : msg, id };
}

/// Who pays whom with coins, as this address sees it: change is paid to nobody.
function sides(address, { inputs, outputs }) {
  const owners = inputs.map((input) => input.address);
  const paid = outputs.map((output) => output.address).find((each) => !owners.includes(each));
  return owners.includes(address) ? { from: address, to: paid ?? address } : { from: owners[0], to: address };
}

function standing({ status, block, confirmations }) {
  if (status !== "confirmed" || !block) return element("td", { className: "warn" }, "waits for a block");
  const link = element("a", { href: `${base}/block/${encodeURIComponent(block.hash)}` }, `block ${block.index}`);
  return element("td", {}, link, ` · ${confirmations} ${confirmations === 1 ? "confirmation" : "confirmations"}`);
}
