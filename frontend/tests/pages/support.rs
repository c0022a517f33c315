//! The pages in front of a plane that answers as no plane should, asked without a network between.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{Router, body::Body};
use frontend::Settings;
use http::{HeaderMap, Request, StatusCode, header};
use http_body_util::BodyExt;
use service::{
    Entropy,
    settings::{Addresses, Network},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use tower::ServiceExt;

/// An address at which nobody listens.
pub(crate) async fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap()
}

/// A plane that answers every request with these bytes and hangs up; with none, it keeps silent.
pub(crate) async fn plane(answer: impl Into<Vec<u8>>) -> SocketAddr {
    let (answer, listener) = (
        answer.into(),
        TcpListener::bind("127.0.0.1:0").await.unwrap(),
    );
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let answer = answer.clone();
            tokio::spawn(async move {
                let _ = stream.read(&mut [0; 16 * 1024]).await;
                if answer.is_empty() {
                    std::future::pending::<()>().await;
                }
                let _ = stream.write_all(&answer).await;
            });
        }
    });
    address
}

/// Such a plane, answering with this status line's end, these headers and this body.
pub(crate) async fn answering(status: &str, headers: &str, body: &str) -> SocketAddr {
    let length = body.len();
    plane(format!(
        "HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\n\r\n{body}"
    ))
    .await
}

/// Such a plane, and what it was asked.
pub(crate) async fn recording(status: &str, body: &str) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let answer = format!(
        "HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let seen = Arc::<Mutex<Vec<String>>>::default();
    let asked = Arc::clone(&seen);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = vec![0; 16 * 1024];
            let length = stream.read(&mut request).await.unwrap_or(0);
            let request = String::from_utf8_lossy(&request[..length]).into_owned();
            seen.lock().unwrap().push(request);
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    (address, asked)
}

/// An answer of the pages.
pub(crate) struct Page {
    /// Its status.
    pub(crate) status: StatusCode,
    /// Its headers.
    pub(crate) headers: HeaderMap,
    /// Its body.
    pub(crate) text: String,
}

impl Page {
    /// A header's value, empty when there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

/// The pages in front of a plane.
pub(crate) fn pages(plane: SocketAddr) -> Router {
    pages_at(plane, &Addresses::default())
}

/// The same under other addresses.
pub(crate) fn pages_at(plane: SocketAddr, addresses: &Addresses) -> Router {
    let settings = Settings {
        plane_timeout_seconds: 1,
        ..Settings::behind(format!("http://{plane}").parse().unwrap())
    };
    let network = Network::default();
    let pages = frontend::app(&settings, addresses, &network, &Entropy::seeded(1));
    pages.unwrap().router
}

/// Asks new pages in front of a plane.
pub(crate) async fn ask(plane: SocketAddr, request: Request<Body>) -> Page {
    ask_again(&pages(plane), request).await
}

/// Asks pages that may have been asked before.
pub(crate) async fn ask_again(pages: &Router, request: Request<Body>) -> Page {
    let answer = pages.clone().oneshot(request).await.unwrap();
    let (parts, body) = answer.into_parts();
    let text = body.collect().await.unwrap().to_bytes().to_vec();
    Page {
        status: parts.status,
        headers: parts.headers,
        text: String::from_utf8(text).unwrap(),
    }
}

/// A look at a page, as a browser on a host asks for it.
pub(crate) fn get(host: &str, path: &str) -> Request<Body> {
    Request::get(path)
        .header(header::HOST, host)
        .header(header::ACCEPT, "text/html,application/xhtml+xml,*/*;q=0.8")
        .body(Body::empty())
        .unwrap()
}

/// A form, posted as a browser does after it was shown the page that has it.
pub(crate) async fn post(plane: SocketAddr, host: &str, path: &str, fields: &str) -> Request<Body> {
    let shown = ask(plane, get("localhost:8000", "/")).await;
    let (_, token) = shown
        .text
        .split_once("name=\"form_token\" value=\"")
        .unwrap();
    let (token, _) = token.split_once('"').unwrap();
    Request::post(path)
        .header(header::HOST, host)
        .header(header::ORIGIN, format!("http://{host}"))
        .header(
            header::COOKIE,
            shown.header("set-cookie").split(';').next().unwrap(),
        )
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(format!("form_token={token}&{fields}")))
        .unwrap()
}
