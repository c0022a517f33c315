//! Every statement is prepared against a fresh schema, under a tenant's own role.

use testkit::{TestApp, database::connect};

#[tokio::test]
async fn every_statement_can_be_prepared_by_the_tenants_role() {
    let app = TestApp::start().await;
    app.tenant("acme").anonymous().await;
    let acme = app.control.tenant(&"acme".parse().unwrap()).await.unwrap();
    let admin = connect(&app.database.admin()).await.unwrap();
    let row = admin
        .query_one(
            "SELECT role_name FROM platform.tenants WHERE slug = 'acme'",
            &[],
        )
        .await
        .unwrap();
    let (role, schema): (String, _) = (row.get(0), acme.schema);
    let login = app.database.lane_of(&role).await.unwrap();
    let client = connect(&login).await.unwrap();
    let become_tenant = format!("SET ROLE {role}; SET search_path TO {schema}");
    client.batch_execute(&become_tenant).await.unwrap();

    let statements = data_plane::statements();
    assert!(statements.len() > 30, "{}", statements.len());
    for (name, sql) in statements {
        if let Err(fault) = client.prepare(sql.text()).await {
            panic!("{name}: {fault:?}\n{}", sql.text());
        }
    }
}
