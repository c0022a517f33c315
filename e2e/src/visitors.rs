//! Clients that go on asking whatever happens to the database, and judge every answer.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, RwLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use reqwest::{Client, RequestBuilder, Response, header, redirect};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::{System, process::comes_true};

const PASSWORD: &str = "correct horse battery";
/// Who asks at once.
const CLIENTS: usize = 8;
/// Whoever is told to come back later does, or the log would hold nothing else.
const PAUSE: Duration = Duration::from_millis(50);
/// Longer than anything may take that is answered at all.
const TIMEOUT: Duration = Duration::from_secs(90);

/// A tenant, and a token for its notes.
struct Tenant {
    /// The name that its notes have.
    first_slug: String,
    slug: RwLock<String>,
    id: String,
    token: String,
}

/// What an answer was.
enum Verdict {
    /// What was asked for, the tenant's own.
    Good,
    /// 503 that says when to come back.
    Later,
    /// Anything else.
    Wrong(String),
}

/// Clients of several tenants, who name them in every way.
pub struct Visitors {
    shared: Arc<Shared>,
    asking: JoinSet<()>,
}

struct Shared {
    client: Client,
    api: u16,
    tenants: Vec<Tenant>,
    /// Whether a name may be a former one, of which nothing is there.
    renaming: AtomicBool,
    good: AtomicU64,
    later: AtomicU64,
    wrong: Mutex<BTreeMap<String, u64>>,
}

/// The ways to name a tenant, each with reading and with writing.
const WAYS: usize = 8;
/// Of these, by its id.
const BY_ID: usize = 2;

fn by_id(number: usize) -> bool {
    number % WAYS / 2 == BY_ID
}

impl Visitors {
    /// Signs tenants up and begins to ask.
    pub async fn begin(system: &System, slugs: &[&str]) -> Self {
        let client = Client::builder().no_proxy().timeout(TIMEOUT);
        let client = client.redirect(redirect::Policy::none());
        let mut tenants = Vec::new();
        for slug in slugs {
            tenants.push(sign_up(system, slug).await);
        }
        let shared = Arc::new(Shared {
            client: client.build().unwrap(),
            api: system.api,
            tenants,
            renaming: AtomicBool::new(false),
            good: AtomicU64::new(0),
            later: AtomicU64::new(0),
            wrong: Mutex::default(),
        });
        let mut asking = JoinSet::new();
        for first in 0..CLIENTS {
            asking.spawn(go_on(Arc::clone(&shared), first));
        }
        Self { shared, asking }
    }

    /// Waits until every tenant is served, in every way.
    pub async fn all_are_served(&self) {
        let all = 0..self.shared.tenants.len() * WAYS;
        let served = comes_true(async || {
            for number in all.clone() {
                if !matches!(self.shared.ask(number).await, Verdict::Good) {
                    return false;
                }
            }
            true
        });
        assert!(served.await, "not all are served: {:#?}", self.wrong());
    }

    /// Renames a tenant, whose former names lead nowhere or to the new one meanwhile.
    pub async fn rename(&self, operator: &str, number: usize, slug: &str) {
        let Shared { client, api, .. } = &*self.shared;
        let tenant = &self.shared.tenants[number % self.shared.tenants.len()];
        let former = tenant.slug.read().unwrap().clone();
        let url = format!("http://127.0.0.1:{api}/control/v1/tenants/{former}");
        self.shared.renaming.store(true, Ordering::SeqCst);
        let request = client.patch(url).bearer_auth(operator);
        let answer = request.json(&json!({ "slug": slug })).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap());
        slug.clone_into(&mut tenant.slug.write().unwrap());
        self.all_are_served().await;
        self.shared.renaming.store(false, Ordering::SeqCst);
    }

    /// How many answers were good, and how many said to come back later.
    #[must_use]
    pub fn answers(&self) -> [u64; 2] {
        [&self.shared.good, &self.shared.later].map(|count| count.load(Ordering::Relaxed))
    }

    /// Answers that were neither, each with how often it came.
    #[must_use]
    pub fn wrong(&self) -> BTreeMap<String, u64> {
        self.shared.wrong.lock().unwrap().clone()
    }

    /// Ends.
    pub async fn leave(mut self) {
        self.asking.shutdown().await;
    }
}

async fn go_on(shared: Arc<Shared>, first: usize) {
    for number in (first..).step_by(7) {
        match shared.ask(number).await {
            Verdict::Good => drop(shared.good.fetch_add(1, Ordering::Relaxed)),
            Verdict::Later => {
                shared.later.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(PAUSE).await;
            }
            Verdict::Wrong(what) => *shared.wrong.lock().unwrap().entry(what).or_default() += 1,
        }
    }
}

