//! Listening, serving and stopping.
//!
//! A service accepts until it is told to stop, lets the requests under way finish within a
//! limit, and returns. Clients that dawdle over a request's head, or over reading an answer, are cut
//! off.

use std::{convert::Infallible, io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, extract::ConnectInfo};
use hyper::{body::Incoming, server::conn::http1};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::{GracefulShutdown, Watcher},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;
use tower::Service as _;

use crate::{
    health::Health,
    settings::Network,
    telemetry::Metrics,
    tls::{self, Tls},
};

/// The longest that the two sides may take to agree on TLS.
const HANDSHAKE: Duration = Duration::from_secs(5);

/// The bytes of a request's head, and of an answer that is written ahead of its reader.
const MAX_BUFFER: usize = 64 * 1024;

/// Between two times that measurements are summed up.
const SUM_UP: Duration = Duration::from_secs(5);

/// A port that is taken, and the setting that changes it.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {cause}. Set {variable} to use another port")]
pub struct CannotListen {
    address: SocketAddr,
    variable: &'static str,
    cause: io::Error,
}

/// Why a service with a process of its own ended in error.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A port is taken.
    #[error(transparent)]
    Port(#[from] CannotListen),
    /// The certificates cannot be used.
    #[error("TLS_DIRECTORY: {0}")]
    Tls(#[from] tls::Error),
    /// The signals that ask it to stop cannot be listened to.
    #[error("no signals: {0}")]
    Signals(#[from] io::Error),
}

/// A service with a process of its own.
pub struct Alone {
    /// The public port.
    pub port: u16,
    /// The setting that changes it.
    pub variable: &'static str,
    /// What is served there.
    pub router: Router,
    /// Whether it is well.
    pub health: Health,
    /// What it counts.
    pub metrics: Metrics,
}

impl Alone {
    /// Serves the public port and the admin port until the process is asked to stop, then
    /// drains, which the admin port tells of until the end. `stop` is cancelled when the process is
    /// asked, or when it cannot even begin, for whatever runs beside it.
    ///
    /// # Errors
    /// [`Error`], before anything is served.
    pub async fn run(self, network: &Network, stop: CancellationToken) -> Result<(), Error> {
        let _over = stop.clone().drop_guard();
        let tls = network.tls()?;
        let public = listen(network.on(self.port), self.variable).await?;
        let admin = listen(network.admin(), "ADMIN_PORT").await?;
        tracing::info!(address = %public.local_addr()?, tls = tls.is_some(), "serving");
        let watch = async {
            let asked = stop_signal().await;
            self.health.drain();
            stop.cancel();
            asked
        };
        let follow = follow(tls.clone(), stop.clone());
        let over = CancellationToken::new();
        let serve = async {
            run(public, tls, self.router, network, stop.clone()).await;
            over.cancel();
        };
        let (asked, (), (), ()) = tokio::join!(
            watch,
            follow,
            serve,
            run_admin(admin, &self.health, self.metrics, network, over.clone()),
        );
        Ok(asked?)
    }
}

/// Takes a port, without serving yet.
///
/// # Errors
/// When the port is busy or not ours to take; the text names the variable that changes it.
pub async fn listen(
    address: SocketAddr,
    variable: &'static str,
) -> Result<TcpListener, CannotListen> {
    TcpListener::bind(address)
        .await
        .map_err(|cause| CannotListen {
            address,
            variable,
            cause,
        })
}

/// Follows the certificates that ports are served with, if there are any, until `stop` is cancelled.
pub async fn follow(tls: Option<Tls>, stop: CancellationToken) {
    if let Some(tls) = tls {
        tls.follow(stop).await;
    }
}

/// Serves a router on a listener, over TLS if there is any, until `stop` is cancelled, then drains.
pub async fn run(
    listener: TcpListener,
    tls: Option<Tls>,
    router: Router,
    network: &Network,
    stop: CancellationToken,
) {
    let places = Arc::new(Semaphore::new(network.max_connections));
    let drain = GracefulShutdown::new();
    let patience = Duration::from_secs(network.client_timeout_seconds);
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &places) => accepted,
            () = stop.cancelled() => break,
        };
        let (stream, peer, place) = accepted;
        let (tls, router, watcher) = (tls.clone(), router.clone(), drain.watcher());
        tokio::spawn(async move {
            match tls {
                None => connection(stream, peer, router, patience, watcher).await,
                Some(tls) => match tokio::time::timeout(HANDSHAKE, tls.accept(stream)).await {
                    Ok(Ok(stream)) => connection(stream, peer, router, patience, watcher).await,
                    Ok(Err(cause)) => tracing::debug!(%cause, %peer, "no handshake"),
                    Err(_) => tracing::debug!(%peer, "no handshake in time"),
                },
            }
            drop(place);
        });
    }
    drop(listener);
    let limit = Duration::from_secs(network.drain_seconds);
    if tokio::time::timeout(limit, drain.shutdown()).await.is_err() {
        tracing::warn!(
            seconds = limit.as_secs(),
            "requests cut off after the drain limit"
        );
    }
}

/// Serves metrics and health apart from the public port.
pub async fn run_admin(
    listener: TcpListener,
    health: &Health,
    metrics: Metrics,
    network: &Network,
    stop: CancellationToken,
) {
    let router = admin(health, metrics.clone());
    tokio::select! {
        () = run(listener, None, router, network, stop) => (),
        () = sum_up(metrics) => (),
    }
}

async fn sum_up(metrics: Metrics) {
    let mut ticks = tokio::time::interval(SUM_UP);
    loop {
        ticks.tick().await;
        metrics.sum_up();
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "not part of the public API and its description"
)]
fn admin(health: &Health, metrics: Metrics) -> Router {
    let render = async move || metrics.render();
    let (router, _) = health.routes().split_for_parts();
    router.route("/metrics", axum::routing::get(render))
}

/// Resolves when the process is asked to stop: Ctrl-C or SIGTERM.
///
/// # Errors
/// When the signals cannot be listened to.
pub async fn stop_signal() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => (),
        _ = interrupt.recv() => (),
    }
    Ok(())
}

type Place = tokio::sync::OwnedSemaphorePermit;

async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> (TcpStream, SocketAddr, Place) {
    loop {
        let Ok(place) = Arc::clone(places).acquire_owned().await else {
            std::future::pending::<()>().await;
            continue;
        };
        match listener.accept().await {
            Ok((stream, peer)) => {
                let _ = stream.set_nodelay(true);
                return (stream, peer, place);
            }
            Err(cause) => {
                // Most often out of file descriptors: give those under way a moment to end.
                tracing::error!(%cause, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

async fn connection(
    stream: impl AsyncRead + AsyncWrite + Send + 'static,
    peer: SocketAddr,
    router: Router,
    patience: Duration,
    watcher: Watcher,
) {
    let service = hyper::service::service_fn(move |mut request: http::Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        let mut router = router.clone();
        async move {
            router
                .call(request)
                .await
                .map_err(|never: Infallible| never)
        }
    });
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(patience));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(patience)
        // What is written ahead of a slow reader is no more than this.
        .max_buf_size(MAX_BUFFER)
        .serve_connection(TokioIo::new(Box::pin(stream)), service);
    if let Err(cause) = watcher.watch(connection).await {
        tracing::debug!(%cause, %peer, "connection ended early");
    }
}
