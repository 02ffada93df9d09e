; A bank with a fault. A call with money deposits it; a call without money takes the caller's deposit back.
CALLVALUE PUSH @deposit JUMPI
CALLER SLOAD DUP1 ISZERO PUSH @nothing JUMPI
; Pays first: the receiver is a program and may call again, before the next line has run.
PUSH0 PUSH0 PUSH0 PUSH0 DUP5 CALLER GAS CALL ISZERO PUSH @failed JUMPI
; ... and forgets the deposit afterwards.
PUSH0 CALLER SSTORE STOP
deposit: JUMPDEST CALLER SLOAD CALLVALUE ADD CALLER SSTORE STOP
nothing: JUMPDEST STOP
failed: JUMPDEST PUSH0 PUSH0 REVERT