impl Shared {
    /// One request, whose number says of which tenant, in which way and for what.
    async fn ask(&self, number: usize) -> Verdict {
        let tenant = &self.tenants[(number / WAYS) % self.tenants.len()];
        let slug = tenant.slug.read().unwrap().clone();
        let (request, writes) = self.request(tenant, &slug, number % WAYS);
        let is_renaming = || self.renaming.load(Ordering::SeqCst);
        let before = is_renaming();
        match request.send().await {
            Ok(answer) if before || is_renaming() => match answer.status().as_u16() {
                // Only whoever names it by its id is always right.
                307 | 308 | 404 if !by_id(number) => Verdict::Later,
                _ => judge(answer, &tenant.first_slug, writes).await,
            },
            Ok(answer) => judge(answer, &tenant.first_slug, writes).await,
            Err(cause) => Verdict::Wrong(format!("no answer: {cause:?}")),
        }
    }

    fn request(&self, tenant: &Tenant, slug: &str, way: usize) -> (RequestBuilder, bool) {
        let (api, Tenant { id, token, .. }) = (self.api, tenant);
        let path = match way / 2 {
            0 => format!("/tenants/{slug}/api/notes"),
            _ => "/api/notes".to_owned(),
        };
        let writes = way % 2 == 1;
        let url = format!("http://127.0.0.1:{api}{path}");
        let request = if writes {
            let note = json!({"title": format!("of {}", tenant.first_slug), "body": ""});
            self.client.post(url).json(&note)
        } else {
            self.client.get(url + "?limit=5")
        };
        let request = match way / 2 {
            0 => request,
            1 => request.header("X-Tenant-Slug", slug),
            BY_ID => request.header("X-Tenant-ID", id),
            _ => request.header(header::HOST, format!("{slug}.localhost:{api}")),
        };
        (request.bearer_auth(token), writes)
    }
}

async fn judge(answer: Response, slug: &str, writes: bool) -> Verdict {
    let status = answer.status().as_u16();
    let later = answer.headers().get(header::RETRY_AFTER).cloned();
    let body: Value = match answer.json().await {
        Ok(body) => body,
        Err(cause) => return Verdict::Wrong(format!("{status} without a body: {cause:?}")),
    };
    let own = format!("of {slug}");
    let is_own = |note: &Value| note["title"] == own;
    match (status, writes) {
        (200, false)
            if body["notes"]
                .as_array()
                .is_some_and(|all| all.iter().all(is_own)) =>
        {
            Verdict::Good
        }
        (201, true) if is_own(&body) => Verdict::Good,
        (503, _) if later.is_some() => Verdict::Later,
        _ => Verdict::Wrong(format!("{status} at {slug}: {body}")),
    }
}

async fn sign_up(system: &System, slug: &str) -> Tenant {
    let application = json!({
        "tenant_name": slug, "tenant_slug": slug, "admin_username": "ada",
        "admin_email": "ada@example.com", "admin_password": PASSWORD, "plan": "enterprise",
    });
    let signed_up = body(system.post("/tenants/register", &application)).await;
    let at_tenant =
        |path: &str, body: &Value| system.post(path, body).header("X-Tenant-Slug", slug);
    let credentials = json!({"username": "ada", "password": PASSWORD});
    let session = at_tenant("/oauth/login", &credentials)
        .send()
        .await
        .unwrap();
    let cookie = session.headers()[header::SET_COOKIE].to_str().unwrap();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let client = json!({
        "client_name": "visitor", "grant_types": ["password"], "scope": "read write",
        "token_endpoint_auth_method": "client_secret_post",
    });
    let client = at_tenant("/oauth/client/register", &client).header(header::COOKIE, cookie);
    let client = body(client).await;
    let form = [
        ("grant_type", "password"),
        ("username", "ada"),
        ("password", PASSWORD),
        ("scope", "read write"),
        ("client_id", text(&client["client_id"])),
        ("client_secret", text(&client["client_secret"])),
    ];
    let token = system.post_form("/oauth/token", &form);
    let token = body(token.header("X-Tenant-Slug", slug)).await;
    Tenant {
        first_slug: slug.to_owned(),
        slug: RwLock::new(slug.to_owned()),
        id: text(&signed_up["tenant"]["id"]).to_owned(),
        token: text(&token["access_token"]).to_owned(),
    }
}

async fn body(request: RequestBuilder) -> Value {
    let answer = request.send().await.unwrap();
    let (status, body) = (answer.status(), answer.text().await.unwrap());
    assert!(status.is_success(), "{status}: {body}");
    serde_json::from_str(&body).unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}
