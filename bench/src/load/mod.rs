//! Load by `wrk`: one thread, 32 connections kept open, in windows of a few seconds.
//!
//! A window begins only when the machine is idle, and one that others disturbed is said to be
//! noisy. It refuses to call a window good in which any request failed.

mod figures;
pub(crate) mod quiet;
mod script;

use anyhow::{Context, ensure};
use tokio::process::Command;

pub(crate) use figures::{Figures, Window, median};
pub(crate) use script::{Mix, Request, Traffic};

use crate::{options::Options, process, scratch::Scratch};

/// Connections that wrk keeps open.
const CONNECTIONS: u32 = 32;

/// Whether the body of an answer is what was asked for.
pub(crate) type Judge = fn(&str) -> bool;

/// A page of exactly twenty notes, with more to come.
pub(crate) fn page(body: &str) -> bool {
    body.matches("\"title\"").count() == 20 && body.contains("\"next\"")
}

/// An access token.
pub(crate) fn token(body: &str) -> bool {
    body.contains("\"access_token\"")
}

/// A JSON object.
pub(crate) fn object(body: &str) -> bool {
    body.starts_with('{') && body.ends_with('}')
}

/// One kind of traffic, ready to be sent.
pub(crate) struct Load {
    script: std::path::PathBuf,
    first: Request,
}

impl Load {
    /// Writes the traffic down as a script for wrk.
    pub(crate) fn new(scratch: &Scratch, name: &str, traffic: &Traffic) -> anyhow::Result<Self> {
        let first = traffic
            .requests
            .first()
            .context("traffic without requests")?
            .clone();
        let script = scratch.write(&format!("{name}.lua"), &script::render(traffic))?;
        Ok(Self { script, first })
    }

    /// Sends one request by hand: wrk looks at no body and takes a redirect for a success.
    pub(crate) async fn try_once(&self, port: u16, good: Judge) -> anyhow::Result<()> {
        let request = &self.first;
        let url = format!("http://127.0.0.1:{port}{}", request.path);
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
        let mut builder = client.build()?.request(request.method.parse()?, &url);
        for (name, value) in &request.headers {
            builder = builder.header(*name, value);
        }
        let answer = builder
            .body(request.body.clone().unwrap_or_default())
            .send()
            .await?;
        let status = answer.status();
        let body = answer.text().await?;
        ensure!(status.is_success(), "{url} answered {status}: {body}");
        ensure!(good(&body), "{url} answered something else: {body}");
        Ok(())
    }

    /// One window of load. Waits for an idle machine before, and looks again after, unless it is
    /// to be quick.
    pub(crate) async fn window(&self, port: u16, options: &Options) -> anyhow::Result<Window> {
        self.window_for(port, options.window_seconds(), options.quick)
            .await
    }

    /// The same of so many seconds.
    pub(crate) async fn window_for(
        &self,
        port: u16,
        seconds: u32,
        quick: bool,
    ) -> anyhow::Result<Window> {
        let idle = quick || quiet::settle().await?;
        let mut window = figures::parse(&self.wrk(port, seconds).await?)?;
        window.noisy = !idle || !(quick || quiet::still().await?);
        Ok(window)
    }

    /// A second of load that nobody counts.
    pub(crate) async fn warm_up(&self, port: u16) -> anyhow::Result<()> {
        self.warm_up_for(port, 1).await
    }

    /// So many seconds of it.
    pub(crate) async fn warm_up_for(&self, port: u16, seconds: u32) -> anyhow::Result<()> {
        self.wrk(port, seconds).await.map(drop)
    }

    async fn wrk(&self, port: u16, seconds: u32) -> anyhow::Result<String> {
        process::output(
            Command::new("wrk")
                .args(["-t1", &format!("-c{CONNECTIONS}"), &format!("-d{seconds}s")])
                .args(["--timeout", "10s", "-s"])
                .arg(&self.script)
                .arg(format!("http://127.0.0.1:{port}")),
        )
        .await
        .context("wrk (Debian's package of that name)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_holds_twenty_notes_and_knows_of_more() {
        let body =
            |notes, end| format!("{{\"items\":[{}]{end}}}", r#"{"title":"x"},"#.repeat(notes));
        assert!(page(&body(20, r#","next":"80""#)));
        assert!(!page(&body(19, r#","next":"80""#)));
        assert!(!page(&body(20, "")));
    }
}
