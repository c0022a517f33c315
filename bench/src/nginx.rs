//! One nginx with one worker in front of everything, with the same minimal proxy settings for the
//! limits and the product, so that the ratio of two rows through it is theirs and not its.

use std::{fmt::Write, path::Path, time::Duration};

use tokio::{net::TcpStream, process::Command};

use crate::{process::Service, scratch::Scratch};

/// Something that nginx stands in front of.
pub(crate) struct Site {
    /// Where nginx listens, on loopback.
    pub(crate) listen: u16,
    /// Where it passes requests on to.
    pub(crate) upstream: Upstream,
}

/// How nginx talks to what is behind it.
pub(crate) enum Upstream {
    /// HTTP with connections kept open, to a port on loopback.
    Http(u16),
    /// The uwsgi protocol over a socket: the best that uWSGI can do.
    Uwsgi(std::path::PathBuf),
}

/// Starts nginx before these sites and waits until it listens.
pub(crate) async fn start(
    scratch: &Scratch,
    name: &str,
    sites: &[Site],
) -> anyhow::Result<Service> {
    let folder = scratch.path(name);
    std::fs::create_dir_all(&folder)?;
    let as_root = rustix::process::geteuid().is_root();
    let file = scratch.write(&format!("{name}.conf"), &config(&folder, sites, as_root))?;
    let mut command = Command::new("nginx");
    command.arg("-p").arg(&folder).arg("-c").arg(file);
    let mut nginx = Service::start("nginx", &mut command, folder.join("output.log"))?;
    let ports: Vec<u16> = sites.iter().map(|site| site.listen).collect();
    nginx
        .ready(Duration::from_secs(10), async || {
            for &port in &ports {
                if TcpStream::connect(("127.0.0.1", port)).await.is_err() {
                    return false;
                }
            }
            true
        })
        .await?;
    Ok(nginx)
}

fn config(folder: &Path, sites: &[Site], as_root: bool) -> String {
    let folder = folder.display();
    let mut text = String::new();
    // Workers of an nginx started by root become nobody, who cannot reach a socket in our folder.
    let user = if as_root { "user root;\n" } else { "" };
    let _ = write!(
        text,
        "{user}daemon off;
worker_processes 1;
pid {folder}/pid;
error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  keepalive_requests 100000000;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
"
    );
    for (number, site) in sites.iter().enumerate() {
        let _ = write!(text, "{}", site.config(number));
    }
    text.push_str("}\n");
    text
}

impl Site {
    fn config(&self, number: usize) -> String {
        let listen = self.listen;
        match &self.upstream {
            Upstream::Http(port) => format!(
                "  upstream up{number} {{
    server 127.0.0.1:{port};
    keepalive 64;
    keepalive_requests 100000000;
  }}
  server {{
    listen 127.0.0.1:{listen} backlog=1024;
    location / {{
      proxy_pass http://up{number};
      proxy_http_version 1.1;
      proxy_set_header Connection \"\";
      proxy_set_header Host $host;
    }}
  }}
"
            ),
            Upstream::Uwsgi(socket) => format!(
                "  server {{
    listen 127.0.0.1:{listen} backlog=1024;
    location / {{
      uwsgi_pass unix:{};
      uwsgi_param QUERY_STRING $query_string;
      uwsgi_param REQUEST_METHOD $request_method;
      uwsgi_param CONTENT_TYPE $content_type;
      uwsgi_param CONTENT_LENGTH $content_length;
      uwsgi_param REQUEST_URI $request_uri;
      uwsgi_param PATH_INFO $document_uri;
      uwsgi_param SERVER_PROTOCOL $server_protocol;
      uwsgi_param REMOTE_ADDR $remote_addr;
      uwsgi_param SERVER_PORT $server_port;
      uwsgi_param SERVER_NAME $server_name;
    }}
  }}
",
                socket.display()
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sites_listen_on_loopback_alone_and_keep_their_upstreams_apart() {
        let site = |listen, port| Site {
            listen,
            upstream: Upstream::Http(port),
        };
        let text = config(
            Path::new("/x"),
            &[site(7001, 7002), site(7003, 7004)],
            false,
        );
        assert!(!text.contains("user root"));
        for line in text
            .lines()
            .filter(|line| line.trim_start().starts_with("listen"))
        {
            assert!(line.contains("listen 127.0.0.1:"), "{line}");
        }
        assert!(text.contains("proxy_pass http://up0;") && text.contains("proxy_pass http://up1;"));
    }
}
