//! A headless browser, driven by chromedriver, that shows pages of an explorer.

mod driver;
mod tab;

pub use driver::{browse, pictures};
pub use tab::Tab;
