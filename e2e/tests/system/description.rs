//! Every operation of `/openapi.json` under requests that schemathesis makes up, by owners and by
//! strangers: nothing answers 5xx without saying so, and no answer is against the description.

#![allow(
    clippy::print_stdout,
    reason = "which cases were tried, for whoever reads the log"
)]

use std::fs;

use e2e::{System, python::Python};
use serde_json::{Value, json};
use service::Entropy;
use testkit::{rounds, seed};

const PASSWORD: &str = "correct horse battery";
/// In no example: the description's operations that delete a tenant miss it.
const SLUG: &str = "described";
/// What may end the owner's credentials or the tenant: ids from other answers are tried, too.
const ENDING: &str = r"^/control/|^/oauth/(client/\{|revoke|logout)|^/tenants/(users/\{|settings)";
const SCOPES: &str = "openid profile email read write admin";
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
                      response_headers_conformance,response_schema_conformance";
/// Limits are no part of this, and a refused request tells nothing about its operation.
const SETTINGS: [(&str, &str); 5] = [
    ("SIGNUP_RATE_PER_MINUTE", "1000000"),
    ("LOGINS_PER_MINUTE", "1000000"),
    ("REGISTRATIONS_PER_MINUTE", "1000000"),
    ("FAILED_SIGN_INS_PER_ACCOUNT", "30000"),
    ("FAILED_SIGN_INS_PER_ADDRESS", "30000"),
];

/// A tenant without quotas and its owner's session and credentials, one for each security scheme.
async fn credentials(system: &System) -> (String, String) {
    let plan = "tenantry plan set whole --title Whole --position 9 --self-serve true \
                --max-users unlimited --max-clients unlimited --max-notes unlimited \
                --requests-per-second unlimited --storage-bytes unlimited \
                --api-calls-per-month unlimited";
    system.run(plan).await;
    let operator = system.run("tenantry token create schemathesis").await;
    let application = json!({
        "tenant_name": SLUG, "tenant_slug": SLUG, "admin_username": "ada", "plan": "whole",
        "admin_email": "ada@example.com", "admin_password": PASSWORD,
    });
    let made = system.post("/tenants/register", &application).send().await;
    assert_eq!(made.unwrap().status(), 201);
    let session = session(system).await;
    let client = client(system, &session).await;
    let text = |field: &str| client[field].as_str().unwrap().to_owned();
    let (id, secret) = (text("client_id"), text("client_secret"));
    let token = token(system, &id, &secret).await;
    let configuration = format!(
        "[auth.openapi.bearer]\nbearer = {token:?}\n\
         [auth.openapi.session]\napi_key = {session:?}\n\
         [auth.openapi.client]\nusername = {id:?}\npassword = {secret:?}\n\
         [auth.openapi.operator]\nbearer = {:?}\n",
        operator.trim(),
    );
    (session, configuration)
}

/// Whether a session still opens what it did: else all that was tried in it was refused.
async fn counts(system: &System, session: &str) -> bool {
    let url = format!(
        "http://127.0.0.1:{}/tenants/{SLUG}/tenants/stats",
        system.api
    );
    let request = reqwest::Client::new().get(url);
    let cookie = format!("tenantry_session={session}");
    let answer = request.header("cookie", cookie).send().await;
    answer.unwrap().status() == 200
}

async fn session(system: &System) -> String {
    let body = json!({"username": "ada", "password": PASSWORD});
    let path = format!("/tenants/{SLUG}/oauth/login");
    let answer = system.post(&path, &body).send().await.unwrap();
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
    let pair = cookie.split(';').next().unwrap();
    pair.split_once('=').unwrap().1.to_owned()
}

async fn client(system: &System, session: &str) -> Value {
    let body = json!({
        "client_name": "schemathesis", "grant_types": ["password"],
        "scope": SCOPES,
    });
    let path = format!("/tenants/{SLUG}/oauth/client/register");
    let request = system.post(&path, &body);
    let cookie = format!("tenantry_session={session}");
    let answer = request.header("cookie", cookie).send().await.unwrap();
    serde_json::from_str(&answer.text().await.unwrap()).unwrap()
}

async fn token(system: &System, id: &str, secret: &str) -> String {
    let body = json!({
        "grant_type": "password", "username": "ada", "password": PASSWORD, "scope": SCOPES,
        "client_id": id, "client_secret": secret,
    });
    let path = format!("/tenants/{SLUG}/oauth/token");
    let answer = system.post(&path, &body).send().await.unwrap();
    let answer: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    answer["access_token"].as_str().unwrap().to_owned()
}

struct Run<'a> {
    system: &'a System,
    python: Python,
    entropy: Entropy,
}

/// How many cases were tried, none of which failed.
async fn cases(run: &Run<'_>, configuration: &str, further: &[&str]) -> usize {
    let Run {
        system,
        python,
        entropy,
    } = run;
    let directory = system.directory();
    fs::write(directory.join("schemathesis.toml"), configuration).unwrap();
    let seed = u32::from_be_bytes(entropy.bytes()).to_string();
    let (each, phases) = (rounds(1, 300).to_string(), phases());
    let address = format!("http://127.0.0.1:{}", system.api);
    let location = format!("{address}/openapi.json");
    let tenant = format!("X-Tenant-Slug: {SLUG}");
    let arguments = [
        "run",
        &location,
        "--url",
        &address,
        "--header",
        &tenant,
        "--checks",
        CHECKS,
        "--phases",
        phases,
        "--max-examples",
        &each,
        "--seed",
        &seed,
        // CPython 3.11's parser, which hypothesis calls, fails in two threads at once.
        "--workers",
        "1",
        "--no-color",
        "--continue-on-failure",
        "--generation-database",
        "none",
    ];
    let arguments = [&arguments[..], further].concat();
    let output = python.run("schemathesis", &arguments, directory).await;
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    let counted = said.split("Test cases:").nth(1).unwrap();
    let number = counted.split_whitespace().next().unwrap();
    number.parse().unwrap_or_else(|_| panic!("{said}"))
}

/// What is tried for every parameter in turn takes longer than a short run has.
fn phases() -> &'static str {
    let long = rounds(0, 1) == 1;
    if long {
        "examples,coverage,fuzzing"
    } else {
        "examples,fuzzing"
    }
}

#[tokio::test]
async fn no_answer_is_against_the_description() {
    let python = match Python::of("schemathesis") {
        Ok(python) => python,
        Err(reason) => return println!("[skipped] {reason}"),
    };
    let system = System::start_with(&SETTINGS).await;
    let (session, credentials) = credentials(&system).await;
    let entropy = seed::printed();
    let run = Run {
        system: &system,
        python,
        entropy,
    };
    let most = cases(&run, &credentials, &["--exclude-path-regex", ENDING]).await;
    assert!(counts(&system, &session).await);
    let strangers = cases(&run, "", &[]).await;
    let rest = cases(&run, &credentials, &["--include-path-regex", ENDING]).await;
    println!("{most} and {rest} cases signed in, {strangers} by strangers");
    let (tried, least) = (most + strangers + rest, rounds(100, 20_000));
    assert!(tried >= least, "{tried} cases are fewer than {least}");
}
