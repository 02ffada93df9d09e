"""Deploys token.vy with web3.py, pays with it, and reads balances and events.

Start `user rpc -s alice` first; web3.py finds alice's account there, as it finds one in any wallet. Needs
`python3 -m pip install web3 vyper==0.4.3`. The argument is the wallet's address, http://127.0.0.1:8545 unless given.
"""

import sys
from pathlib import Path

import vyper
from web3 import Web3
from web3.exceptions import ContractLogicError

FOLDER = Path(__file__).parent
BOB = Web3.to_checksum_address("0x" + "b0b" * 13 + "0")


def main(url):
    chain = Web3(Web3.HTTPProvider(url))
    alice = chain.eth.accounts[0]
    chain.eth.default_account = alice
    print(f"chain {chain.eth.chain_id}, block {chain.eth.block_number}, alice has {chain.eth.get_balance(alice)} wei")

    code = vyper.compile_code((FOLDER / "token.vy").read_text(), output_formats=["abi", "bytecode"])
    maker = chain.eth.contract(abi=code["abi"], bytecode=code["bytecode"])
    deployed = chain.eth.wait_for_transaction_receipt(maker.constructor("Lunch", "LUN", 2, 1000).transact())
    token = chain.eth.contract(address=deployed["contractAddress"], abi=code["abi"])
    print(f"{token.functions.name().call()} is at {token.address}")

    paid = chain.eth.wait_for_transaction_receipt(token.functions.transfer(BOB, 300).transact())
    assert paid["status"] == 1
    [event] = token.events.Transfer().process_receipt(paid)
    print(f"{event['args']['sender']} paid {event['args']['amount']} to {event['args']['receiver']}")
    assert token.functions.balanceOf(BOB).call() == 300
    assert token.functions.balanceOf(alice).call() == 700
    amounts = [log["args"]["amount"] for log in token.events.Transfer().get_logs(from_block=0)]
    assert amounts == [1000, 300], amounts

    try:
        token.functions.transfer(BOB, 5000).transact()
    except ContractLogicError as error:
        print(f"refused: {error.message}")
    else:
        raise AssertionError("a transfer of too many tokens was sent")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8545")
