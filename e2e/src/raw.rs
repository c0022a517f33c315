//! Requests byte by byte, as no client library would send them.

use std::{io, net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time::timeout,
};

/// How long whoever was asked may take to answer or to hang up.
const PATIENCE: Duration = Duration::from_secs(30);

/// What came back until the other side hung up.
#[derive(Debug)]
pub struct Raw(pub String);

impl Raw {
    /// The status of the first answer, 0 without any.
    #[must_use]
    pub fn status(&self) -> u16 {
        let word = self
            .0
            .strip_prefix("HTTP/1.1 ")
            .and_then(|rest| rest.get(..3));
        word.and_then(|word| word.parse().ok()).unwrap_or(0)
    }

    /// Every value of a header.
    #[must_use]
    pub fn all(&self, name: &str) -> Vec<&str> {
        let head = self.0.split("\r\n\r\n").next().unwrap_or_default();
        head.lines()
            .filter_map(|line| line.split_once(": "))
            .filter(|(other, _)| other.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
            .collect()
    }

    /// What follows the first head.
    #[must_use]
    pub fn body(&self) -> &str {
        self.0.split_once("\r\n\r\n").map_or("", |(_, body)| body)
    }
}

/// A connection from an address of loopback.
///
/// # Errors
/// When nobody listens.
pub async fn connect(from: [u8; 4], port: u16) -> io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from((from, 0)))?;
    socket
        .connect(SocketAddr::from(([127, 0, 0, 1], port)))
        .await
}

/// Sends bytes and reads until the other side hangs up: a request that is meant to be answered says
/// `Connection: close`.
pub async fn send(port: u16, bytes: &[u8]) -> Raw {
    let mut stream = connect([127, 0, 0, 1], port).await.unwrap();
    // Whoever refuses a request may hang up before having read all of it.
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let _ = timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
    Raw(String::from_utf8_lossy(&answer).into_owned())
}
