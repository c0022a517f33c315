//! The pages in real Chromium: sign-up, sign-in, account, sign-out, and errors.

use std::path::PathBuf;

use e2e::{System, browser::Browser};

fn picture(name: &str, width: u32) -> PathBuf {
    let target = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/pictures");
    PathBuf::from(target).join(format!("{name}-{width}.png"))
}

async fn walk(system: &System, browser: &Browser, slug: &str, width: u32) {
    let platform = format!("http://localhost:{}", system.pages);
    let tenant = format!("http://{slug}.localhost:{}", system.pages);

    browser.open(&platform).await;
    browser.picture(&picture("landing", width)).await;
    browser.fill("tenant_name", "Acme").await;
    browser.fill("tenant_slug", "www").await;
    browser.fill("admin_username", "ada").await;
    browser.fill("admin_email", "ada@acme.example").await;
    browser
        .fill("admin_password", "correct horse battery")
        .await;
    browser.submit().await;
    assert!(
        browser.text().await.contains("reserved"),
        "{}",
        browser.text().await
    );
    browser.picture(&picture("sign-up-fault", width)).await;

    browser.fill("tenant_slug", slug).await;
    browser
        .fill("admin_password", "correct horse battery")
        .await;
    browser.submit().await;
    assert!(browser.text().await.contains(&format!("{slug}.localhost")));
    browser.picture(&picture("welcome", width)).await;

    browser.open(&format!("{tenant}/sign-in")).await;
    browser.fill("username", "ada").await;
    browser.fill("password", "wrong password").await;
    browser.submit().await;
    assert!(
        browser.text().await.contains("not right"),
        "{}",
        browser.text().await
    );
    browser.picture(&picture("sign-in-fault", width)).await;

    browser.fill("username", "ada").await;
    browser.fill("password", "correct horse battery").await;
    browser.submit().await;
    let text = browser.text().await;
    for fact in ["ada", "Acme", "ada@acme.example"] {
        assert!(text.contains(fact), "{fact} is not in: {text}");
    }
    browser.picture(&picture("account", width)).await;

    browser.open("about:blank").await;
    browser.open(&tenant).await;
    assert!(
        browser.text().await.contains("ada@acme.example"),
        "the session lasts"
    );

    browser.open(&format!("{tenant}/nothing-here")).await;
    browser.picture(&picture("not-found", width)).await;
    browser
        .open(&format!("http://nobody-at-all.localhost:{}/", system.pages))
        .await;
    browser.picture(&picture("no-such-tenant", width)).await;
}

#[tokio::test]
async fn a_tenant_signs_up_and_its_owner_in() {
    let system = System::start().await;
    for (slug, width) in [("acme", 1280), ("initech", 390)] {
        let browser = Browser::start(true, width).await;
        walk(&system, &browser, slug, width).await;
    }
}

#[tokio::test]
async fn the_pages_work_without_scripts() {
    let system = System::start().await;
    let browser = Browser::start(false, 500).await;
    walk(&system, &browser, "globex", 500).await;
}
