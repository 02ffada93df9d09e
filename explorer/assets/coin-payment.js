// A payment from coins: which coins it spends, its text, its id, its signature, and its JSON (docs/protocol.md section
// 16). The coins are chosen as in shared/src/wallet/select.rs; a test in a browser compares the two.

import { toLab } from "./grains.js";
import { sha256, sign, toHex } from "./keys.js";

/// Change below this is left to the miner.
const DUST = 546n;
/// Most coins that a transaction may spend.
const MOST_COINS = 128;
/// Most steps of the search for coins that need no change.
const MOST_STEPS = 100_000;

const sumOf = (coins) => coins.reduce((sum, { amount }) => sum + amount, 0n);
const byName = (one, other) => compare(idOf(one), idOf(other)) || placeOf(one) - placeOf(other);
const idOf = ({ coin }) => coin.slice(0, 64);
const placeOf = ({ coin }) => Number(coin.slice(65));
const compare = (one, other) => (one < other ? -1 : Number(one > other));

const ORDERS = {
  largest: (one, other) => compare(other.amount, one.amount) || byName(one, other),
  oldest: (one, other) => one.block - other.block || byName(one, other),
};

/// Chooses coins, {coin, amount, block}, that are worth at least `needed`: by `largest`, `oldest`, `exact`, or `all` of
/// them. Amounts are BigInt grains. Returns {coins, change, leftOver}; throws an error that says what to change.
export function select(coins, needed, strategy) {
  if (strategy === "all") return checked(coins, needed, coins.length > MOST_COINS);
  const ordered = coins.toSorted(ORDERS[strategy] ?? ORDERS.largest);
  const exact = strategy === "exact" && withoutChange(ordered, needed);
  if (exact) return checked(exact, needed, false);
  const taken = [];
  for (const coin of ordered.slice(0, MOST_COINS)) {
    if (taken.length > 0 && sumOf(taken) >= needed) break;
    taken.push(coin);
  }
  return checked(taken, needed, ordered.length > MOST_COINS);
}

function checked(coins, needed, areMore) {
  const sum = sumOf(coins);
  if (coins.length > MOST_COINS) throw new Error(`A payment can spend at most ${MOST_COINS} coins.`);
  if (sum < needed || coins.length === 0) {
    throw new Error(areMore
      ? `${MOST_COINS} coins, which is the most for one payment, are together only ${toLab(sum)} LAB.`
      : `With the fee this costs ${toLab(needed)} LAB, but these coins are together ${toLab(sum)} LAB.`);
  }
  const rest = sum - needed;
  return rest < DUST ? { coins, change: 0n, leftOver: rest } : { coins, change: rest, leftOver: 0n };
}

/// Branch and bound: of the sets of coins that exceed `needed` by less than dust, one that exceeds it least. The coins
/// are the largest first; each is first taken, then left out.
function withoutChange(coins, needed) {
  const rest = coins.map((_, place) => sumOf(coins.slice(place)));
  let [taken, sum, place, best] = [[], 0n, 0, undefined];
  for (let step = 0; step < MOST_STEPS; step += 1) {
    const isBetter = best === undefined || sum < best.sum;
    if (sum >= needed && sum < needed + DUST && isBetter && taken.length > 0) {
      best = { sum, places: [...taken] };
      if (sum === needed) break;
    }
    if (place < coins.length && sum < needed && sum + rest[place] >= needed && taken.length < MOST_COINS) {
      sum += coins[place].amount;
      taken.push(place);
      place += 1;
      continue;
    }
    // Leaves out the coin that was taken last, and others of the same amount, which lead to the same sums.
    const last = taken.pop();
    if (last === undefined) break;
    sum -= coins[last].amount;
    place = last + 1;
    while (place < coins.length && coins[place].amount === coins[last].amount) place += 1;
  }
  return best?.places.map((each) => coins[each]);
}

/// A payment that is not signed yet. All its coins belong to `from`, and so does the change.
export async function draft({ network, from, to, amount, fee, msg, coins, strategy }) {
  const { coins: inputs, change, leftOver } = select(coins, amount + fee, strategy);
  const outputs = [{ address: to, amount }, ...(change > 0n ? [{ address: from, amount: change }] : [])];
  const spent = inputs.map((input) => `${input.coin}/${from}/${input.amount}`).join();
  const made = outputs.map((output) => `${output.address}/${output.amount}`).join();
  const text = `${network}:${spent}:${made}:${msg}`;
  const id = toHex(await sha256(new TextEncoder().encode(text)));
  return { id, from, to, amount, fee: fee + leftOver, msg, text, inputs, outputs, change, leftOver };
}

/// The JSON of a signed payment. Sent twice, it pays once, since its coins exist once.
export async function signed({ id, from, inputs, outputs, msg, text }, key) {
  // Amounts are below 2^53, so JSON numbers are exact.
  const number = (part) => ({ ...part, amount: Number(part.amount) });
  const spent = inputs.map(({ coin, amount }) => number({ coin, address: from, amount }));
  const signatures = [await sign(key, new TextEncoder().encode(text))];
  return JSON.stringify({ id, inputs: spent, outputs: outputs.map(number), msg, signatures });
}
