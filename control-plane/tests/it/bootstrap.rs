//! Making a database ready, each time on a server of the test's own: logins belong to the whole
//! server.

use std::time::Duration;

use control_plane::{
    Logins, bootstrap,
    bootstrap::{Error, Options, gaps},
};
use tenancy::db::Login;
use testkit::{database::connect, server::scratch};

fn logins(data: &str) -> Logins {
    Logins {
        control: "control's own".into(),
        data: data.into(),
    }
}

async fn database(server: &Login, name: &str, owner: &str) -> Login {
    let client = connect(server).await.unwrap();
    client
        .batch_execute(&format!("CREATE DATABASE {name} OWNER {owner}"))
        .await
        .unwrap();
    server.at(name)
}

async fn works(admin: &Login, logins: &Logins) {
    for config in [logins.control(admin), logins.data(admin)] {
        let client = connect(&config).await.unwrap();
        client
            .query("SELECT slug FROM platform.tenants", &[])
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_fresh_database_is_made_ready_and_stays_so() {
    let server = scratch().await.unwrap();
    let postgres: Login = server.admin_url().parse().unwrap();
    let admin = database(&postgres, "one", "postgres").await;
    let first = logins("data's own");
    bootstrap(&admin, &first, &Options::default())
        .await
        .unwrap();
    works(&admin, &first).await;
    bootstrap(&admin, &first, &Options::default())
        .await
        .unwrap();
    works(&admin, &first).await;

    let changed = logins("it's another; with \\ and \"");
    bootstrap(&admin, &changed, &Options::default())
        .await
        .unwrap();
    works(&admin, &changed).await;
    assert!(connect(&first.data(&admin)).await.is_err());
    server.stop().await.unwrap();
}

#[tokio::test]
async fn starts_at_once_on_one_server_do_not_hinder_each_other() {
    let server = scratch().await.unwrap();
    let postgres: Login = server.admin_url().parse().unwrap();
    let one = database(&postgres, "one", "postgres").await;
    let two = database(&postgres, "two", "postgres").await;
    let logins = logins("data's own");
    let outcomes = futures_util::future::join_all([
        bootstrap(&one, &logins, &Options::default()),
        bootstrap(&two, &logins, &Options::default()),
        bootstrap(&one, &logins, &Options::default()),
        bootstrap(&two, &logins, &Options::default()),
    ])
    .await;
    for outcome in outcomes {
        outcome.unwrap();
    }
    works(&one, &logins).await;
    works(&two, &logins).await;
    server.stop().await.unwrap();
}

/// As on a managed server: no superuser, but may make roles and owns the database. PostgreSQL's
/// own functions stay open there, which the log says.
#[tokio::test]
async fn an_administrator_who_is_no_superuser_will_do() {
    let server = scratch().await.unwrap();
    let postgres: Login = server.admin_url().parse().unwrap();
    let client = connect(&postgres).await.unwrap();
    client
        .batch_execute("CREATE ROLE owner LOGIN CREATEROLE PASSWORD 'x'")
        .await
        .unwrap();
    let admin = database(&postgres, "one", "owner").await;
    let admin = admin.with("owner", "x");
    let logins = logins("data's own");
    bootstrap(&admin, &logins, &Options::default())
        .await
        .unwrap();
    works(&admin, &logins).await;
    let owner = connect(&admin).await.unwrap();
    let named: Vec<String> = gaps(&owner)
        .await
        .unwrap()
        .iter()
        .map(ToString::to_string)
        .collect();
    for open in [
        "pg_notify(text, text)",
        "set_config(text, text, boolean)",
        "pg_advisory_",
    ] {
        assert!(
            named.iter().any(|gap| gap.contains(open)),
            "{open}: {named:?}"
        );
    }
    assert!(
        !named.iter().any(|gap| gap.contains("platform.make")),
        "{named:?}"
    );
    drop(owner);
    let control = connect(&logins.control(&admin)).await.unwrap();
    control
        .execute("SELECT platform.make_tenant_roles(2)", &[])
        .await
        .unwrap();
    let role = "SELECT name, lane FROM platform.tenant_roles LIMIT 1";
    let role = control.query_one(role, &[]).await.unwrap();
    let (role, lane): (String, i16) = (role.get(0), role.get(1));
    let lane = logins.data(&admin).of_lane(lane.try_into().unwrap());
    let data = connect(&lane).await.unwrap();
    data.batch_execute(&format!("SET ROLE {role}"))
        .await
        .unwrap();
    drop(data);
    control
        .execute("SELECT platform.drop_tenant_role($1)", &[&role])
        .await
        .unwrap();
    look_into_a_schema(&control, &admin).await;
    server.stop().await.unwrap();
}

/// Opens a login for a schema, uses it, and closes it.
async fn look_into_a_schema(control: &tokio_postgres::Client, admin: &Login) {
    const ADD: &str = "INSERT INTO platform.tenants (id, slug, name, schema_name, role_name, plan, \
        status, schema_version, created_at) VALUES (gen_random_uuid(), 'acme', 'x', 'tenant_acme', \
        'x', 'free', 'active', 1, now()) RETURNING id";
    let verifier = postgres_protocol::password::scram_sha_256(b"seen");
    control
        .batch_execute("CREATE SCHEMA tenant_acme")
        .await
        .unwrap();
    let tenant: uuid::Uuid = control.query_one(ADD, &[]).await.unwrap().get(0);
    let open = "SELECT platform.open_inspection($1, 'tenant_acme', $2, true, 'x', now(), \
        now() + interval '1 hour')";
    let login = control
        .query_one(open, &[&tenant, &verifier])
        .await
        .unwrap();
    let login: String = login.get(0);
    let grant = "SELECT platform.grant_inspection($1, 'tenant_acme', false)";
    control.query(grant, &[&login]).await.unwrap();
    let session = connect(&admin.with(&login, "seen")).await.unwrap();
    session.simple_query("SELECT 1").await.unwrap();
    for sql in [
        "SELECT platform.bar_inspection($1)",
        "SELECT platform.end_inspection_sessions($1, NULL)",
        "SELECT platform.revoke_inspection($1, 'tenant_acme')",
        "SELECT platform.close_inspection($1)",
    ] {
        control.query(sql, &[&login]).await.unwrap();
    }
    while session.simple_query("SELECT 1").await.is_ok() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_login_in_use_under_another_password_keeps_it() {
    let server = scratch().await.unwrap();
    let postgres: Login = server.admin_url().parse().unwrap();
    let admin = database(&postgres, "one", "postgres").await;
    let kept = logins("data's own");
    bootstrap(&admin, &kept, &Options::default()).await.unwrap();
    let service = connect(&kept.data(&admin)).await.unwrap();

    let refused = bootstrap(&admin, &logins("another"), &Options::default())
        .await
        .unwrap_err();
    assert!(refused.to_string().contains("DATA_PASSWORD"), "{refused}");
    service.simple_query("SELECT 1").await.unwrap();
    works(&admin, &kept).await;

    drop(service);
    bootstrap(&admin, &logins("another"), &Options::default())
        .await
        .unwrap();
    works(&admin, &logins("another")).await;
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_database_of_others_is_refused_unless_it_is_to_be_shared() {
    let server = scratch().await.unwrap();
    let postgres: Login = server.admin_url().parse().unwrap();
    let admin = database(&postgres, "shop", "postgres").await;
    let shop = connect(&admin).await.unwrap();
    let theirs = "CREATE ROLE shopkeeper LOGIN PASSWORD 'till'; \
        CREATE TABLE orders (id int); GRANT SELECT ON orders TO shopkeeper";
    shop.batch_execute(theirs).await.unwrap();
    let logins = logins("data's own");
    let refused = bootstrap(&admin, &logins, &Options::default()).await;
    let refused = refused.unwrap_err().to_string();
    assert!(refused.contains("public.orders"), "{refused}");
    let platform = "SELECT to_regnamespace('platform') IS NULL AND NOT EXISTS \
        (SELECT FROM pg_roles WHERE rolname = 'tenantry_data')";
    let untouched: bool = shop.query_one(platform, &[]).await.unwrap().get(0);
    assert!(untouched);

    let shared = Options {
        share: true,
        ..Options::default()
    };
    bootstrap(&admin, &logins, &shared).await.unwrap();
    works(&admin, &logins).await;
    let keeper = connect(&admin.with("shopkeeper", "till")).await.unwrap();
    let sells = "SELECT * FROM orders; SELECT set_config('shop.open', 'yes', false); \
        NOTIFY shop; SELECT pg_notify('shop', ''); CREATE TEMPORARY TABLE basket (id int)";
    keeper.batch_execute(sells).await.unwrap();
    // Whoever makes it ready again finds it made ready, and no others to ask about.
    bootstrap(&admin, &logins, &Options::default())
        .await
        .unwrap();
    keeper
        .batch_execute(sells.split("; CREATE").next().unwrap())
        .await
        .unwrap();
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_database_of_another_encoding_is_refused() {
    let server = scratch().await.unwrap();
    let postgres: Login = server.admin_url().parse().unwrap();
    let make = "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0";
    let client = connect(&postgres).await.unwrap();
    client.batch_execute(make).await.unwrap();
    let admin = postgres.at("latin");
    let refused = bootstrap(&admin, &logins("data's own"), &Options::default()).await;
    assert!(matches!(refused, Err(Error::Encoding(name)) if name == "LATIN1"));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn one_that_makes_it_ready_all_the_time_is_named() {
    let server = scratch().await.unwrap();
    let postgres: Login = server.admin_url().parse().unwrap();
    let admin = database(&postgres, "one", "postgres").await;
    let other = connect(&admin.named("somebody")).await.unwrap();
    let lock = "SELECT pg_advisory_lock(x'74656e616e747279'::bit(64)::bigint)";
    other.batch_execute(lock).await.unwrap();
    let soon = Options {
        wait: Duration::from_millis(200),
        ..Options::default()
    };
    let refused = bootstrap(&admin, &logins("data's own"), &soon).await;
    let refused = refused.unwrap_err().to_string();
    assert!(refused.contains("(somebody) still makes"), "{refused}");
    drop(other);
    bootstrap(&admin, &logins("data's own"), &Options::default())
        .await
        .unwrap();
    server.stop().await.unwrap();
}

#[tokio::test]
async fn the_planes_read_what_is_committed_whatever_the_servers_default() {
    let server = scratch().await.unwrap();
    let postgres: Login = server.admin_url().parse().unwrap();
    let admin = database(&postgres, "one", "postgres").await;
    let default = "ALTER DATABASE one SET default_transaction_isolation TO 'serializable'";
    connect(&admin)
        .await
        .unwrap()
        .batch_execute(default)
        .await
        .unwrap();
    let logins = logins("data's own");
    bootstrap(&admin, &logins, &Options::default())
        .await
        .unwrap();
    let (control, data) = (logins.control(&admin), logins.data(&admin));
    for login in [&control, &data, &data.of_lane(0), &data.of_lane(3)] {
        let client = connect(login).await.unwrap();
        let level = client.query_one("SHOW transaction_isolation", &[]).await;
        assert_eq!(level.unwrap().get::<_, String>(0), "read committed");
    }
    server.stop().await.unwrap();
}
