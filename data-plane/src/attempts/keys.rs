//! What an attempt to sign in is counted by.
//!
//! Names and networks are anybody's to make up, so they share buckets: the rows of a tenant are
//! bounded by its users, its clients and the number of buckets, however many names are tried.

use std::num::NonZeroU16;

use service::Digest;
use tenancy::TenantId;
use uuid::Uuid;

use super::Source;
use crate::ids::UserId;

/// Attempts on one account, or by one name, that a process checks at once. Those under way count as
/// failed, so that more of them would spend the budget even if all were right.
const ACCOUNT_AT_ONCE: usize = 3;
/// The same from one network, or by one client.
const CROWD_AT_ONCE: usize = 32;

/// A client's users are more than a network's.
const CLIENT_FACTOR: i32 = 10;

/// How many failures cost nothing.
pub(super) struct Budgets {
    /// Of one account, or one name.
    pub(super) account: NonZeroU16,
    /// From one network.
    pub(super) network: NonZeroU16,
}

/// What failures are counted by.
#[derive(Clone, Copy)]
pub(super) struct Key {
    pub(super) id: Uuid,
    /// As many failures cost nothing.
    pub(super) budget: i32,
    /// As many attempts are checked at once.
    pub(super) at_once: usize,
}

/// The keys of an attempt: the account, the name, and the network or client. Places are taken in
/// this order, so that nobody waits for another in a circle.
pub(super) fn of(
    tenant: TenantId,
    source: Source<'_>,
    name: &str,
    user: Option<UserId>,
    budgets: &Budgets,
) -> [Key; 3] {
    let name: String = name.chars().take(254).collect();
    let name = bucket(tenant, &name.to_lowercase());
    let account = user.map_or_else(|| format!("nobody {name}"), |user| format!("user {user}"));
    let (through, crowd, factor) = match source {
        Source::Device(network, _) => {
            let network = bucket(tenant, &network.to_string());
            ("anyone", format!("network {network}"), 1)
        }
        Source::Client(_, client) => (client, format!("client {client}"), CLIENT_FACTOR),
    };
    let key = |text: String, budget: i32, at_once| Key {
        id: Digest::of(&text).half(),
        budget,
        at_once,
    };
    let budget = budgets.account.get().into();
    let crowd_budget = i32::from(budgets.network.get()) * factor;
    [
        key(format!("{through} {account}"), budget, ACCOUNT_AT_ONCE),
        key(format!("{through} name {name}"), budget, ACCOUNT_AT_ONCE),
        key(crowd, crowd_budget, CROWD_AT_ONCE),
    ]
}

/// One of 65,536 buckets, which differ from tenant to tenant.
fn bucket(tenant: TenantId, text: &str) -> u16 {
    let digest = Digest::of(&format!("{tenant} {text}"));
    let first = digest.as_bytes().first_chunk::<2>();
    first.map_or(0, |first| u16::from_be_bytes(*first))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use service::request::ClientAddr;

    use super::*;

    fn keys(host: u8, name: &str, user: Option<u128>) -> [Uuid; 3] {
        let tenant = TenantId::new(Uuid::from_u128(1));
        let network = ClientAddr([192, 0, 2, host].into()).network();
        let ten = NonZeroU16::new(10).unwrap();
        let budgets = Budgets {
            account: ten,
            network: ten,
        };
        let user = user.map(|id| UserId::new(Uuid::from_u128(id)));
        let source = Source::Device(network, None);
        of(tenant, source, name, user, &budgets).map(|key| key.id)
    }

    #[test]
    fn username_and_email_of_an_account_share_its_count_from_wherever() {
        let (one, other) = (keys(1, "ada", Some(1)), keys(2, "ada@example.com", Some(1)));
        assert_eq!(one[0], other[0]);
        assert_ne!(one[1], other[1]);
        assert_ne!(one[2], other[2]);
        assert_ne!(one[0], keys(1, "ada", Some(2))[0]);
        assert_eq!(keys(1, "ADA", None)[..2], keys(2, "ada", None)[..2]);
    }

    #[test]
    fn names_that_are_nobodys_fill_no_more_rows_than_there_are_buckets() {
        let names = (0..200_000).map(|number| keys(1, &number.to_string(), None)[0]);
        let distinct: HashSet<Uuid> = names.collect();
        assert!(distinct.len() <= 1 << 16, "{}", distinct.len());
    }
}
