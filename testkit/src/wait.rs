//! Waiting for something to be so, rather than for some time to pass.

use std::time::Duration;

/// How long anything may take to be ready, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until something answers yes.
pub async fn until(what: &str, ready: impl AsyncFnMut() -> bool) {
    assert!(comes_true(ready).await, "{what}: not within {PATIENCE:?}");
}

/// Whether something answers yes before patience ends. An answer that does not come is none.
pub async fn comes_true(mut ready: impl AsyncFnMut() -> bool) -> bool {
    let waiting = async {
        while !ready().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.is_ok()
}
