//! Stands in for the demonstration until it is there.

/// Runs the demonstration.
#[expect(clippy::unused_async, reason = "the real one awaits")]
pub(crate) async fn run() -> anyhow::Result<()> {
    anyhow::bail!("this build has no demonstration yet")
}
