#!/usr/bin/env python3
"""A wallet for Chainlab in another language, written from docs/protocol.md alone.

It shows that the protocol page is enough: it uses nothing of the programs in Rust. Besides the standard library it
needs `cryptography` (pip install cryptography) for the curve P-256. Its keys come from seed texts, which anyone can
guess: use it for exercises only. Chainlab's coins are worth nothing.

    wallet.py address -s alice
    wallet.py balance lab1... --mempool 127.0.0.1:8091
    wallet.py pay 1.5 lab1... -s alice --fee 0.00001 --msg "for lunch"
    wallet.py confirmations 22fd...

On a network of layer `utxo`, `pay` spends coins, the largest first, and gets change.
"""

import argparse
import hashlib
import http.client
import json
import re
import secrets
import sys
import urllib.error
import urllib.parse
import urllib.request
from decimal import Decimal

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils


class Refused(Exception):
    """An error with a message for the person who uses the wallet."""


# Section 6: keys. A seed text becomes a private key; an address is the public key with a checksum.

CURVE_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
PREFIX = [ord(c) >> 5 for c in "lab"] + [0] + [ord(c) & 31 for c in "lab"]
BECH32M = 0x2BC830A3


def key_of_seed(seed):
    digest = hashlib.sha256(b"chainlab seed:" + seed.encode()).digest()
    while not 0 < int.from_bytes(digest, "big") < CURVE_ORDER:
        digest = hashlib.sha256(digest).digest()
    return ec.derive_private_key(int.from_bytes(digest, "big"), ec.SECP256R1())


def checksum(values):
    state = 1
    for value in values:
        top, state = state >> 25, (state & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            state ^= generator if top >> bit & 1 else 0
    return state


def address_of(public_key):
    point = int.from_bytes(compressed(public_key), "big") << 1  # 264 bits and a zero: 53 groups of five
    values = [point >> shift & 31 for shift in range(260, -1, -5)]
    code = checksum(PREFIX + values + [0] * 6) ^ BECH32M
    return "lab1" + "".join(ALPHABET[v] for v in values + [code >> shift & 31 for shift in range(25, -1, -5)])


def compressed(public_key):
    numbers = public_key.public_numbers()
    return bytes([2 + numbers.y % 2]) + numbers.x.to_bytes(32, "big")


def public_key_of(address):
    if not re.fullmatch(f"lab1[{ALPHABET}]{{59}}", address):
        raise Refused(f"{address!r} is not an address: expected lab1 and 59 characters of {ALPHABET}")
    values = [ALPHABET.index(c) for c in address[4:]]
    if checksum(PREFIX + values) != BECH32M:
        raise Refused(f"the checksum of {address} does not match; check for a mistyped character")
    point = 0
    for value in values[:53]:
        point = point << 5 | value
    key = (point >> 1).to_bytes(33, "big")
    if point & 1 or key[0] not in (2, 3):
        raise Refused(f"{address} is not a compressed public key")
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), key)
    except ValueError:
        raise Refused(f"{address} is not a point of the curve, so no key belongs to it") from None


# Section 7: transactions. The id is the hash of the text, and the signature signs the text.


def sign(key, network_id, uuid, to, amount, fee, msg):
    sender = address_of(key.public_key())
    text = f"{network_id}:{uuid}:{sender}:{to}:{amount}:{fee}:{msg}".encode()
    r, s = utils.decode_dss_signature(key.sign(text, ec.ECDSA(hashes.SHA256())))
    return {
        "id": hashlib.sha256(text).hexdigest(),
        "uuid": uuid,
        "from": sender,
        "to": to,
        "amount": amount,
        "fee": fee,
        "msg": msg,
        "signature": (r.to_bytes(32, "big") + s.to_bytes(32, "big")).hex(),
    }


# Section 16: coins. Inputs name the coins that are spent, and what the outputs leave of them is the fee. Each owner of
# inputs signs the text once.


def spend(keys, network_id, coins, outputs, msg):
    inputs = [{name: coin[name] for name in ("coin", "address", "amount")} for coin in coins]
    listed = (",".join("/".join(map(str, part.values())) for part in parts) for parts in (inputs, outputs))
    text = ":".join([network_id, *listed, msg]).encode()
    owners = dict.fromkeys(part["address"] for part in inputs)  # each once, in the order of the inputs
    by_address = {address_of(key.public_key()): key for key in keys}
    signed = [utils.decode_dss_signature(by_address[owner].sign(text, ec.ECDSA(hashes.SHA256()))) for owner in owners]
    return {
        "id": hashlib.sha256(text).hexdigest(),
        "inputs": inputs,
        "outputs": outputs,
        "msg": msg,
        "signatures": [(r.to_bytes(32, "big") + s.to_bytes(32, "big")).hex() for r, s in signed],
    }


def choose(coins, needed):
    chosen = []
    for coin in sorted(coins, key=lambda coin: (-coin["amount"], coin["coin"])):
        if sum(coin["amount"] for coin in chosen) < needed and not {"spent_by", "spendable_from"} & coin.keys():
            chosen.append(coin)
    return chosen


# Section 1: money. Amounts are whole numbers of grains; people see LAB. Decimal is exact, unlike float.

MOST_GRAINS = 2**53 - 1


