//! The tests of the pure core, in one binary so that they link once.
//!
//! Known answers are in `vectors`, scripts of named blocks under drawn forks in `reorganisation` and its neighbours,
//! properties in `prop`. `lab` is the language of the scripts. The defects that other teaching blockchains had (B1 to
//! B16 of docs/defects.md) are in `defects` unless a script covers them. `pool_model` compares the pool with
//! `pool_oracle`, a plain list; `pool_staged_model` checks batches, failures and crashes; `transactions_*` compare
//! money with `transactions_oracle`, plain maps, and `coins_*` coins with `coins_oracle`.

mod coins;
mod coins_chain;
mod coins_double_spends;
mod coins_oracle;
mod coins_pool_model;
mod coins_replacement;
mod crash;
mod damage;
mod defects;
mod keys;
mod lab;
mod ledger;
mod pool;
mod pool_model;
mod pool_oracle;
mod pool_staged_bounds;
mod pool_staged_model;
mod pool_staged_steps;
mod pool_template;
mod prop;
mod reading;
mod reorganisation;
mod side_branches;
mod transactions;
mod transactions_branches;
mod transactions_bundle;
mod transactions_history;
mod transactions_lab;
#[path = "../common/transactions_oracle.rs"]
mod transactions_oracle;
mod transactions_template;
mod transactions_vectors;
mod vectors;
mod verdicts;
