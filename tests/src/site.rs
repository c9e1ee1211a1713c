//! A site that is not taiku's: another page of the web, or a panel's files without its headers.

use std::net::Ipv4Addr;
use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

/// A file: its path without the query, and what it holds.
pub type Page = (&'static str, String);

/// Serves the pages until the test ends, and gives the site's address.
///
/// # Panics
/// When there is no free port.
pub async fn site(pages: impl Into<Vec<Page>>) -> Url {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
    let address = listener.local_addr().expect("it has an address");
    let pages = Arc::new(pages.into());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream, Arc::clone(&pages)));
        }
    });
    Url::parse(&format!("http://{address}/")).expect("an address is one")
}

/// A browser that hangs up is not waited for.
async fn answer(mut stream: TcpStream, pages: Arc<Vec<Page>>) {
    let mut head = vec![0; 8192];
    let read = stream.read(&mut head).await.unwrap_or(0);
    let head = String::from_utf8_lossy(&head[..read]).into_owned();
    let target = head.split(' ').nth(1).unwrap_or_default();
    let path = target.split('?').next().unwrap_or_default();
    let page = pages.iter().find(|(name, _)| path.strip_prefix('/') == Some(name));
    let (status, kind, body) = match page {
        Some((name, body)) if name.ends_with(".js") => ("200 OK", "text/javascript", body.as_str()),
        Some((_, body)) => ("200 OK", "text/html; charset=utf-8", body.as_str()),
        None => ("404 Not Found", "text/plain", ""),
    };
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
    );
    let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
}
