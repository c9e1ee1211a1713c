//! Somebody to whom a panel would like to talk.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UdpSocket};

/// It keeps a page that navigates here where it is, and lets any script read the answer.
const ANSWER: &[u8] =
    b"HTTP/1.1 204 No Content\r\naccess-control-allow-origin: *\r\nconnection: close\r\n\r\n";

/// A port that counts who comes, by TCP and by UDP, from a single byte on; a bare connection counts as well.
#[derive(Debug)]
pub struct Collector {
    port: u16,
    arrived: Arc<AtomicUsize>,
}

impl Collector {
    /// Listens on a free port until the test ends.
    ///
    /// # Panics
    /// When there is no free port.
    pub async fn start() -> Self {
        let (tcp, udp, port) = free_port().await;
        let arrived = Arc::new(AtomicUsize::new(0));
        let (connections, packets) = (Arc::clone(&arrived), Arc::clone(&arrived));
        tokio::spawn(async move {
            while let Ok((stream, _)) = tcp.accept().await {
                connections.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(answer(stream));
            }
        });
        tokio::spawn(async move {
            while udp.recv_from(&mut [0; 2048]).await.is_ok() {
                packets.fetch_add(1, Ordering::Relaxed);
            }
        });
        Self { port, arrived }
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    /// How many connections and packets have arrived until now.
    #[must_use]
    pub fn arrived(&self) -> usize {
        self.arrived.load(Ordering::Relaxed)
    }
}

/// One port for both protocols.
async fn free_port() -> (TcpListener, UdpSocket, u16) {
    for _ in 0..100 {
        let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let port = tcp.local_addr().expect("it has an address").port();
        if let Ok(udp) = UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).await {
            return (tcp, udp, port);
        }
    }
    panic!("no port is free for TCP and UDP");
}

/// Whether the other side hears it does not matter: it has arrived.
async fn answer(mut stream: TcpStream) {
    let _ = stream.read(&mut [0; 4096]).await;
    let _ = stream.write_all(ANSWER).await;
}
