//! A service that remembers what it was asked, to stand behind the gateway where the request itself
//! is to be seen.

use std::sync::{Arc, Mutex};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
};

use crate::process::{free_port, until};

/// One request as it arrived.
#[derive(Clone, Debug)]
pub struct Seen {
    head: String,
    /// Its body.
    pub body: Vec<u8>,
}

impl Seen {
    /// What was asked for: path and query.
    #[must_use]
    pub fn target(&self) -> &str {
        self.head.split(' ').nth(1).unwrap()
    }

    /// Every value of a header.
    #[must_use]
    pub fn all(&self, name: &str) -> Vec<&str> {
        let lines = self.head.lines().skip(1);
        lines
            .filter_map(|line| line.split_once(": "))
            .filter(|(other, _)| other.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
            .collect()
    }

    /// The head as it came.
    #[must_use]
    pub fn head(&self) -> &str {
        &self.head
    }
}

/// An answer with some headers.
#[must_use]
pub fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> String {
    let headers: String = headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    let length = body.len();
    format!("HTTP/1.1 {status} As asked\r\nContent-Length: {length}\r\n{headers}\r\n{body}")
}

/// A running recorder.
pub struct Recorder {
    /// Where it listens.
    pub port: u16,
    seen: Arc<Mutex<Vec<Seen>>>,
    task: Mutex<JoinHandle<()>>,
}

type Answering = Arc<dyn Fn(&Seen) -> String + Send + Sync>;

impl Recorder {
    /// One that answers "ok" to everything.
    pub async fn start() -> Self {
        Self::answering(free_port(), |_| answer(200, &[], "ok")).await
    }

    /// One that has an answer of its own, on a port or on any (0).
    pub async fn answering(
        port: u16,
        with: impl Fn(&Seen) -> String + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (port, answering) = (listener.local_addr().unwrap().port(), Arc::new(with));
        let task = tokio::spawn(listen(listener, Arc::clone(&seen), answering));
        Self {
            port,
            seen,
            task: Mutex::new(task),
        }
    }

    /// All requests so far.
    #[must_use]
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// The last request.
    #[must_use]
    pub fn last(&self) -> Seen {
        self.seen.lock().unwrap().last().unwrap().clone()
    }

    /// Ends every connection, and listens no longer.
    pub async fn hang_up(&self) {
        self.task.lock().unwrap().abort();
        until("its port is free", async || {
            TcpStream::connect(("127.0.0.1", self.port)).await.is_err()
        })
        .await;
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.task.lock().unwrap().abort();
    }
}

async fn listen(listener: TcpListener, seen: Arc<Mutex<Vec<Seen>>>, with: Answering) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(serve(stream, Arc::clone(&seen), Arc::clone(&with)));
    }
}

async fn serve(mut stream: TcpStream, seen: Arc<Mutex<Vec<Seen>>>, with: Answering) {
    let mut buffer = Vec::new();
    while let Some(request) = read(&mut stream, &mut buffer).await {
        let text = with(&request);
        seen.lock().unwrap().push(request);
        if stream.write_all(text.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// The next request of a connection. nginx tells every body's length.
async fn read(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<Seen> {
    let end = loop {
        if let Some(at) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        more(stream, buffer).await?;
    };
    let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
    let mut seen = Seen {
        head,
        body: Vec::new(),
    };
    let length = seen
        .all("Content-Length")
        .first()
        .map_or(0, |text| text.parse().unwrap());
    while buffer.len() < end + length {
        more(stream, buffer).await?;
    }
    seen.body = buffer[end..end + length].to_vec();
    buffer.drain(..end + length);
    Some(seen)
}

async fn more(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<()> {
    let mut piece = [0; 4096];
    match stream.read(&mut piece).await {
        Ok(0) | Err(_) => None,
        Ok(count) => {
            buffer.extend_from_slice(&piece[..count]);
            Some(())
        }
    }
}
