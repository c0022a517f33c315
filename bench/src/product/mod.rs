//! The product under measurement: the release binary, started as a user starts it.

mod api;
mod signups;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context;
use tokio::process::Command;

pub(crate) use api::{Api, PASSWORD, Tenant, USERNAME};
pub(crate) use signups::{SignUps, populate};

use crate::{
    database::Database,
    load::Request,
    memory, process,
    process::Service,
    run::target_folder,
    scratch::{Scratch, free_ports},
};

/// A running product; dropping it stops it.
pub(crate) struct Product {
    service: Service,
    /// Where its API listens, on loopback.
    pub(crate) port: u16,
}

impl Product {
    /// Starts it on a database; what it writes has this name in the scratch directory.
    pub(crate) async fn serve(
        scratch: &Scratch,
        name: &str,
        database: &Database,
        binary: &Path,
    ) -> anyhow::Result<Self> {
        let [api, pages, admin] = free_ports()?;
        let mut command = command(scratch, name, database, binary);
        command
            .arg("up")
            .env("BIND_ADDRESS", "127.0.0.1")
            .env("API_PORT", api.to_string())
            .env("PAGES_PORT", pages.to_string())
            .env("ADMIN_PORT", admin.to_string())
            // One address signs all tenants up, faster than a person could.
            .env("SIGNUP_RATE_PER_MINUTE", "1000000")
            // And some of its users sign in faster.
            .env("LOGINS_PER_MINUTE", "1000000")
            .env("LOG_LEVEL", "warn");
        let service = Service::start(
            "tenantry",
            &mut command,
            scratch.path(format!("{name}.log")),
        )?;
        let mut product = Self { service, port: api };
        let client = reqwest::Client::new();
        let url = format!("http://127.0.0.1:{api}/health/ready");
        product
            .service
            .ready(Duration::from_secs(60), async || {
                client
                    .get(&url)
                    .send()
                    .await
                    .is_ok_and(|answer| answer.status().is_success())
            })
            .await?;
        Ok(product)
    }

    /// What its one process holds in memory.
    pub(crate) fn memory(&self) -> anyhow::Result<memory::Resident> {
        memory::resident(self.service.id().context("the product has ended")?)
    }
}

/// The requests that are measured, one per tenant.
pub(crate) mod requests {
    use super::{Request, Tenant};

    fn get(path: &str, tenant: &Tenant) -> Request {
        Request::get(path)
            .with("X-Tenant-Slug", &tenant.slug)
            .with("Authorization", format!("Bearer {}", tenant.token))
    }

    /// A call that any valid token may make.
    pub(crate) fn protected(tenant: &Tenant) -> Request {
        get("/api/protected", tenant)
    }

    /// A page of twenty notes.
    pub(crate) fn notes(tenant: &Tenant) -> Request {
        get("/api/notes?limit=20", tenant)
    }

    /// A new token for a client.
    pub(crate) fn token(tenant: &Tenant) -> Request {
        let form = format!(
            "grant_type=client_credentials&scope=read&client_id={}&client_secret={}",
            tenant.client_id, tenant.client_secret
        );
        Request::post_form("/oauth/token", form).with("X-Tenant-Slug", &tenant.slug)
    }
}

/// The program at the database and the directory of a product of this name.
pub(crate) fn command(
    scratch: &Scratch,
    name: &str,
    database: &Database,
    binary: &Path,
) -> Command {
    let mut command = Command::new(binary);
    command
        .current_dir(scratch.path(""))
        .env("TENANTRY_DIR", scratch.path(name))
        .env("DATABASE_URL", database.product_url());
    command
}

/// The program that is measured: one that was named, or else one that is built.
pub(crate) async fn binary(named: Option<&Path>) -> anyhow::Result<PathBuf> {
    match named {
        Some(binary) => Ok(binary.to_owned()),
        None => build().await,
    }
}

async fn build() -> anyhow::Result<PathBuf> {
    eprintln!("bench: building the product");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    process::output(
        Command::new(cargo)
            .args(["build", "--release", "--package", "tenantry"])
            .current_dir(env!("CARGO_MANIFEST_DIR")),
    )
    .await
    .context("building the product")?;
    Ok(target_folder().join("release/tenantry"))
}
