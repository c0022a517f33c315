//! What every HTTP service of Tenantry shares: settings, problem details, request bodies,
//! limits, telemetry, and serving until asked to stop.
//!
//! Nothing here knows a tenant, a plane or a database. A service is built by handing an
//! [`axum::Router`] to [`serve::run`]; the layers every request passes are in [`layers`],
//! in the order in which a request meets them.

pub mod account;
pub mod answers;
pub mod assets;
pub mod authorization;
pub mod body;
pub mod clock;
pub mod email;
pub mod entropy;
pub mod exact;
pub mod explanation;
pub mod faults;
pub mod header;
pub mod health;
pub mod hosts;
pub mod label;
pub mod layers;
pub mod openapi;
pub mod origin;
pub mod password;
pub mod patch;
pub mod problem;
pub mod protocol;
pub mod rate;
pub mod request;
pub mod secret;
pub mod serve;
pub mod settings;
pub mod telemetry;
pub mod tls;
pub mod web_url;

pub use body::{Form, Json, JsonOrForm, Parameters, Query};
pub use clock::Clock;
pub use entropy::Entropy;
pub use faults::Faults;
pub use label::label;
pub use patch::Patched;
pub use problem::{Kind, Problem};
pub use secret::{Digest, Minted};
