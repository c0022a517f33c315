//! The pages in real Chromium: sign-up, sign-in, account, sign-out, and errors.

use std::path::PathBuf;

use e2e::{System, browser::Browser};

fn picture(name: &str, width: u32) -> PathBuf {
    let target = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/pictures");
    PathBuf::from(target).join(format!("{name}-{width}.png"))
}

async fn shows(browser: &Browser, texts: &[&str]) {
    let page = browser.text().await;
    for text in texts {
        assert!(page.contains(text), "{text} is not in: {page}");
    }
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
    shows(browser, &["reserved"]).await;
    browser.picture(&picture("sign-up-fault", width)).await;

    browser.fill("tenant_slug", &slug.to_uppercase()).await;
    browser
        .fill("admin_password", "correct horse battery")
        .await;
    browser.submit().await;
    shows(browser, &["ada", &format!("{slug}.localhost"), "signed in"]).await;
    browser.picture(&picture("welcome", width)).await;

    browser.open(&tenant).await;
    shows(browser, &["ada", "Acme", "ada@acme.example"]).await;
    browser.picture(&picture("account", width)).await;

    browser.press(".bar [type=submit]").await;
    shows(browser, &["You have signed out."]).await;
    browser.back().await;
    let text = browser.text().await;
    assert!(
        !text.contains("ada@acme.example"),
        "after signing out: {text}"
    );

    browser.open(&format!("{tenant}/sign-in")).await;
    browser.fill("username", "ada").await;
    browser.fill("password", "wrong password").await;
    browser.submit().await;
    shows(browser, &["Incorrect username or password."]).await;
    browser.picture(&picture("sign-in-fault", width)).await;

    browser.fill("username", "ada").await;
    browser.fill("password", "correct horse battery").await;
    browser.submit().await;
    shows(browser, &["ada@acme.example"]).await;
    browser.open("about:blank").await;
    browser.open(&tenant).await;
    shows(browser, &["ada@acme.example"]).await;
    browser.press(".bar [type=submit]").await;

    browser.open(&format!("{tenant}/register")).await;
    browser.fill("username", "grace").await;
    browser.fill("email", "grace@acme.example").await;
    browser.fill("password", "correct horse battery").await;
    browser.submit().await;
    shows(browser, &["grace@acme.example", "Sign out"]).await;

    browser.open(&format!("{tenant}/nothing-here")).await;
    shows(browser, &["Acme", "Page not found", "Sign out"]).await;
    browser.picture(&picture("not-found", width)).await;
    browser
        .open(&format!("http://nobody-at-all.localhost:{}/", system.pages))
        .await;
    shows(browser, &["Workspace not found"]).await;
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

#[tokio::test]
async fn a_link_to_a_fault_shows_the_fields_label() {
    let system = System::start().await;
    let browser = Browser::start(true, 390).await;
    browser
        .open(&format!("http://localhost:{}", system.pages))
        .await;
    // The server's faults, not the browser's.
    browser.value("document.forms[0].noValidate = true").await;
    browser.submit().await;
    for field in ["tenant_slug", "admin_email", "admin_password"] {
        let link = format!("document.querySelector(\"[href='#{field}']\").click()");
        browser.value(&link).await;
        let top = format!("document.querySelector(\"[for={field}]\").getBoundingClientRect().top");
        let top = browser.value(&top).await.as_f64().unwrap();
        assert!(top >= 0.0, "{field}: {top}");
    }
}

#[tokio::test]
async fn a_long_name_leaves_sign_out_its_width() {
    let system = System::start().await;
    let name = "The Quite Extraordinarily Long Name of a Company ".repeat(2);
    let body = serde_json::json!({
        "tenant_name": name.trim(), "tenant_slug": "acme", "admin_username": "ada",
        "admin_email": "ada@acme.example", "admin_password": "correct horse battery",
    });
    let answer = system.post("/tenants/register", &body).send().await;
    assert_eq!(answer.unwrap().status(), 201);
    let browser = Browser::start(true, 390).await;
    browser
        .open(&format!("http://acme.localhost:{}/sign-in", system.pages))
        .await;
    browser.fill("username", "ada").await;
    browser.fill("password", "correct horse battery").await;
    browser.submit().await;
    let height = browser
        .value("document.querySelector('.bar button').offsetHeight")
        .await;
    assert!(height.as_f64().unwrap() < 48.0, "on one line: {height}");
    let wide = browser
        .value("document.documentElement.scrollWidth <= innerWidth")
        .await;
    assert_eq!(wide, true, "nothing is wider than the window");
    browser.picture(&picture("long-name", 390)).await;
}
