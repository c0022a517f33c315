use testkit::database::connect;

use crate::support::{Ran, TestCli};

#[tokio::test]
async fn a_fresh_database_is_made_ready() {
    let cli = TestCli::new().await;
    let fresh = format!("{}_fresh", cli.database.name());
    let admin = connect(&cli.database.admin()).await.unwrap();
    admin
        .batch_execute(&format!("CREATE DATABASE {fresh}"))
        .await
        .unwrap();
    let url = cli
        .database
        .admin_url()
        .unwrap()
        .replace(cli.database.name(), &fresh);
    for words in [
        "migrate run",
        "migrate run",
        "tenant create acme --email a@b.example",
    ] {
        let mut command = cli.command_on(&url);
        let ran = Ran::of(command.args(words.split(' ')).output().await.unwrap());
        assert_eq!(ran.code, 0, "{words}: {}", ran.err);
    }
    admin
        .batch_execute(&format!("DROP DATABASE {fresh} WITH (FORCE)"))
        .await
        .unwrap();
}

#[tokio::test]
async fn what_is_pending_is_planned_and_run() {
    let cli = TestCli::new().await;
    cli.tenant("acme").await;
    let plan = cli.run("migrate plan --json").await.json();
    assert_eq!(plan["tenants"], 0);
    set_back(&cli).await;
    let plan = cli.run("migrate plan --json").await.json();
    assert_eq!(plan["tenants"], 1);
    let pending = tenancy::migrations::all().len() - 3;
    assert_eq!(plan["files"].as_array().unwrap().len(), pending);
    let done = cli.run("migrate run --json").await.json();
    assert_eq!(done["migrated"], 1);
    let status = cli.run("migrate status --json").await.json();
    assert_eq!(status["versions"][0]["version"], status["latest"]);
}

/// What cannot be migrated is named, and the exit code tells.
#[tokio::test]
async fn a_failure_is_no_success() {
    let cli = TestCli::new().await;
    cli.tenant("acme").await;
    set_back(&cli).await;
    let admin = connect(&cli.database.admin()).await.unwrap();
    let in_the_way = "CREATE TABLE tenant_acme.authorizations ()";
    admin.batch_execute(in_the_way).await.unwrap();
    let ran = cli.run("migrate run").await;
    assert_eq!(ran.code, 1);
    assert!(
        ran.err.contains("acme") && ran.err.contains("authorizations"),
        "{}",
        ran.err
    );
    assert_eq!(cli.run("doctor").await.code, 1);
}

async fn set_back(cli: &TestCli) {
    let admin = connect(&cli.database.admin()).await.unwrap();
    testkit::first_version::set_back(&admin, "acme").await;
}
