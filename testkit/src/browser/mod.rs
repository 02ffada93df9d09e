//! A headless browser, driven by chromedriver, that shows pages of an explorer.

mod driver;
mod tab;

pub use driver::browse;
pub use tab::{Tab, pictures};
