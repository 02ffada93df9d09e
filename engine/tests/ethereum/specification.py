"""Runs messages by Ethereum's executable specification (PyPI: ethereum-execution) at the rules of Osaka.

Reads one JSON object a line from standard input: accounts, and a message from the account of the private key 1.
Writes one line for each: how it ended, gas used, the hash of the state after it, and every step that was taken.
"""

import json
import sys

from coincurve import PrivateKey
from ethereum_types.bytes import Bytes, Bytes0, Bytes32
from ethereum_types.numeric import U64, U256, Uint

from ethereum import trace
from ethereum.crypto.hash import Hash32, keccak256
from ethereum.exceptions import EthereumException
from ethereum.forks.osaka import fork, state as states, vm
from ethereum.forks.osaka.fork_types import Account, Address
from ethereum.forks.osaka.transactions import LegacyTransaction, signing_hash_pre155
from ethereum.forks.osaka.vm.exceptions import InvalidOpcode

KEY = PrivateKey((1).to_bytes(32, "big"))
ENDED = {"error": None}
STEPS = []


def step(evm, opcode):
    top = hex(evm.stack[-1]) if evm.stack else ""
    STEPS.append(f"{int(evm.pc)} {opcode} {int(evm.gas_left)} {int(evm.message.depth)} {len(evm.stack)} {top}")


def record(evm, event):
    if isinstance(event, trace.OpStart):
        step(evm, event.op.value)
    elif isinstance(event, trace.OpException) and isinstance(event.error, InvalidOpcode):
        step(evm, evm.code[int(evm.pc)])
    elif isinstance(event, trace.EvmStop) and evm.running and (evm.code or not evm.message.target):
        # Ours takes a STOP at the end of the code, also of an empty init code, but none in an account without code.
        step(evm, 0)
    elif isinstance(event, trace.TransactionEnd):
        ENDED["error"] = event.error


def unhex(text):
    return bytes.fromhex(text[2:])


def before(accounts):
    state = states.State()
    for name, account in accounts.items():
        address = Address(unhex(name))
        code = Bytes(unhex(account["code"]))
        states.set_account(state, address, Account(Uint(account["nonce"]), U256(account["balance"]), code))
        for slot, value in account["storage"].items():
            states.set_storage(state, address, Bytes32(int(slot).to_bytes(32, "big")), U256(value))
    return state


def signed(message):
    fields = {
        "nonce": U256(message["nonce"]),
        "gas_price": Uint(0),
        "gas": Uint(message["gas"]),
        "to": Address(unhex(message["to"])) if message["to"] else Bytes0(b""),
        "value": U256(message["value"]),
        "data": Bytes(unhex(message["data"])),
    }
    blank = LegacyTransaction(**fields, v=U256(27), r=U256(0), s=U256(0))
    signature = KEY.sign_recoverable(signing_hash_pre155(blank), hasher=None)
    r, s = (U256(int.from_bytes(part, "big")) for part in (signature[:32], signature[32:64]))
    return LegacyTransaction(**fields, v=U256(27 + signature[64]), r=r, s=s)


def run(case):
    STEPS.clear()
    ENDED["error"] = None
    state, block = before(case["accounts"]), case["block"]
    environment = vm.BlockEnvironment(
        chain_id=U64(block["chain_id"]),
        state=state,
        block_gas_limit=Uint(block["gas_limit"]),
        block_hashes=[Hash32(keccak256(str(n).encode())) for n in range(block["number"] - 256, block["number"])],
        coinbase=Address(unhex(block["miner"])),
        number=Uint(block["number"]),
        base_fee_per_gas=Uint(0),
        time=U256(block["timestamp"]),
        prev_randao=Bytes32(unhex(block["randomness"])),
        excess_blob_gas=U64(0),
        parent_beacon_block_root=Hash32(bytes(32)),
    )
    output = vm.BlockOutput()
    try:
        fork.process_transaction(environment, output, signed(case["message"]), Uint(0))
    except EthereumException as refusal:
        return {"status": "refused", "why": type(refusal).__name__}
    status = "failed" if ENDED["error"] else "succeeded"
    root = "0x" + states.state_root(state).hex()
    return {"status": status, "gas": int(output.block_gas_used), "root": root, "steps": STEPS}


def main():
    trace.set_evm_trace(record)
    for line in sys.stdin:
        print(json.dumps(run(json.loads(line))), flush=True)


main()
