# pragma version 0.4.3
# pragma evm-version cancun
"""
@title Bank with a fault
@notice Everybody can put money in and take all of it out again. Do not use it: `thief.vy` empties it.
@dev The fault is re-entrancy. `withdraw` sends the money first and writes down that it is gone afterwards. A program
     that receives money runs, and can call `withdraw` again while its old balance still stands. To repair it, swap the
     two marked lines, or put @nonreentrant in front of the function.
"""

balances: public(HashMap[address, uint256])


@external
@payable
def deposit():
    self.balances[msg.sender] += msg.value


@external
def withdraw():
    amount: uint256 = self.balances[msg.sender]
    raw_call(msg.sender, b"", value=amount)  # the money leaves ...
    self.balances[msg.sender] = 0            # ... before the bank knows it
