"""Reads and calls a token that is on the chain already, with titanoboa. Arguments: wallet, source and address."""

import sys

import boa
from boa.rpc import EthereumRPC

url, source, address = sys.argv[1:]
# titanoboa sends its name as `Origin`. The wallet refuses every foreign one, since web pages have one, too.
rpc = EthereumRPC(url)
del rpc._session.headers["Origin"]
boa.set_env(boa.NetworkEnv(rpc))
boa.env.add_accounts_from_rpc(rpc)
token = boa.load_partial(source).at(address)
assert token.symbol() == "LUN", token.symbol()
bob = "0x00000000000000000000000000000000000000b1"
token.transfer(bob, 25)
assert token.balanceOf(bob) == 25, token.balanceOf(bob)
print("titanoboa paid", token.balanceOf(bob))
