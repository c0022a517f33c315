//! What the front page offers: whether sign-up is open, whom to ask otherwise, and the plans that a
//! stranger may choose, as the control plane has them.

use std::time::Duration;

use serde::Serialize;
use service::web_url;

use crate::{
    site::Site,
    upstream::{Offer, OfferedPlan},
    visitor::Visitor,
};

/// The most characters of what the platform says whom to ask.
const MAX_CONTACT: usize = 200;

/// How long the front page waits for the plane before it shows what it knows.
const OFFER_TIMEOUT: Duration = Duration::from_secs(3);

/// What strangers may sign up for now; what it was when the plane last answered, where it does not.
pub(super) async fn offer(site: &Site, visitor: &Visitor) -> Option<Offer> {
    let answer = site.upstream.control.offer(visitor);
    match tokio::time::timeout(OFFER_TIMEOUT, answer).await {
        Ok(Ok(offer)) => {
            site.remember_offer(&offer);
            Some(offer)
        }
        _ => site.last_offer(),
    }
}

/// A plan to choose.
#[derive(Serialize)]
pub(super) struct PlanView {
    value: String,
    name: String,
    quota: String,
    chosen: bool,
}

/// The plans to choose from, the wanted one chosen, or the first.
pub(super) fn choices(offer: Option<&Offer>, wanted: &str) -> Vec<PlanView> {
    let plans = offer.map_or(&[][..], |offer| &offer.plans);
    let known = plans.iter().any(|plan| plan.name == wanted);
    let choice = |(place, plan): (usize, &OfferedPlan)| PlanView {
        value: plan.name.clone(),
        name: plan.title.clone(),
        quota: quota(plan),
        chosen: if known {
            plan.name == wanted
        } else {
            place == 0
        },
    };
    plans.iter().enumerate().map(choice).collect()
}

/// The figure that people choose by.
fn quota(plan: &OfferedPlan) -> String {
    match plan.max_users {
        Some(1) => "1 user".to_owned(),
        Some(users) => format!("{users} users"),
        None => "Unlimited users".to_owned(),
    }
}

/// Said in place of the form while sign-up is closed.
#[derive(Serialize)]
pub(super) struct ClosedView {
    contact: Option<Contact>,
}

/// Whom to ask, as a link where it is one.
#[derive(Serialize)]
struct Contact {
    text: String,
    href: Option<String>,
}

/// `None` while sign-up is open, or nobody knows.
pub(super) fn closed(offer: Option<&Offer>) -> Option<ClosedView> {
    let offer = offer.filter(|offer| offer.signup == "closed")?;
    let contact = offer.contact.clone().map(|text| Contact {
        href: href(&text),
        text,
    });
    Some(ClosedView { contact })
}

fn href(contact: &str) -> Option<String> {
    if contact.contains(char::is_whitespace) {
        None
    } else if web_url::read_https(contact, MAX_CONTACT).is_ok() {
        Some(contact.to_owned())
    } else {
        let is_email = contact.contains('@') && !contact.contains([':', '?', '&', '%']);
        is_email.then(|| format!("mailto:{contact}"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn plans(names: &[&str]) -> Offer {
        let plan = |name: &&str| json!({ "name": name, "title": name, "max_users": 1 });
        let plans: Vec<_> = names.iter().map(plan).collect();
        serde_json::from_value(json!({ "signup": "open", "plans": plans })).unwrap()
    }

    #[test]
    fn one_plan_is_chosen_always() {
        let offer = plans(&["free", "team"]);
        for (wanted, chosen) in [("", 0), ("free", 0), ("team", 1), ("closed", 0)] {
            let choices = choices(Some(&offer), wanted);
            let marks: Vec<_> = choices.iter().map(|choice| choice.chosen).collect();
            assert_eq!(marks, [chosen == 0, chosen == 1], "{wanted}");
        }
        assert!(choices(None, "free").is_empty());
    }

    #[test]
    fn a_contact_is_a_link_where_it_can_be_one() {
        for (contact, link) in [
            ("ops@example.com", Some("mailto:ops@example.com")),
            ("https://example.com/ask", Some("https://example.com/ask")),
            ("https://example.com@other.example/ask", None),
            ("the people downstairs", None),
            ("javascript:alert(1)@x", None),
            ("http://example.com", None),
            ("ops@example.com?bcc=x", None),
        ] {
            assert_eq!(href(contact).as_deref(), link, "{contact}");
        }
    }
}
