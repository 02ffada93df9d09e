//! Programs: transfers of a token on the bare engine and through the whole chain, the worst block by kind of work, and
//! what a mempool serves.

mod chain;
mod engine;
mod served;
mod worst;

use anyhow::Result;
use std::path::Path;

pub(crate) async fn measure(dir: &Path) -> Result<()> {
    engine::measure()?;
    chain::measure()?;
    worst::measure()?;
    served::measure(dir).await
}
