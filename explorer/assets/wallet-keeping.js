// The forms that make, import, save and delete wallets.

import * as keys from "./keys.js";
import * as store from "./wallet-store.js";
import { markStep } from "./steps.js";
import { complain, element, part } from "./wallet-dom.js";

const LARGEST_FILE = 10_000;

/// Makes the forms work. `current()` returns the shown wallet; `changed()` is called when the list of wallets changes.
export function setUp({ current, changed }) {
  onSubmit("wallet-make", "wallet-name", () => keep(keys.make, changed));
  onSubmit("wallet-import", "wallet-pem", () => keep((is) => keys.fromPem(part("wallet-pem").value, is), changed));
  onSubmit("wallet-from-seed", "wallet-seed", () => keep((is) => keys.fromSeed(seed(), is), changed));
  part("wallet-file").addEventListener("change", readFile);
  part("wallet-export").addEventListener("click", () => save(current()));
  const dialog = part("wallet-delete-dialog");
  // Another tab may switch wallets while the dialog is open. The wallet named in the dialog is the one that is deleted.
  let doomed;
  part("wallet-delete").addEventListener("click", () => {
    const { name, address } = current();
    doomed = address;
    part("wallet-delete-name").textContent = `“${name}”, ${address}`;
    dialog.showModal();
  });
  part("wallet-delete-no").addEventListener("click", () => dialog.close());
  part("wallet-delete-yes").addEventListener("click", async () => {
    await store.remove(doomed);
    dialog.close();
    changed();
  });
}

/// Runs the action of a form, one at a time, and shows errors at the field.
function onSubmit(form, field, act) {
  part(form).addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = part(form).querySelector('button[type="submit"]');
    if (button.disabled) return;
    button.disabled = true;
    try {
      await act();
      complain(part(field), "");
      part(form).reset();
    } catch (error) {
      complain(part(field), error.message);
      part(field).focus();
    } finally {
      button.disabled = false;
    }
  });
}

async function keep(make, changed) {
  const isExportable = part("wallet-exportable").checked;
  const { key, address } = await make(isExportable);
  const name = part("wallet-name").value.trim() || "My wallet";
  await store.add({ address, name, key, isExportable, used: Date.now() });
  // When the disk is full, browsers delete the data of pages that have not asked to keep it.
  navigator.storage?.persist?.().catch(() => false);
  part("wallet-add").open = false;
  markStep("wallet");
  await changed();
}

function seed() {
  const text = part("wallet-seed").value;
  if (text === "") throw new Error("A seed is a text, such as alice.");
  return text;
}

async function readFile() {
  const [file] = part("wallet-file").files;
  if (!file) return;
  if (file.size > LARGEST_FILE) complain(part("wallet-pem"), "This file is too large for a key.");
  else part("wallet-pem").value = await file.text();
}

/// Hands the key to its owner as a file.
async function save({ key, name }) {
  const url = URL.createObjectURL(new Blob([await keys.toPem(key)], { type: "application/x-pem-file" }));
  const file = `${name.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "") || "wallet"}.pem`;
  element("a", { href: url, download: file }).click();
  URL.revokeObjectURL(url);
  part("wallet-export-done").hidden = false;
}
