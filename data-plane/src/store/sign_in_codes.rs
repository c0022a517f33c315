//! Codes that sign somebody in once. Until it is used, a code stands among the sessions under a
//! digest that no session's secret has; using it makes that row the session.

use service::Digest;
use tenancy::TenantDb;
use time::OffsetDateTime;

use super::users::{self, Role};
use crate::{error::Error, ids::UserId};

tenancy::statements! {
    REDEEM = "UPDATE sessions s SET digest = $2, created_at = $3, expires_at = $4, \
                  auth_time = $3, last_used_at = $3, user_agent = $5, address = $6 \
              FROM users u WHERE s.digest = $1 AND s.expires_at > $3 AND u.id = s.user_id \
                  AND u.is_active AND u.credentials_version = s.credentials_version \
              RETURNING u.id, u.username, u.role";
}

/// Who was signed in by a code.
pub(crate) struct Holder {
    pub(crate) id: UserId,
    pub(crate) username: String,
    pub(crate) role: Role,
}

/// A session to exchange a code for.
pub(crate) struct NewSession<'a> {
    pub(crate) digest: Digest,
    pub(crate) now: OffsetDateTime,
    pub(crate) expires_at: OffsetDateTime,
    pub(crate) user_agent: Option<&'a str>,
    pub(crate) address: String,
}

/// Exchanges a code for a session. Of several that use the same code one gets it.
///
/// # Errors
/// Those of the database.
pub(crate) async fn redeem(
    db: &TenantDb,
    code: &Digest,
    new: &NewSession<'_>,
) -> Result<Option<Holder>, Error> {
    let row = db
        .query_opt(
            REDEEM,
            &[
                &code.as_bytes(),
                &new.digest.as_bytes(),
                &new.now,
                &new.expires_at,
                &new.user_agent,
                &new.address,
            ],
        )
        .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Holder {
        id: UserId::new(row.try_get("id")?),
        username: row.try_get("username")?,
        role: users::role(&row)?,
    }))
}
