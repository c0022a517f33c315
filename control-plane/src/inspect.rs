//! A look into one tenant's schema, for a while: a login of its own that sees nothing else.
//!
//! It is for people with psql or pgAdmin. Time is kept twice: PostgreSQL lets nobody in after it,
//! and the reaper then ends what goes on and drops the login.

use postgres_protocol::password::scram_sha_256;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::json;
use service::{Faults, Minted, body::Text};
use tenancy::Slug;
use time::{Duration, OffsetDateTime};
use utoipa::ToSchema;

use crate::{
    app::ControlPlane,
    error::Error,
    store::inspections::{Inspection, NewLogin, mode},
};

/// Minutes that a login is open for, unless something else is said.
pub const MINUTES: i64 = 60;
/// The longest that a login may be open, in minutes.
pub const LONGEST: i64 = 24 * 60;

/// A login to be opened.
#[derive(Default, Deserialize, ToSchema)]
#[schema(example = json!({"mode": "read-only", "minutes": 30}))]
pub struct NewInspection {
    /// `read-only` (default) or `read-write`.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub mode: Text,
    /// Minutes that it is open for, 1 to 1440; 60 by default.
    #[serde(default)]
    pub minutes: Option<i64>,
}

/// A login that was opened, and all that one needs to use it.
#[derive(Serialize, ToSchema)]
pub struct Opened {
    /// The tenant.
    #[schema(value_type = String)]
    pub tenant: Slug,
    /// Its schema.
    pub schema: String,
    /// The database that holds it.
    pub database: String,
    /// Where PostgreSQL is reached: a host name, or the directory of its socket.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The name to log in with.
    pub login: String,
    /// The password, shown this once.
    #[schema(value_type = String, format = Password)]
    #[serde(serialize_with = "exposed")]
    pub password: SecretString,
    /// `read-only` or `read-write`.
    pub mode: &'static str,
    /// When it ends.
    #[serde(with = "time::serde::rfc3339")]
    pub expires_at: OffsetDateTime,
}

fn exposed<S: serde::Serializer>(secret: &SecretString, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(secret.expose_secret())
}

impl ControlPlane {
    /// Opens a login for one tenant's schema.
    ///
    /// # Errors
    /// `NoTenant`; 422 naming every field's fault.
    pub async fn open_inspection(
        &self,
        slug: &Slug,
        new: NewInspection,
        actor: &str,
    ) -> Result<Opened, Error> {
        let (writes, minutes) = new.check()?;
        let now = self.now();
        let expires_at = now + Duration::minutes(minutes);
        let password = Minted::new(self.entropy(), "").secret;
        let verifier = scram_sha_256(password.expose_secret().as_bytes());
        let login = NewLogin {
            verifier: &verifier,
            writes,
            expires_at,
        };
        let change = self.audit_entry(actor, "inspection.opened", json!({}));
        let opened = self.store().open_inspection(slug, &login, change).await?;
        tracing::info!(tenant = %slug, actor, login = opened.login, mode = mode(writes), "opened");
        let place = self.place();
        Ok(Opened {
            tenant: slug.clone(),
            schema: opened.schema,
            database: place.database.clone(),
            host: place.host.clone(),
            port: place.port,
            login: opened.login,
            password,
            mode: mode(writes),
            expires_at,
        })
    }

    /// The logins that are open for a tenant's schema.
    ///
    /// # Errors
    /// `NoTenant`.
    pub async fn inspections(&self, slug: &Slug) -> Result<Vec<Inspection>, Error> {
        self.store().tenant(slug).await?;
        self.store().inspections(slug).await
    }

    /// Ends a login of a tenant's schema, with its sessions.
    ///
    /// # Errors
    /// `NoTenant`, `NoInspection`.
    pub async fn close_inspection(
        &self,
        slug: &Slug,
        login: &str,
        actor: &str,
    ) -> Result<(), Error> {
        let open = self.inspections(slug).await?;
        if !open.iter().any(|inspection| inspection.login == login) {
            return Err(Error::NoInspection(login.chars().take(63).collect()));
        }
        self.end_inspection(login, actor).await
    }

    /// Ends a login, wherever it belongs. Does nothing when it is gone.
    pub(crate) async fn end_inspection(&self, login: &str, actor: &str) -> Result<(), Error> {
        let change = self.audit_entry(actor, "inspection.closed", json!({}));
        self.store().close_inspection(login, change).await?;
        tracing::info!(actor, login, "closed");
        Ok(())
    }
}

impl NewInspection {
    /// Whether it may write, and for how many minutes it is open.
    fn check(self) -> Result<(bool, i64), Error> {
        let mut faults = Faults::new();
        let writes = match self.mode.optional("mode", &mut faults).as_deref() {
            None | Some("read-only") => false,
            Some("read-write") => true,
            Some(_) => {
                faults.add("mode", "must be read-only or read-write");
                false
            }
        };
        let minutes = self.minutes.unwrap_or(MINUTES);
        if !(1..=LONGEST).contains(&minutes) {
            faults.add("minutes", format!("must be 1 to {LONGEST}"));
        }
        faults.finish()?;
        Ok((writes, minutes))
    }
}
