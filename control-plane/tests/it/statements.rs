use testkit::database::{TestDatabase, connect};

#[tokio::test]
async fn every_statement_can_be_prepared_by_the_control_planes_login() {
    let database = TestDatabase::create().await.unwrap();
    let client = connect(&database.control()).await.unwrap();
    let mut refused = Vec::new();
    for (name, sql) in control_plane::statements() {
        if let Err(cause) = client.prepare(sql.text()).await {
            refused.push(format!("{name}: {cause:?}"));
        }
    }
    assert!(refused.is_empty(), "{refused:#?}");
}
