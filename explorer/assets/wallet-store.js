// Wallets in IndexedDB: {address, name, key, isExportable, used}. The key is stored as a CryptoKey.

const MOST = 100;

/// All wallets, the last used one first.
export async function all() {
  const wallets = await run("readonly", (table) => table.getAll(null, MOST));
  return wallets.sort((one, other) => other.used - one.used);
}

/// Stores a new wallet. Throws an error if its key is stored already, or if there are too many wallets.
export async function add(wallet) {
  const wallets = await all();
  const twin = wallets.find(({ address }) => address === wallet.address);
  if (twin) throw new Error(`This key is already here, as “${twin.name}”.`);
  if (wallets.length >= MOST) throw new Error(`This browser keeps at most ${MOST} wallets. Delete one first.`);
  await run("readwrite", (table) => table.add(wallet));
}

/// Marks a wallet as used now. A wallet that another tab has deleted stays deleted.
export const use = (address) =>
  run("readwrite", (table) => {
    const request = table.get(address);
    request.onsuccess = () => request.result && table.put({ ...request.result, used: Date.now() });
    return request;
  });

/// Deletes a wallet and its key.
export const remove = (address) => run("readwrite", (table) => table.delete(address));

/// Runs one operation, and resolves when it is on disk.
async function run(mode, act) {
  const database = await open();
  try {
    return await new Promise((resolve, reject) => {
      const transaction = database.transaction("wallets", mode, { durability: "strict" });
      const request = act(transaction.objectStore("wallets"));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = () => reject(transaction.error);
    });
  } finally {
    database.close();
  }
}

function open() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open("chainlab-wallet", 1);
    request.onupgradeneeded = () => request.result.createObjectStore("wallets", { keyPath: "address" });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
