# pragma version 0.4.3
# pragma evm-version cancun
"""
@title Counter
@notice Anybody adds 1 to a number that everybody can read.
"""

event Counted:
    who: indexed(address)
    number: uint256

number: public(uint256)


@external
def count() -> uint256:
    self.number += 1
    log Counted(who=msg.sender, number=self.number)
    return self.number
