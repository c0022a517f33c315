use service::telemetry::Metrics;
use testkit::{TestApp, figure};

#[tokio::test]
async fn connections_are_counted_and_given_back() {
    let metrics = Metrics::start();
    let app = TestApp::start().await;
    let limit = figure(&metrics, "tenant_connections_limit").unwrap();
    assert_eq!(figure(&metrics, "tenant_connections"), None);

    let owner = app.tenant("acme").owner_token("read").await;
    owner.get("/api/notes").await.expect(200);

    let open = figure(&metrics, "tenant_connections").unwrap();
    assert!((1.0..=limit).contains(&open), "{open} of {limit}");
    assert_eq!(figure(&metrics, "tenant_connections_in_use"), Some(0.0));
}

#[tokio::test]
async fn the_process_is_measured() {
    let metrics = Metrics::start();
    for name in [
        "process_resident_memory_bytes",
        "process_start_time_seconds",
        "process_open_fds",
        "process_max_fds",
    ] {
        assert!(figure(&metrics, name) > Some(0.0), "{name}");
    }
    assert!(figure(&metrics, "process_cpu_seconds_total").is_some());
}
