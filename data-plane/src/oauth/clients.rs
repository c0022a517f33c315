//! Registration of OAuth clients (RFC 7591), by those who administer the tenant.

mod metadata;
mod redirect_uri;

use axum::extract::State;
use http::StatusCode;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use service::{Json, Kind, Minted, Problem, Query, body::Created, problem::ProblemBody};
use utoipa::{IntoParams, ToSchema};

use crate::{
    app::App,
    caller::{Admin, Member},
    error::{Code, Error, OAuthError, OAuthErrorBody},
    ids::Id,
    page::{self, Moment},
    store::clients::{self, Client},
};
use metadata::Metadata;

/// A client as RFC 7591 section 3.2.1 answers it.
#[derive(Serialize, ToSchema)]
#[schema(example = json!(
    {"client_id": "tnt_client_0197c5a07e1c7cc398c4dc0c0c07398f",
    "client_secret": "tnt_cs_SECRET", "client_id_issued_at": 1769851800,
    "client_secret_expires_at": 0, "client_name": "Dashboard",
    "grant_types": ["client_credentials"], "redirect_uris": [], "scope": "read write",
    "token_endpoint_auth_method": "client_secret_basic"}
))]
pub(crate) struct ClientInformation {
    client_id: String,
    /// Shown once, and never again.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<String>,
    /// Seconds since 1970.
    client_id_issued_at: i64,
    /// 0: the secret does not expire. Absent without a secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret_expires_at: Option<i64>,
    client_name: String,
    grant_types: Vec<String>,
    redirect_uris: Vec<String>,
    /// Scopes, separated by spaces.
    scope: String,
    token_endpoint_auth_method: String,
    /// Origins whose pages may call the API; absent: those of the redirect URIs.
    #[serde(skip_serializing_if = "Option::is_none")]
    allowed_origins: Option<Vec<String>>,
}

/// Which page of clients.
#[derive(Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct Search {
    /// 1 to 200; default 50.
    #[param(value_type = Option<u8>, minimum = 1, maximum = 200)]
    limit: Option<String>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// A page of clients.
#[derive(Serialize, ToSchema)]
#[schema(example = json!(
    {"clients": [{"client_id": "tnt_client_0197c5a07e1c7cc398c4dc0c0c07398f",
    "client_id_issued_at": 1769851800, "client_secret_expires_at": 0,
    "client_name": "Dashboard", "grant_types": ["client_credentials"], "redirect_uris": [],
    "scope": "read write", "token_endpoint_auth_method": "client_secret_basic"}], "next": null}
))]
pub(crate) struct ClientPage {
    clients: Vec<ClientInformation>,
    /// Where to go on; `null` on the last page.
    next: Option<String>,
}

impl ClientInformation {
    fn new(client: Client, secret: Option<&SecretString>) -> Self {
        Self {
            client_id: client.id,
            client_secret: secret.map(|secret| secret.expose_secret().to_owned()),
            client_id_issued_at: client.created_at.unix_timestamp(),
            client_secret_expires_at: client.secret.map(|_| 0),
            client_name: client.name,
            grant_types: client.grant_types,
            redirect_uris: client.redirect_uris,
            scope: client.scope.join(),
            token_endpoint_auth_method: client.auth_method,
            allowed_origins: client.allowed_origins,
        }
    }
}

/// Registers a client. Its secret is in the answer, and nowhere else.
#[utoipa::path(post, path = "/oauth/client/register", tag = "oauth", request_body = Metadata,
    security(("session" = ["admin"]), ("bearer" = ["admin"])), responses(
    (status = 201, body = ClientInformation), (status = 400, body = OAuthErrorBody),
    (status = "4XX", body = ProblemBody)))]
pub(crate) async fn register(
    State(app): State<App>,
    Admin(Member { user, db, .. }): Admin,
    metadata: Result<Json<Metadata>, Problem>,
) -> Result<Created<ClientInformation>, OAuthError> {
    let Json(metadata) = metadata.map_err(unreadable)?;
    let metadata = metadata.check()?;
    let secret = metadata
        .is_confidential()
        .then(|| Minted::new(&app.entropy, "tnt_cs_"));
    let client = Client {
        id: format!("tnt_client_{}", app.entropy.id(&app.clock).simple()),
        secret: secret.as_ref().map(|minted| minted.digest),
        name: metadata.client_name,
        grant_types: metadata.grant_types,
        redirect_uris: metadata.redirect_uris,
        scope: metadata.scope,
        auth_method: metadata.auth_method,
        created_at: app.clock.now(),
        allowed_origins: metadata.allowed_origins,
    };
    clients::insert(&db, &client, &user).await?;
    Ok(Created(ClientInformation::new(
        client,
        secret.as_ref().map(|minted| &minted.secret),
    )))
}

/// Metadata that cannot be read are RFC 7591's error, of whatever type a member is.
fn unreadable(problem: Problem) -> OAuthError {
    match problem.kind() {
        Kind::MalformedRequest | Kind::ValidationFailed => {
            OAuthError::new(Code::InvalidClientMetadata, problem.summary())
        }
        _ => OAuthError::Other(problem.into()),
    }
}

/// Lists the tenant's clients, without their secrets.
#[utoipa::path(get, path = "/oauth/client/list", tag = "oauth", params(Search),
    security(("session" = ["admin"]), ("bearer" = ["admin"])), responses(
    (status = 200, body = ClientPage), (status = "4XX", body = ProblemBody)))]
pub(crate) async fn list(
    Admin(member): Admin,
    Query(search): Query<Search>,
) -> Result<Json<ClientPage>, Error> {
    let limit = page::limit(search.limit.as_deref())?;
    let after: Option<(Moment, String)> = page::after(search.cursor.as_deref())?;
    let after = after.map(|(Moment(at), id)| (at, id));
    let page = clients::list(&member.db, after.as_ref(), limit).await?;
    let next = page::next(&page, |client| {
        (Moment(client.created_at), client.id.clone())
    });
    let clients = page
        .items
        .into_iter()
        .map(|client| ClientInformation::new(client, None))
        .collect();
    Ok(Json(ClientPage { clients, next }))
}

/// Removes a client; whatever was issued to it no longer counts.
#[utoipa::path(delete, path = "/oauth/client/{client_id}", tag = "oauth",
    params(("client_id" = String, Path, description = "The client's id")),
    security(("session" = ["admin"]), ("bearer" = ["admin"])), responses(
    (status = 204, description = "Removed"), (status = "4XX", body = ProblemBody)))]
pub(crate) async fn delete(Admin(member): Admin, Id(id): Id<String>) -> Result<StatusCode, Error> {
    clients::delete(&member.db, &id, &member.user).await?;
    Ok(StatusCode::NO_CONTENT)
}
