//! Attempts to sign in, and how guessing is slowed down.
//!
//! Each attempt is counted as failed before its password is checked, and forgiven when the password
//! is right, so that many guesses at once do not slip by. Strangers are counted by account, by the
//! name that they give (a name that is nobody's is answered like any other) and by network over all
//! names; clients that hand in their users' passwords, by client and account and by client over all
//! accounts. A device that has signed in to the account before has a small count of its own in
//! place of these.

mod keys;
mod places;

use service::{
    Problem,
    rate::{self, Limit},
    request::ClientNetwork,
};
use tenancy::TenantDb;
use time::Duration;
use uuid::Uuid;

use crate::{
    app::App,
    error::Error,
    ids::UserId,
    settings::Settings,
    store::{
        devices,
        sign_in_failures::{self as failures, Counted},
    },
};
use keys::{Budgets, Key};
use places::{Place, Places};

/// One attempt in this many sweeps away the counts that are over.
const SWEEP_ONE_IN: u8 = 64;

/// The attempts under way in this process, and how many failures cost nothing.
pub(crate) struct Attempts {
    places: Places,
    budgets: Budgets,
}

/// Who tries, apart from the name that they give.
#[derive(Clone, Copy)]
pub(crate) enum Source<'a> {
    /// A person, on a device with a cookie of its own or without.
    Device(ClientNetwork, Option<Uuid>),
    /// A client, with one of its users' passwords.
    Client(ClientNetwork, &'a str),
}

impl Source<'_> {
    /// Where the request came from.
    pub(crate) fn network(self) -> ClientNetwork {
        match self {
            Self::Device(network, _) | Self::Client(network, _) => network,
        }
    }
}

/// An attempt, counted as failed until it is [`forgiven`](Self::forgiven).
pub(crate) struct Attempt(Count);

enum Count {
    OfDevice(UserId, Uuid),
    OfKeys { keys: [Key; 3], _place: Place },
}

impl Attempts {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self {
            places: Places::default(),
            budgets: Budgets {
                account: settings.failed_sign_ins_per_account,
                network: settings.failed_sign_ins_per_address,
            },
        }
    }

    fn refused(&self, wait: Duration) -> Problem {
        let seconds = u64::try_from(wait.whole_seconds()).unwrap_or(0) + 1;
        let limit = Limit {
            name: "failed-sign-ins",
            quota: self.budgets.account.into(),
            window: failures::REMEMBERED,
        };
        rate::refuse(&limit, seconds)
    }
}

impl Attempt {
    /// Counts an attempt on the account of `user`, or on that of nobody.
    ///
    /// # Errors
    /// 429 while one of what it is counted by is blocked, `Busy` when too many are at the same, and
    /// those of the database.
    pub(crate) async fn begin(
        app: &App,
        db: &TenantDb,
        source: Source<'_>,
        name: &str,
        user: Option<UserId>,
    ) -> Result<Self, Error> {
        if let Source::Device(_, Some(device)) = source {
            // Asked for nobody's account, too: that must not take less time.
            let user = user.unwrap_or_else(|| UserId::new(Uuid::nil()));
            if devices::count(db, user, device, app.clock.now()).await? {
                return Ok(Self(Count::OfDevice(user, device)));
            }
        }
        let attempts = &app.attempts;
        let tenant = db.tenant().id;
        let keys = keys::of(tenant, source, name, user, &attempts.budgets);
        let place = attempts.places.enter(tenant, &keys).await?;
        let sweep = app.entropy.bytes::<1>()[0].is_multiple_of(SWEEP_ONE_IN);
        let now = app.clock.now();
        let (ids, budgets) = (keys.map(|key| key.id), keys.map(|key| key.budget));
        match failures::count(db, &ids, &budgets, now, sweep).await? {
            Counted::Yes => Ok(Self(Count::OfKeys {
                keys,
                _place: place,
            })),
            Counted::BlockedUntil(until) => Err(attempts.refused(until - now).into()),
        }
    }

    /// Takes back that it was counted: the password was right, or it was never checked.
    ///
    /// # Errors
    /// Those of the database.
    pub(crate) async fn forgiven(self, db: &TenantDb) -> Result<(), Error> {
        match self.0 {
            Count::OfDevice(user, device) => devices::forgive(db, user, device).await,
            Count::OfKeys { keys, .. } => failures::forgive(db, &keys.map(|key| key.id)).await,
        }
    }
}
