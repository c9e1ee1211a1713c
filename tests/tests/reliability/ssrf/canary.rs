//! What listens: on every address, and in the place of a provider.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// The port of https, on which every form of a host without a port is dialled.
const HTTPS: u16 = 443;
/// Dialled by the canary itself, to know that nobody who came before was missed.
const MARK: &str = "192.0.2.254:443";

/// Hears every connection to port 443 of any address.
pub struct Canary {
    dialled: tokio::sync::Mutex<UnboundedReceiver<IpAddr>>,
}

impl Canary {
    /// Begins to listen.
    pub async fn start() -> Self {
        let any = SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), HTTPS);
        let listener = TcpListener::bind(any).await.expect("the namespace is ours");
        let (sender, dialled) = unbounded_channel();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                if let Ok(own) = stream.local_addr() {
                    let _ = sender.send(own.ip().to_canonical());
                }
            }
        });
        Self { dialled: tokio::sync::Mutex::new(dialled) }
    }

    /// The addresses that were dialled since the last time.
    pub async fn heard(&self) -> BTreeSet<IpAddr> {
        let mark: SocketAddr = MARK.parse().expect("an address");
        let _mine = TcpStream::connect(mark).await.expect("the canary listens");
        let mut heard = BTreeSet::new();
        let mut dialled = self.dialled.lock().await;
        while let Some(ip) = dialled.recv().await {
            if ip == mark.ip() {
                return heard;
            }
            heard.insert(ip);
        }
        heard
    }
}

/// A provider on loopback that sends everybody elsewhere.
#[derive(Clone)]
pub struct Redirector {
    address: SocketAddr,
    to: Arc<Mutex<String>>,
    asked: Arc<AtomicUsize>,
}

impl Redirector {
    /// Begins to listen.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let provider = Self { address, to: Arc::default(), asked: Arc::default() };
        let answering = provider.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let _ = stream.read(&mut [0; 8192]).await;
                answering.asked.fetch_add(1, Ordering::SeqCst);
                let to = answering.to.lock().expect("nobody panics with it").clone();
                let answer = format!(
                    "HTTP/1.1 302 Found\r\nlocation: {to}/\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
                );
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        provider
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Sets where it sends the next.
    pub fn redirects_to(&self, url: &str) {
        url.clone_into(&mut self.to.lock().expect("nobody panics with it"));
    }

    /// How many it has sent away.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}