def grains(lab):
    if not re.fullmatch(r"[0-9]{1,8}(\.[0-9]{1,8})?", lab):
        raise Refused(f"{lab!r} is not an amount of LAB: expected digits such as 12 or 0.5, at most 8 after the point")
    amount = int(Decimal(lab).scaleb(8))
    if amount > MOST_GRAINS:
        raise Refused(f"{lab} LAB is too much; the most that can exist is {in_lab(MOST_GRAINS)} LAB")
    return amount


def in_lab(amount):
    return f"{Decimal(amount).scaleb(-8).normalize():f}"


# Section 8: HTTP. A refusal is a problem+json document with the reason.


def ask(mempool, path, write=None):
    body = None if write is None else json.dumps(write).encode()
    headers = {} if write is None else {"Content-Type": "application/json"}
    directly = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with directly.open(urllib.request.Request(f"http://{mempool}{path}", body, headers), timeout=10) as answer:
            return json.loads(answer.read(2**20))
    except urllib.error.HTTPError as error:
        raise Refused(f"refused with {error.code}: {reason(error)}") from None
    except (OSError, ValueError, http.client.HTTPException) as error:
        advice = "check that it is running and that --mempool is right"
        raise Refused(f"no answer from a mempool at {mempool} ({error}); {advice}") from None


def reason(error):
    try:
        problem = json.loads(error.read(2**16))
        return problem["detail"] + (f" (rule {problem['rule']})" if "rule" in problem else "")
    except (OSError, ValueError, KeyError, TypeError):
        return error.reason


# Section 11: requests to a mempool.


def balance(args):
    public_key_of(args.address)
    return f"{in_lab(ask(args.mempool, f'/balance/{args.address}'))} LAB"


def pay(args):
    amount, fee = grains(args.amount), grains(args.fee)
    if amount == 0 or amount + fee > MOST_GRAINS:
        most = f"with the fee at most {in_lab(MOST_GRAINS)} LAB"
        raise Refused(f"the amount must be at least 0.00000001 LAB, and {most}")
    public_key_of(args.to)
    info, key = ask(args.mempool, "/info"), key_of_seed(args.seed)
    if info["network"]["layer"] == "utxo":
        transaction = spend_own_coins(args, info["network_id"], [key, *map(key_of_seed, args.also)], amount, fee)
    else:
        transaction = sign(key, info["network_id"], secrets.token_hex(16), args.to, amount, fee, args.msg)
    answer = ask(args.mempool, "/pushtx", transaction)
    return f"{answer['id']} {answer['status']}"


MOST_INPUTS = 128


def spend_own_coins(args, network_id, keys, amount, fee):
    owners = [address_of(key.public_key()) for key in keys]
    coins = [coin for owner in owners for coin in ask(args.mempool, f"/unspent/{owner}?limit=1000")]
    coins = choose(coins, amount + fee)[:MOST_INPUTS]
    worth = sum(coin["amount"] for coin in coins)
    if worth < amount + fee:
        largest = f"the largest coins that can be spent now, at most {MOST_INPUTS}"
        raise Refused(f"{largest}, are worth {in_lab(worth)} LAB, and {in_lab(amount + fee)} LAB are needed")
    outputs = [{"address": args.to, "amount": amount}]
    if worth > amount + fee:
        outputs.append({"address": owners[0], "amount": worth - amount - fee})
    return spend(keys, network_id, coins, outputs, args.msg)


def confirmations(args):
    return ask(args.mempool, f"/confirmations/{urllib.parse.quote(args.id, safe='')}")


def main():
    parser = argparse.ArgumentParser(description="A wallet for Chainlab, for exercises.")
    commands = parser.add_subparsers(dest="command", required=True)
    seed = argparse.ArgumentParser(add_help=False)
    seed.add_argument("-s", "--seed", required=True, help="text to make the key from; insecure")
    network = argparse.ArgumentParser(add_help=False)
    network.add_argument("--mempool", default="127.0.0.1:8091", metavar="HOST:PORT", help="default: %(default)s")

    command = commands.add_parser("address", parents=[seed], help="the address of a seed")
    command.set_defaults(run=lambda args: address_of(key_of_seed(args.seed).public_key()))
    command = commands.add_parser("balance", parents=[network], help="the balance of an address, in LAB")
    command.add_argument("address")
    command.set_defaults(run=balance)
    command = commands.add_parser("pay", parents=[seed, network], help="make a payment and print the transaction's id")
    command.add_argument("amount", help="in LAB")
    command.add_argument("to", help="an address")
    command.add_argument("--fee", default="0", help="in LAB, for the miner")
    command.add_argument("--msg", default="", help="a message; everyone can read it")
    command.add_argument("--also", action="append", default=[], metavar="SEED", help="pay with its coins, too")
    command.set_defaults(run=pay)
    command = commands.add_parser("confirmations", parents=[network], help="the depth of a transaction; 0 if pending")
    command.add_argument("id")
    command.set_defaults(run=confirmations)

    args = parser.parse_args()
    try:
        print(args.run(args))
    except Refused as error:
        sys.exit(f"error: {error}")
    except UnicodeEncodeError:
        sys.exit("error: expected text in UTF-8")


if __name__ == "__main__":
    main()
