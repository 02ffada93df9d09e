; A call with money bets. A later call without money settles: the hash of the block with the bet decides, which
; nobody knows when they bet.
CALLVALUE PUSH @bet JUMPI
CALLER SLOAD DUP1 ISZERO PUSH @failed JUMPI
DUP1 BLOCKHASH DUP1 ISZERO PUSH @failed JUMPI
PUSH0 CALLER SSTORE
PUSH 1 AND PUSH @lost JUMPI
PUSH0 PUSH0 PUSH0 PUSH0 PUSH 1 PUSH 160 SHL CALLER OR SLOAD DUP1 ADD CALLER GAS CALL ISZERO PUSH @failed JUMPI
lost: JUMPDEST STOP
; One bet of a caller at a time: its block is in the slot of the caller, its stake in another one.
bet: JUMPDEST CALLER SLOAD PUSH @failed JUMPI
NUMBER CALLER SSTORE
CALLVALUE PUSH 1 PUSH 160 SHL CALLER OR SSTORE STOP
failed: JUMPDEST PUSH0 PUSH0 REVERT
