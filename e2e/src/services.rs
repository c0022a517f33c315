//! Both planes and the pages as processes of their own, on the database of a [`System`].

use reqwest::Client;
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};

use crate::{
    process::{built, free_port, start, until},
    system::System,
};

/// Three processes.
pub struct Services {
    /// The control plane's port.
    pub control: u16,
    /// The data plane's port.
    pub data: u16,
    /// The pages' port.
    pub pages: u16,
    processes: Vec<Child>,
}

impl Services {
    /// Starts the three and waits until each is ready.
    pub async fn start(system: &System) -> Self {
        let [control, data, pages] = [free_port(), free_port(), free_port()];
        let login = |name: &str| {
            let secret = system.data().join(format!("secrets/{name}-password"));
            let password = std::fs::read_to_string(secret).unwrap();
            let address = local_postgres::running(&system.data())
                .unwrap()
                .expect("PostgreSQL runs");
            address.url(&format!("tenantry_{name}"), password.trim(), "tenantry")
        };
        let at = |port: u16| format!("http://127.0.0.1:{port}");
        let mut processes = Vec::new();
        for (name, port, settings) in [
            (
                "control-plane",
                control,
                vec![
                    ("CONTROL_PORT", control.to_string()),
                    ("CONTROL_DATABASE_URL", login("control")),
                ],
            ),
            (
                "data-plane",
                data,
                vec![
                    ("DATA_PORT", data.to_string()),
                    ("DATA_DATABASE_URL", login("data")),
                ],
            ),
            (
                "frontend",
                pages,
                vec![
                    ("PAGES_PORT", pages.to_string()),
                    ("CONTROL_PLANE_URL", at(control)),
                    ("DATA_PLANE_URL", at(data)),
                ],
            ),
        ] {
            let mut command = Command::new(built(name));
            command.envs(settings).env("LOG_LEVEL", "warn");
            command.env("ADMIN_PORT", free_port().to_string());
            processes.push(start(&mut command));
            let (client, ready) = (Client::new(), format!("{}/health/ready", at(port)));
            until(name, async || {
                client
                    .get(&ready)
                    .send()
                    .await
                    .is_ok_and(|answer| answer.status().is_success())
            })
            .await;
        }
        Self {
            control,
            data,
            pages,
            processes,
        }
    }

    /// Asks all three to stop and sees that each ends well.
    pub async fn stop(self) {
        for mut process in self.processes {
            let pid = process
                .id()
                .and_then(|id| Pid::from_raw(id.cast_signed()))
                .unwrap();
            kill_process(pid, Signal::TERM).unwrap();
            assert!(process.wait().await.unwrap().success());
        }
    }
}
