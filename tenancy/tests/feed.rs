//! The change feed and a cache, on a real PostgreSQL: what ends an entry, and what does not.

#![allow(clippy::unwrap_used)]

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tenancy::{
    ChangeFeed, Dependencies, Revocation, TenantId,
    cache::{Cached, NotifiedCache},
    db::Login,
};
use testkit::{TestDatabase, database::connect, rounds, wait::until};
use tokio_postgres::Client;
use uuid::Uuid;

/// A tenant, and whether the entry depends on its row or on one of its users.
type Key = (u128, bool);

struct Value(usize);

impl Cached<Key> for Value {
    fn tenant(key: &Key) -> TenantId {
        TenantId::new(Uuid::from_u128(key.0))
    }

    fn depends_on(&self, key: &Key) -> Dependencies {
        if key.1 {
            Dependencies::Tenant
        } else {
            Dependencies::Unrevoked(vec![Revocation::User(Uuid::from_u128(key.0))])
        }
    }

    fn bytes(&self) -> usize {
        0
    }
}

const ACME: u128 = 0xacbe_0000;
/// Kept in the same place as `ACME`.
const GLOBEX: u128 = 0x910b_0000;

struct Fixture {
    database: TestDatabase,
    admin: Client,
    feed: ChangeFeed,
    cache: NotifiedCache<Key, Value>,
    loads: AtomicUsize,
}

impl Fixture {
    async fn start() -> Self {
        let database = TestDatabase::create().await.unwrap();
        let admin = connect(&database.admin()).await.unwrap();
        for (id, slug) in [(ACME, "acme"), (GLOBEX, "globex")] {
            let add = "INSERT INTO platform.tenants (id, slug, name, schema_name, role_name, plan, \
                status, schema_version, created_at) \
                VALUES ($1, $2, $2, 'tenant_' || $2, 'x', 'free', 'active', 1, now())";
            admin
                .execute(add, &[&Uuid::from_u128(id), &slug])
                .await
                .unwrap();
        }
        let feed = ChangeFeed::start(&database.data());
        let cache = NotifiedCache::new(&feed, 100);
        let loads = AtomicUsize::new(0);
        let fixture = Self {
            database,
            admin,
            feed,
            cache,
            loads,
        };
        fixture.fresh().await;
        fixture
    }

    async fn fresh(&self) {
        until("the feed to be fresh", async || self.feed.is_fresh()).await;
    }

    async fn load(&self, key: Key) -> Arc<Value> {
        self.fresh().await;
        let load = async {
            let number = self.loads.fetch_add(1, Ordering::SeqCst);
            Ok::<_, Infallible>(Some(Value(number)))
        };
        self.cache.get_or_load(key, load).await.unwrap().unwrap()
    }

    /// Whether an entry is there, asked while the feed was fresh.
    async fn is_kept(&self, key: Key) -> bool {
        loop {
            self.fresh().await;
            let kept = self.cache.get(&key).is_some();
            if self.feed.is_fresh() {
                return kept;
            }
        }
    }

    async fn notify(&self, payload: &str) {
        let sql = "SELECT pg_notify(name, $1) FROM platform.channel";
        self.admin.query(sql, &[&payload]).await.unwrap();
    }

    /// All that was notified before has arrived.
    async fn settle(&self) {
        self.load((ACME, false)).await;
        self.notify(&format!("{} *", Uuid::from_u128(ACME))).await;
        until("the last notice", async || {
            !self.is_kept((ACME, false)).await
        })
        .await;
    }
}

#[tokio::test]
async fn the_registrys_own_changes_end_a_tenants_entry() {
    let fixture = Fixture::start().await;
    let (control, data) = (fixture.database.control(), fixture.database.data());
    for login in [control, data] {
        fixture.load((ACME, true)).await;
        fixture.load((GLOBEX, true)).await;
        let client = connect(&login).await.unwrap();
        let change = "UPDATE platform.tenants SET name = name WHERE slug = 'acme'";
        client.batch_execute(change).await.unwrap();
        until("the tenant's entry to end", async || {
            !fixture.is_kept((ACME, true)).await
        })
        .await;
        assert!(fixture.is_kept((GLOBEX, true)).await);
    }
    let plan = "UPDATE platform.plans SET position = position";
    fixture.admin.batch_execute(plan).await.unwrap();
    until("all entries to end", async || {
        !fixture.is_kept((GLOBEX, true)).await
    })
    .await;
}

#[tokio::test]
async fn any_number_of_one_tenants_notices_leaves_the_others_entries() {
    let fixture = Fixture::start().await;
    let (row, user) = ((GLOBEX, true), (GLOBEX, false));
    let before = (fixture.load(row).await.0, fixture.load(user).await.0);
    let many = i64::try_from(rounds(30_000, 300_000)).unwrap();
    let flood = "SELECT count(pg_notify(name, format('%s user %s', $1::uuid, gen_random_uuid()))) \
        FROM platform.channel, generate_series(1, $2::bigint)";
    let acme = Uuid::from_u128(ACME);
    fixture.admin.query(flood, &[&acme, &many]).await.unwrap();
    fixture.settle().await;
    let after = (fixture.load(row).await.0, fixture.load(user).await.0);
    assert_eq!(before, after, "loaded again");
}

#[tokio::test]
async fn a_notify_on_a_name_that_was_guessed_does_nothing() {
    let fixture = Fixture::start().await;
    fixture.load((GLOBEX, true)).await;
    let anybody = connect(&fixture.database.data()).await.unwrap();
    for name in ["tenantry_tenants", "tenantry_revoked", "channel", "c"] {
        anybody
            .batch_execute(&format!("NOTIFY {name}, '*'"))
            .await
            .unwrap();
    }
    fixture.settle().await;
    assert!(fixture.is_kept((GLOBEX, true)).await);
}

#[tokio::test]
async fn a_channel_that_is_drawn_anew_is_followed() {
    let fixture = Fixture::start().await;
    fixture.load((GLOBEX, true)).await;
    let draw = "UPDATE platform.channel SET name = 'another'";
    fixture.admin.batch_execute(draw).await.unwrap();
    until("the feed to begin anew", async || {
        !fixture.is_kept((GLOBEX, true)).await
    })
    .await;
    fixture.settle().await;
}

/// As a service of the version before publishes, on the channel that it knows.
#[tokio::test]
async fn services_of_the_version_before_are_heard_while_they_run() {
    let fixture = Fixture::start().await;
    let former: Login = fixture.database.data().named("tenantry feed");
    let _service = connect(&former).await.unwrap();
    let open = "SELECT platform.close_functions()";
    fixture.admin.batch_execute(open).await.unwrap();
    let notify = format!("NOTIFY tenantry_tenants, '{}'", Uuid::from_u128(GLOBEX));
    // Entries end twice when the feed begins anew; by the third time it is the notice.
    for _ in 0..3 {
        until("the former channel to be heard", async || {
            fixture.load((GLOBEX, true)).await;
            fixture.admin.batch_execute(&notify).await.unwrap();
            !fixture.is_kept((GLOBEX, true)).await
        })
        .await;
    }
}
