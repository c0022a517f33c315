//! Who one is, and where: the page of whoever is signed in.

use axum::response::{IntoResponse, Redirect, Response};
use http::StatusCode;
use serde::Serialize;
use time::{OffsetDateTime, format_description::well_known::Rfc3339, macros::format_description};

use crate::{
    site::Site,
    upstream::{Info, Member, PlaneError, Stats},
    views::Frame,
    visitor::Visitor,
};

#[derive(Serialize)]
struct View {
    username: String,
    email: Option<String>,
    role: String,
    member_since: Option<String>,
    tenant_name: String,
    slug: String,
    pages_url: String,
    plan: Option<String>,
    tenant_since: Option<String>,
    api_url: String,
    administers: bool,
    figures: Option<Figures>,
}

/// The tenant's usage; what the plane did not say is not shown.
#[derive(Serialize)]
pub(super) struct Figures {
    users: Option<Users>,
    counts: Vec<Count>,
}

/// Users and the plan's limit on them; `room` is how much of it is left.
#[derive(Serialize)]
struct Users {
    total: u64,
    limit: Option<u64>,
    room: Option<u64>,
}

#[derive(Serialize)]
struct Count {
    label: &'static str,
    value: u64,
}

/// Shows the account, or the way to sign in.
pub(crate) async fn show(site: &Site, visitor: &Visitor) -> Result<Response, PlaneError> {
    let info = site.upstream.data.info(visitor).await?;
    let administers = info.member.as_ref().is_some_and(Member::administers);
    let figures = if administers {
        figures(site, visitor).await
    } else {
        None
    };
    let page = page(site, visitor, info, figures);
    Ok(page.unwrap_or_else(|| Redirect::to("/sign-in").into_response()))
}

/// Figures are an extra: without them the page still says who one is.
async fn figures(site: &Site, visitor: &Visitor) -> Option<Figures> {
    let stats = site.upstream.data.stats(visitor).await;
    stats
        .inspect_err(|refusal| tracing::warn!(?refusal, "no figures"))
        .ok()
        .map(Figures::from)
}

/// The page; none for somebody who is not signed in.
pub(super) fn page(
    site: &Site,
    visitor: &Visitor,
    info: Info,
    figures: Option<Figures>,
) -> Option<Response> {
    let host = visitor.tenant_host(&info);
    let member = info.member?;
    let view = View {
        administers: member.administers(),
        username: member.username,
        email: member.email,
        role: member.role,
        member_since: member.created_at.as_deref().and_then(day),
        pages_url: site.addresses.pages_of(&host),
        api_url: site.addresses.api_of(&host),
        tenant_name: info.name,
        slug: info.slug,
        plan: info.plan,
        tenant_since: info.created_at.as_deref().and_then(day),
        figures,
    };
    let frame = Frame::tenant("Your account", &view.tenant_name).signed_in();
    Some(site.page(visitor, StatusCode::OK, "account", &frame, &view))
}

impl From<Stats> for Figures {
    fn from(stats: Stats) -> Self {
        let limit = stats.max_users;
        let users = stats.total_users.map(|total| Users {
            total,
            limit,
            room: limit.map(|limit| limit.saturating_sub(total)),
        });
        let counts = [
            ("Active users", stats.active_users),
            ("OAuth clients", stats.total_clients),
            ("Active tokens", stats.active_tokens),
        ];
        let counts = counts.into_iter().filter_map(|(label, value)| {
            Some(Count {
                label,
                value: value?,
            })
        });
        Self {
            users,
            counts: counts.collect(),
        }
    }
}

/// A time as a day that people read; nothing when it is no time.
fn day(text: &str) -> Option<String> {
    let day = format_description!("[day padding:none] [month repr:long] [year]");
    OffsetDateTime::parse(text, &Rfc3339).ok()?.format(day).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_shown_as_a_day() {
        assert_eq!(day("2031-03-05T10:00:00Z").as_deref(), Some("5 March 2031"));
        assert_eq!(day("yesterday"), None);
    }

    #[test]
    fn figures_that_are_missing_are_not_made_up() {
        let figures = Figures::from(Stats {
            total_users: Some(12),
            ..Stats::default()
        });
        let users = figures.users.unwrap();
        assert_eq!((users.total, users.limit, users.room), (12, None, None));
        assert!(figures.counts.is_empty());
    }
}
