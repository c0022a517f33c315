//! HTTP/1.1 over one connection, as thin as it can be: what generates load should cost little.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};

/// A connection that is kept open.
pub(super) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    last: bool,
}

/// Connects from an address of loopback.
pub(super) async fn connect(from: [u8; 4], port: u16) -> io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from((from, 0)))?;
    let stream = socket
        .connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
        .await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

impl Connection {
    pub(super) async fn open(from: [u8; 4], port: u16) -> io::Result<Self> {
        Ok(Self {
            stream: connect(from, port).await?,
            buffer: Vec::with_capacity(8192),
            last: false,
        })
    }

    /// Whether the other side has said that it closes now: nginx does after a thousand requests.
    pub(super) fn last(&self) -> bool {
        self.last
    }

    /// Sends a request and reads all of its answer; its status.
    pub(super) async fn ask(&mut self, request: &[u8]) -> io::Result<u16> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let (status, end) = loop {
            if let Some(head) = head(&self.buffer)? {
                break head;
            }
            self.more().await?;
        };
        while self.buffer.len() < end {
            self.more().await?;
        }
        let closes = b"\r\nConnection: close\r\n";
        self.last = self.buffer.windows(closes.len()).any(|part| part == closes);
        Ok(status)
    }

    async fn more(&mut self) -> io::Result<()> {
        match self.stream.read_buf(&mut self.buffer).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

/// The status, and how long head and body are together; `None` before the head is all there.
fn head(bytes: &[u8]) -> io::Result<Option<(u16, usize)>> {
    let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Ok(None);
    };
    let text = String::from_utf8_lossy(&bytes[..at]);
    let status = text.get(9..12).and_then(|word| word.parse().ok());
    let length = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let it = name.eq_ignore_ascii_case("content-length");
        it.then(|| value.trim().parse::<usize>().ok())?
    });
    match (status, length) {
        (Some(status), Some(length)) => Ok(Some((status, at + 4 + length))),
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_as_long_as_it_says() {
        let answer = b"HTTP/1.1 429 Too Many\r\nX: 1\r\ncontent-length: 2\r\n\r\n{}";
        assert_eq!(head(answer).unwrap(), Some((429, answer.len())));
        assert_eq!(head(&answer[..40]).unwrap(), None);
        assert!(head(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
    }
}
