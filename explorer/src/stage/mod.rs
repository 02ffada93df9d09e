//! The stage: what the first page shows, as values and as fragments of HTML that open pages replace.
//!
//! [`scene`] joins everything that is known at one moment, [`standing`] is the one truth of the headline, [`story`] the
//! blocks and branches of the picture, [`layout`] their positions, [`aftermath`] what became of a lost branch, and
//! [`purse`] who has how much, and asks the mempools for it; the others are pure. `routes::live` renders the page's
//! parts whenever they change, and [`Fragments`] are what it rendered last; [`film`] keeps earlier moments.

pub(crate) mod aftermath;
pub(crate) mod film;
mod fragments;
pub(crate) mod layout;
pub(crate) mod making;
pub(crate) mod purse;
pub(crate) mod scene;
pub(crate) mod standing;
pub(crate) mod story;

pub(crate) use fragments::{Fragment, Fragments};
