# pragma version 0.4.3
# pragma evm-version cancun
"""
@title Auction
@notice The highest bid until the last block wins; all other bidders take their money back.
"""

event Bid:
    bidder: indexed(address)
    amount: uint256

event Ended:
    winner: indexed(address)
    amount: uint256

seller: public(address)
last_block: public(uint256)
leader: public(address)
highest: public(uint256)
refunds: public(HashMap[address, uint256])
is_paid: public(bool)


@deploy
def __init__(blocks: uint256):
    self.seller = msg.sender
    self.last_block = block.number + blocks


@external
@payable
def bid():
    assert block.number <= self.last_block, "the auction has ended"
    assert msg.value > self.highest, "another bid is as high"
    # Bidders fetch their money themselves: a program that refuses money must not stop the auction.
    self.refunds[self.leader] += self.highest
    self.leader = msg.sender
    self.highest = msg.value
    log Bid(bidder=msg.sender, amount=msg.value)


@external
def withdraw():
    amount: uint256 = self.refunds[msg.sender]
    self.refunds[msg.sender] = 0
    raw_call(msg.sender, b"", value=amount)


@external
def end():
    assert block.number > self.last_block, "the auction goes on"
    assert not self.is_paid, "the seller has the money already"
    self.is_paid = True
    log Ended(winner=self.leader, amount=self.highest)
    raw_call(self.seller, b"", value=self.highest)
