//! The gateway: Debian's nginx under the configuration that production has, on other ports.

use std::{fs, path::Path};

use tokio::process::{Child, Command};

use crate::process::{free_port, installed, start, until};

const TEMPLATE: &str = include_str!("../../docker/nginx/gateway.conf.template");

/// A running nginx.
pub struct Gateway {
    /// Where it takes requests for the API.
    pub api: u16,
    /// Where it takes requests for the pages.
    pub pages: u16,
    _process: Child,
}

impl Gateway {
    /// Starts one in front of both planes and the pages.
    pub async fn start(directory: &Path, control: u16, data: u16, pages: u16) -> Self {
        let (listen_api, listen_pages) = (free_port(), free_port());
        let folder = directory.join("nginx");
        fs::create_dir_all(&folder).unwrap();
        let servers = [
            ("${API_LISTEN}", format!("127.0.0.1:{listen_api}")),
            ("${PAGES_LISTEN}", format!("127.0.0.1:{listen_pages}")),
            ("${CONTROL_UPSTREAM}", format!("127.0.0.1:{control}")),
            ("${DATA_UPSTREAM}", format!("127.0.0.1:{data}")),
            ("${PAGES_UPSTREAM}", format!("127.0.0.1:{pages}")),
        ]
        .into_iter()
        .fold(TEMPLATE.to_owned(), |text, (name, value)| {
            text.replace(name, &value)
        });
        let main = format!(
            "daemon off;\nmaster_process off;\npid {folder}/pid;\nerror_log {folder}/error.log;\n\
             events {{ worker_connections 1024; }}\nhttp {{\n\
             client_body_temp_path {folder}/body;\nproxy_temp_path {folder}/proxy;\n\
             fastcgi_temp_path {folder}/fastcgi;\nuwsgi_temp_path {folder}/uwsgi;\n\
             scgi_temp_path {folder}/scgi;\n{servers}\n}}\n",
            folder = folder.display()
        );
        let file = folder.join("nginx.conf");
        fs::write(&file, main).unwrap();
        let mut command = Command::new(installed("nginx"));
        command.arg("-c").arg(&file).arg("-p").arg(&folder);
        let mut process = start(&mut command);
        until("nginx", async || {
            if let Some(status) = process.try_wait().unwrap() {
                let log = fs::read_to_string(folder.join("error.log")).unwrap_or_default();
                panic!("nginx ended with {status}:\n{log}");
            }
            tokio::net::TcpStream::connect(("127.0.0.1", listen_api))
                .await
                .is_ok()
        })
        .await;
        Self {
            api: listen_api,
            pages: listen_pages,
            _process: process,
        }
    }
}
