// The coins of the shown wallet, on layer utxo: which of them may be spent, by what rule, and what the preview says.

import * as api from "./wallet-api.js";
import * as payment from "./coin-payment.js";
import { base } from "./base.js";
import { fromJson, toLab } from "./grains.js";
import { element, part } from "./wallet-dom.js";

/// The most coins that the explorer sends.
const MOST = 200;

export { signed } from "./coin-payment.js";

let coins = [];
/// The names of coins whose box is not checked.
const kept = new Set();
/// What the list shows, so that it is written only if it changes.
let shown = "";

/// Fetches the coins of an address. The shown ones stay if that fails; the balance shows the error.
export async function refresh(address, isCurrent) {
  let answer;
  try {
    answer = await api.coins(address);
  } catch {
    return;
  }
  if (isCurrent()) show(answer);
}

/// Shows coins as the explorer sends them; none while they are not known.
export function show(answer) {
  const text = JSON.stringify(answer);
  if (text === shown) return;
  shown = text;
  coins = answer.map((coin) => ({ ...coin, amount: fromJson(coin.amount) }));
  part("coins-list").replaceChildren(...coins.map(row));
  part("coins-table").hidden = coins.length === 0;
  part("coins-more").hidden = coins.length < MOST;
  say();
}

/// Whether the next block may spend it, as this mempool knows.
const isFree = ({ spendable_from, spent_by }) => spendable_from === undefined && spent_by === undefined;

const chosen = () => coins.filter((coin) => isFree(coin) && !kept.has(coin.coin));

function row(coin) {
  const { coin: name, amount } = coin;
  const short = `${name.slice(0, 8)}.${name.slice(65)}`;
  const box = element("input", {
    type: "checkbox",
    checked: isFree(coin) && !kept.has(name),
    disabled: !isFree(coin),
    ariaLabel: `Spend the coin of ${toLab(amount)} LAB, ${short}`,
  });
  box.addEventListener("change", () => {
    if (box.checked) kept.delete(name);
    else kept.add(name);
    say();
  });
  const link = element("a", { className: "hash", href: `${base}/coin/${name}`, title: name }, short);
  const cells = {
    Amount: element("td", { className: "amount number" }, toLab(amount)),
    Coin: element("td", {}, link),
    Now: standing(coin),
  };
  Object.entries(cells).forEach(([label, cell]) => { cell.dataset.label = label; });
  return element("tr", {}, element("th", { scope: "row" }, box), ...Object.values(cells));
}

function standing({ spendable_from, spent_by, block }) {
  if (spent_by !== undefined) {
    const link = element("a", { href: `${base}/transaction/${spent_by}` }, "a payment");
    return element("td", {}, "about to be spent by ", link, " in this mempool");
  }
  if (spendable_from !== undefined) return element("td", {}, `can be spent from block ${spendable_from} on`);
  return element("td", {}, `since block ${block}`);
}

/// Says what is chosen.
function say() {
  const free = chosen();
  const sum = toLab(free.reduce((sum, { amount }) => sum + amount, 0n));
  const number = free.length === 1 ? "1 coin" : `${free.length} coins`;
  part("coins-sum").textContent = coins.length === 0 ? "No coins yet." : `${number} to pay from: ${sum} LAB.`;
}

/// A payment from the coins whose boxes are checked.
export const draft = (wanted) =>
  payment.draft({ ...wanted, coins: chosen(), strategy: part("coins-strategy").value });

/// What the preview says besides.
export function facts({ inputs, amount, fee, change, leftOver }) {
  const spent = inputs.map((input) => `${toLab(input.amount)} LAB (${input.coin.slice(0, 8)}…)`).join(", ");
  const rows = [
    [inputs.length === 1 ? "1 coin spent" : `${inputs.length} coins spent`, spent],
    ["Change, a new coin for this wallet", change > 0n ? `${toLab(change)} LAB` : "none"],
  ];
  if (leftOver > 0n) rows.push(["Left to the miner", `${toLab(leftOver)} LAB of the fee: too little for a coin`]);
  if (fee * 100n > amount) rows.push(["Look again", "The fee is more than a hundredth of the amount."]);
  return rows;
}
