//! Chromium without a window, driven through chromedriver.

use std::{
    collections::BTreeMap,
    io::{self, Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::Stdio,
    time::Duration,
};

use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::json;
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::process::{free_port, installed, start, until};

/// A browser with a fresh profile.
pub struct Browser {
    /// What drives it.
    pub client: Client,
    port: u16,
    session: String,
    _driver: Child,
    _profile: TempDir,
}

impl Browser {
    /// Starts one, with or without scripts, in a window of some width.
    pub async fn start(scripts: bool, width: u32) -> Self {
        let port = free_port();
        let mut command = Command::new(installed("chromedriver"));
        command
            .arg(format!("--port={port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let driver = start(&mut command);
        until("chromedriver", async || {
            tokio::net::TcpStream::connect(("127.0.0.1", port))
                .await
                .is_ok()
        })
        .await;
        let profile = tempfile::Builder::new()
            .prefix("tenantry-browser-")
            .tempdir()
            .unwrap();
        let mut options = json!({
            "args": [
                "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
                "--disable-background-networking", "--disable-component-update",
                "--disable-sync", "--disable-dev-shm-usage",
                format!("--user-data-dir={}", profile.path().display()),
                format!("--window-size={width},900"),
            ],
            "prefs": { "profile.managed_default_content_settings.javascript": if scripts { 1 } else { 2 } },
        });
        // No window is narrower than 500 pixels, but a telephone is; to pretend to be one takes scripts.
        if width < 500 {
            assert!(scripts, "without scripts, 500 pixels or more");
            let metrics = json!({ "width": width, "height": 844, "pixelRatio": 2.0 });
            options["mobileEmulation"] = json!({ "deviceMetrics": metrics });
        }
        let capabilities = BTreeMap::from([("goog:chromeOptions".to_owned(), options)]);
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities.into_iter().collect())
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .expect("a browser session");
        let session = client.session_id().await.unwrap().expect("it is there");
        Self {
            client,
            port,
            session,
            _driver: driver,
            _profile: profile,
        }
    }

    /// Has chromedriver end the browser, which would outlive it.
    fn end(&self) -> io::Result<()> {
        let mut driver = TcpStream::connect(("127.0.0.1", self.port))?;
        driver.set_read_timeout(Some(Duration::from_secs(10)))?;
        let target = format!("/session/{}", self.session);
        write!(
            driver,
            "DELETE {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        )?;
        driver.read_to_end(&mut Vec::new())?;
        Ok(())
    }

    /// Opens a page.
    pub async fn open(&self, url: &str) {
        self.client.goto(url).await.unwrap();
    }

    /// Fills a field in, by its name.
    pub async fn fill(&self, name: &str, text: &str) {
        let field = self
            .client
            .find(Locator::Css(&format!("[name={name}]")))
            .await
            .unwrap();
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    /// Submits the page's main form and waits for the next page.
    pub async fn submit(&self) {
        self.press("main form [type=submit]").await;
    }

    /// Presses a button or follows a link, and waits for the next page.
    pub async fn press(&self, selector: &str) {
        let button = Locator::Css(selector);
        let before = self.client.find(Locator::Css("html")).await.unwrap();
        self.client
            .find(button)
            .await
            .unwrap()
            .click()
            .await
            .unwrap();
        until("the next page", async || before.tag_name().await.is_err()).await;
    }

    /// Goes back to the page before, as the Back button does.
    pub async fn back(&self) {
        let before = self.client.find(Locator::Css("html")).await.unwrap();
        self.client.back().await.unwrap();
        until("the page before", async || before.tag_name().await.is_err()).await;
    }

    /// What an expression has for a value in the page.
    pub async fn value(&self, expression: &str) -> serde_json::Value {
        let script = format!("return {expression}");
        self.client.execute(&script, Vec::new()).await.unwrap()
    }

    /// The text that a visitor sees.
    pub async fn text(&self) -> String {
        self.client
            .find(Locator::Css("body"))
            .await
            .unwrap()
            .text()
            .await
            .unwrap()
    }

    /// Keeps a picture of the page, for people to look at.
    pub async fn picture(&self, file: &Path) {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, self.client.screenshot().await.unwrap()).unwrap();
    }
}

/// A test that panics has not closed it.
impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.end();
    }
}
