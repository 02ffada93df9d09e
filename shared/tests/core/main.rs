//! The tests of the pure core, in one binary so that they link once.
//!
//! Known answers are in `vectors`, scripts of named blocks under drawn forks in `reorganisation` and its neighbours,
//! properties in `prop`. `lab` is what the scripts are written in. The defects that other teaching blockchains had
//! (B1 to B16 of docs/defects.md) are in `defects` where no script covers them anyway.

mod crash;
mod defects;
mod lab;
mod prop;
mod reading;
mod reorganisation;
mod sides;
mod vectors;
mod verdicts;
