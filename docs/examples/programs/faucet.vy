# pragma version 0.4.3
# pragma evm-version cancun
"""
@title Faucet
@notice Gives each account a little money, once in a while. Everybody may fill it.
"""

event Given:
    receiver: indexed(address)
    amount: uint256

portion: public(uint256)
pause: public(uint256)
next_block: public(HashMap[address, uint256])


@deploy
@payable
def __init__(portion: uint256, pause: uint256):
    self.portion = portion
    self.pause = pause


@external
@payable
def __default__():
    pass


@external
def ask(receiver: address):
    assert block.number >= self.next_block[receiver], "wait some blocks"
    assert self.balance >= self.portion, "the faucet is empty"
    # The rule is written down before the money leaves.
    self.next_block[receiver] = block.number + self.pause
    log Given(receiver=receiver, amount=self.portion)
    send(receiver, self.portion)
