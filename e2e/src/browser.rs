//! Chromium without a window, driven through chromedriver.

use std::{collections::BTreeMap, path::Path, process::Stdio};

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
        let options = json!({
            "args": [
                "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
                "--disable-background-networking", "--disable-component-update",
                "--disable-sync", "--disable-dev-shm-usage",
                format!("--user-data-dir={}", profile.path().display()),
                format!("--window-size={width},900"),
            ],
            "prefs": { "profile.managed_default_content_settings.javascript": if scripts { 1 } else { 2 } },
        });
        let capabilities = BTreeMap::from([("goog:chromeOptions".to_owned(), options)]);
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities.into_iter().collect())
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .expect("a browser session");
        Self {
            client,
            _driver: driver,
            _profile: profile,
        }
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
        let button = Locator::Css("main form [type=submit]");
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
