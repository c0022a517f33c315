//! The isolation matrix: every operation of the description with foreign ids, foreign credentials
//! and too little rights, each beside the same request that is answered at home.
//!
//! Guards come from `security`, ids from the parameters and bodies, both as the description has
//! them; by hand are only the public routes and how an id is made ([`Makers`]). An operation that
//! the description leaves unclear, or whose parameter nobody registered, is itself a fault.

mod ids;
mod makers;
mod operation;
mod rights;
mod unused;
mod world;

use axum::Router;
use serde_json::Value;

pub use makers::{Home, Make, Makers};
pub use operation::{Guard, Operation, Parameter, Place};
use world::World;

use crate::TestApp;

/// What is checked, and against what.
pub struct Matrix<'a> {
    /// Makes tenants and credentials.
    pub app: &'a TestApp,
    /// What answers: the application's router, or one around it.
    pub router: Router,
    /// The description of what it serves.
    pub api: Value,
    /// The paths that it serves, as its routes are written.
    pub served: Vec<String>,
    /// Method and path of what anybody may call.
    pub public: &'a [(&'a str, &'a str)],
    /// How ids are made.
    pub makers: Makers,
}

impl<'a> Matrix<'a> {
    /// The application as it is.
    #[must_use]
    pub fn of(app: &'a TestApp, public: &'a [(&'a str, &'a str)], makers: Makers) -> Self {
        Self {
            app,
            router: app.router(),
            api: serde_json::to_value(&app.api).unwrap(),
            served: app.paths().to_vec(),
            public,
            makers,
        }
    }

    /// Every fault of the routes and their description, without a request.
    #[must_use]
    pub fn faults_of_description(&self) -> Vec<String> {
        let operations = operation::all(&self.api);
        let mut faults: Vec<String> = operations
            .iter()
            .flat_map(|operation| operation.faults(&self.makers))
            .collect();
        for operation in &operations {
            let listed = self.is_public(operation);
            match operation.guard == Guard::Public {
                true if !listed => faults.push(format!(
                    "{}: it has no guard, and is not in the list of public routes",
                    operation.name
                )),
                false if listed => faults.push(format!(
                    "{}: it is guarded, and in the list of public routes",
                    operation.name
                )),
                _ => (),
            }
        }
        for (method, path) in self.public {
            if !operations.iter().any(|one| one.is(method, path)) {
                faults.push(format!("{method} {path}: public, and not there"));
            }
        }
        for path in &self.served {
            if self.api["paths"].get(path).is_none() {
                faults.push(format!("{path}: served without a description"));
            }
        }
        faults
    }

    /// Every fault that requests find in the operations that are chosen.
    pub async fn faults(&self, chosen: impl Fn(&Operation) -> bool) -> Vec<String> {
        let world = World::new(self).await;
        let (mut faults, mut checked) = (Vec::new(), 0);
        for operation in operation::all(&self.api) {
            let clear = operation.faults(&self.makers).is_empty();
            if operation.guard == Guard::Public || !clear || !chosen(&operation) {
                continue;
            }
            checked += 1;
            rights::check(&world, &operation, &mut faults).await;
            ids::check(&world, &operation, &mut faults).await;
        }
        if checked == 0 {
            faults.push("nothing was checked".to_owned());
        }
        faults
    }

    fn is_public(&self, operation: &Operation) -> bool {
        let mut public = self.public.iter();
        public.any(|(method, path)| operation.is(method, path))
    }
}
