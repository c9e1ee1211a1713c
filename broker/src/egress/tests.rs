use std::convert::Infallible;
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use http::header::{AUTHORIZATION, CONTENT_ENCODING, COOKIE, LOCATION, SET_COOKIE};
use http::{HeaderValue, Method, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::resolver::LookingUp;
use super::testing::{Canary, Scripted, loopback};
use super::*;

/// Answers every name with the same addresses and counts how often it was asked.
struct Fixed {
    addresses: Vec<SocketAddr>,
    asked: AtomicUsize,
}

impl Lookup for Fixed {
    fn lookup(&self, _: &str) -> LookingUp {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let addresses = self.addresses.clone();
        Box::pin(async move { Ok(addresses) })
    }
}

fn resolving_to(ips: &[&str]) -> (Egress, Arc<Fixed>) {
    let addresses = ips.iter().map(|ip| SocketAddr::new(ip.parse().unwrap(), 0)).collect();
    let fixed = Arc::new(Fixed { addresses, asked: AtomicUsize::new(0) });
    (Egress::with_lookup(Policy { allow_loopback_http: true }, fixed.clone()).unwrap(), fixed)
}

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

async fn get(egress: &Egress, url: Url) -> Result<Inbound, EgressError> {
    let hosts = AllowedHosts::of([&url]);
    egress.send(Outbound::get(url), &hosts).await
}

async fn get_quickly(url: Url) -> EgressError {
    let hosts = AllowedHosts::of([&url]);
    let outbound = Outbound { timeout: Duration::from_millis(300), ..Outbound::get(url) };
    loopback().send(outbound, &hosts).await.unwrap_err()
}

#[tokio::test]
async fn sends_and_hands_back_what_came() {
    let provider = Scripted::start(|_| (StatusCode::IM_A_TEAPOT, [("x-kind", "odd")], "body")).await;
    let outbound = Outbound {
        method: Method::PUT,
        headers: HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_static("Bearer t"))]),
        body: Bytes::from_static(b"sent"),
        ..Outbound::get(provider.at("/path?q=1"))
    };
    let inbound = loopback().send(outbound, &provider.hosts()).await.unwrap();
    assert_eq!((inbound.status, inbound.body.as_ref()), (StatusCode::IM_A_TEAPOT, b"body".as_ref()));
    assert_eq!(inbound.headers["x-kind"], "odd");
    let seen = provider.seen().remove(0);
    assert_eq!((seen.method.as_str(), seen.path.as_str(), seen.body.as_str()), ("PUT", "/path?q=1", "sent"));
    assert_eq!(seen.header("authorization"), Some("Bearer t"));
    assert!(seen.header("user-agent").unwrap().starts_with("taiku/"));
}

#[tokio::test]
async fn only_declared_origins_are_reached() {
    let canary = Canary::start().await;
    let target = url(&format!("http://127.0.0.1:{}/", canary.port()));
    let declared = ["https://127.0.0.1", "http://127.0.0.1:1", "http://[::1]:1", "https://api.example"];
    let hosts = AllowedHosts::of(&declared.map(url));
    let refused = loopback().send(Outbound::get(target.clone()), &hosts).await.unwrap_err();
    assert_eq!(refused, EgressError::Refused(Refusal::Undeclared));
    let nothing = loopback().send(Outbound::get(target), &AllowedHosts::default()).await.unwrap_err();
    assert_eq!(nothing, EgressError::Refused(Refusal::Undeclared));
    assert_eq!(canary.connects().await, 0);
}

#[test]
fn an_origin_is_scheme_host_and_port() {
    let hosts = AllowedHosts::of([&url("https://api.example/v1"), &url("http://127.0.0.1:8090")]);
    for same in ["https://API.example:443/other?x", "http://127.0.0.1:8090/"] {
        assert!(hosts.contains(&url(same)), "{same}");
    }
    for other in [
        "http://api.example",
        "https://api.example:444",
        "https://api.example.",
        "https://api.example.evil.test",
        "https://evil.test/?https://api.example",
        "https://xapi.example",
        "https://127.0.0.1:8090",
        "data:text/plain,x",
    ] {
        assert!(!hosts.contains(&url(other)), "{other}");
    }
}

#[tokio::test]
async fn plain_http_needs_loopback_and_the_policy() {
    let canary = Canary::start().await;
    let strict = Egress::new(Policy::default()).unwrap();
    let port = canary.port();
    for text in [
        format!("http://127.0.0.1:{port}"),
        format!("http://[::1]:{port}"),
        format!("http://localhost:{port}"),
    ] {
        let refused = get(&strict, url(&text)).await.unwrap_err();
        assert!(matches!(refused, EgressError::Refused(_)), "{text}: {refused}");
    }
    let lenient = loopback();
    for text in [
        format!("http://localhost:{port}"),
        format!("http://127.0.0.2:{port}"),
        format!("http://0.0.0.0:{port}"),
        format!("http://[::ffff:127.0.0.1]:{port}"),
        format!("https://127.0.0.2:{port}"),
        format!("http://user:password@127.0.0.1:{port}"),
        format!("ftp://127.0.0.1:{port}"),
    ] {
        let refused = get(&lenient, url(&text)).await.unwrap_err();
        assert!(matches!(refused, EgressError::Refused(_)), "{text}: {refused}");
    }
    assert_eq!(canary.connects().await, 0);
}

/// Every way of writing an address that is known to have fooled a filter.
fn hostile_hosts() -> Vec<String> {
    let addresses = [
        [127, 0, 0, 1],
        [127, 1, 2, 3],
        [0, 0, 0, 0],
        [10, 0, 0, 1],
        [100, 100, 100, 200],
        [168, 63, 129, 16],
        [169, 254, 169, 254],
        [172, 16, 0, 1],
        [192, 0, 0, 192],
        [192, 168, 1, 1],
        [198, 18, 0, 1],
        [224, 0, 0, 1],
        [240, 0, 0, 1],
        [255, 255, 255, 255],
    ];
    let mut forms: Vec<String> = addresses.iter().flat_map(|address| forms_of(*address)).collect();
    forms.extend(
        [
            "127.1",
            "127.0.1",
            "0",
            "0x7f.1",
            "017700000001",
            "127。0。0。1",
            "１２７.０.０.１",
            "①②⑦.0.0.1",
            "%31%32%37.0.0.1",
            "[::]",
            "[::1]",
            "[0:0:0:0:0:0:0:1]",
            "[fd00:ec2::254]",
            "[fe80::1]",
            "[fec0::1]",
            "[ff02::1]",
            "[2001:db8::1]",
            "[64:ff9b:1::7f00:1]",
            "localhost",
            "localhost.",
            "LOCALHOST",
            "sub.localhost",
            "127.0.0.1.nip.example",
            "metadata.internal.example",
        ]
        .map(str::to_owned),
    );
    forms
}

fn forms_of([a, b, c, d]: [u8; 4]) -> Vec<String> {
    let number = u32::from_be_bytes([a, b, c, d]);
    let (high, low) = (number >> 16, number & 0xffff);
    vec![
        format!("{a}.{b}.{c}.{d}"),
        format!("{a}.{b}.{c}.{d}."),
        format!("{number}"),
        format!("0x{number:x}"),
        format!("0{number:o}"),
        format!("0x{a:x}.0x{b:x}.0x{c:x}.0x{d:x}"),
        format!("0{a:o}.0{b:o}.0{c:o}.0{d:o}"),
        format!("[::ffff:{a}.{b}.{c}.{d}]"),
        format!("[::{a}.{b}.{c}.{d}]"),
        format!("[64:ff9b::{high:x}:{low:x}]"),
        format!("[2002:{high:x}:{low:x}::1]"),
        format!("[2001:0:{high:x}:{low:x}::1]"),
    ]
}

#[tokio::test]
async fn no_hostile_form_of_a_host_is_reached() {
    let canary = Canary::start().await;
    let port = canary.port();
    let lookup = Arc::new(Fixed {
        addresses: vec![SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 0)],
        asked: AtomicUsize::new(0),
    });
    let egress = Egress::with_lookup(Policy::default(), lookup).unwrap();
    let forms = hostile_hosts();
    assert!(forms.len() >= 180, "{}", forms.len());
    for form in forms {
        // What the URL parser refuses cannot be sent either.
        let Ok(target) = Url::parse(&format!("https://{form}:{port}/")) else { continue };
        let refused = get(&egress, target).await.unwrap_err();
        assert!(matches!(refused, EgressError::Refused(Refusal::Address { .. })), "{form}: {refused}");
    }
    assert_eq!(canary.connects().await, 0);
}

#[tokio::test]
async fn a_name_is_refused_for_any_address_that_is_not_public() {
    let canary = Canary::start().await;
    let target = url(&format!("https://rebind.example:{}/", canary.port()));
    for ips in [&["127.0.0.1"][..], &["8.8.8.8", "127.0.0.1"], &["::1"], &["::ffff:127.0.0.1"], &["10.0.0.1"]]
    {
        let (egress, lookup) = resolving_to(ips);
        let refused = get(&egress, target.clone()).await.unwrap_err();
        assert!(matches!(refused, EgressError::Refused(Refusal::Address { .. })), "{ips:?}: {refused}");
        assert_eq!(lookup.asked.load(Ordering::SeqCst), 1, "{ips:?}");
    }
    assert_eq!(canary.connects().await, 0);
}

#[test]
fn the_connection_gets_exactly_the_vetted_addresses() {
    let public: Vec<SocketAddr> = vec!["8.8.8.8:0".parse().unwrap(), "[2606:4700::1111]:0".parse().unwrap()];
    assert_eq!(resolver::vetted(public.clone()), Ok(public));
}

#[tokio::test]
async fn a_name_without_address_was_not_sent() {
    let (egress, _) = resolving_to(&[]);
    assert_eq!(
        get(&egress, url("https://gone.example")).await.unwrap_err(),
        EgressError::NotSent(NotSent::Dns)
    );
}

#[tokio::test]
async fn redirects_and_cookies_go_nowhere() {
    let canary = Canary::start().await;
    let evil = format!("http://127.0.0.1:{}/", canary.port());
    let provider = Scripted::start(move |_| {
        (StatusCode::FOUND, [(LOCATION, evil.clone()), (SET_COOKIE, "session=1".to_owned())])
    })
    .await;
    let egress = loopback();
    for _ in 0..2 {
        let mut hosts = provider.hosts();
        hosts.allow(&url(&format!("http://127.0.0.1:{}/", canary.port())));
        let inbound = egress.send(Outbound::get(provider.at("/")), &hosts).await.unwrap();
        assert_eq!(inbound.status, StatusCode::FOUND);
    }
    assert_eq!(canary.connects().await, 0);
    assert!(provider.seen().iter().all(|seen| !seen.headers.contains_key(COOKIE)));
    assert_eq!(provider.seen().len(), 2);
}

#[tokio::test]
async fn headers_of_the_connection_cannot_be_set() {
    let provider = Scripted::start(|_| "").await;
    for name in ["host", "transfer-encoding", "content-length", "connection", "proxy-authorization"] {
        let mut outbound = Outbound::get(provider.at("/"));
        outbound.headers.insert(name, HeaderValue::from_static("evil.example"));
        let refused = loopback().send(outbound, &provider.hosts()).await.unwrap_err();
        assert_eq!(refused, EgressError::Refused(Refusal::Header { name }));
    }
    assert!(provider.seen().is_empty());
}

#[tokio::test]
async fn a_refused_connection_and_a_failed_handshake_were_not_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let refused = get(&loopback(), url(&format!("http://127.0.0.1:{port}/"))).await.unwrap_err();
    assert_eq!(refused, EgressError::NotSent(NotSent::Connect));

    let not_tls = raw(|_| b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()).await;
    let failed = get(&loopback(), url(&format!("https://{not_tls}/"))).await.unwrap_err();
    assert_eq!(failed, EgressError::NotSent(NotSent::Tls));
}

/// A listener that answers each connection's first bytes with `answer` again and again, `None` ends it.
async fn raw(answer: impl Fn(usize) -> Vec<u8> + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 4096]).await;
            for turn in 0.. {
                let bytes = answer(turn);
                if bytes.is_empty() || stream.write_all(&bytes).await.is_err() {
                    break;
                }
            }
        }
    });
    address
}

#[tokio::test]
async fn a_broken_connection_leaves_it_unknown() {
    let silent = raw(|_| Vec::new()).await;
    let cut = raw(|turn| {
        if turn == 0 { b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf".to_vec() } else { Vec::new() }
    })
    .await;
    let nonsense = raw(|turn| if turn == 0 { b"what?\r\n\r\n".to_vec() } else { Vec::new() }).await;
    for address in [silent, cut, nonsense] {
        let error = get(&loopback(), url(&format!("http://{address}/"))).await.unwrap_err();
        assert_eq!(error, EgressError::Unknown(Unknown::Broken));
    }
}

#[tokio::test]
async fn an_answer_that_never_ends_in_time_leaves_it_unknown() {
    let silent =
        Scripted::start(|_| Response::new(Body::from_stream(stream::pending::<Result<Bytes, Infallible>>())))
            .await;
    assert_eq!(get_quickly(silent.at("/")).await, EgressError::Unknown(Unknown::Slow));
    let informational = raw(|_| b"HTTP/1.1 103 Early Hints\r\n\r\n".to_vec()).await;
    let error = get_quickly(url(&format!("http://{informational}/"))).await;
    assert_eq!(error, EgressError::Unknown(Unknown::Slow));
}

#[tokio::test]
async fn bodies_and_headers_beyond_the_caps_are_dropped() {
    let chunk = || Ok::<_, Infallible>(Bytes::from(vec![b'x'; 64 * 1024]));
    let endless =
        Scripted::start(move |_| Body::from_stream(stream::repeat_with(chunk)).into_response()).await;
    let error = get(&loopback(), endless.at("/")).await.unwrap_err();
    assert_eq!(error, EgressError::TooLarge(Oversize::Body));

    let heavy = Scripted::start(|_| [("x-heavy", "h".repeat(MAX_HEADERS))]).await;
    let error = get(&loopback(), heavy.at("/")).await.unwrap_err();
    assert_eq!(error, EgressError::TooLarge(Oversize::Headers));

    let endless_headers =
        raw(|turn| if turn == 0 { b"HTTP/1.1 200 OK\r\n".to_vec() } else { b"x: y\r\n".repeat(100) });
    let error = get(&loopback(), url(&format!("http://{}/", endless_headers.await))).await.unwrap_err();
    assert!(matches!(error, EgressError::Unknown(_) | EgressError::TooLarge(_)), "{error}");
}

#[tokio::test]
async fn the_cap_itself_fits() {
    let full = Scripted::start(|_| vec![b'x'; MAX_BODY]).await;
    assert_eq!(get(&loopback(), full.at("/")).await.unwrap().body.len(), MAX_BODY);
    let over = Scripted::start(|_| vec![b'x'; MAX_BODY + 1]).await;
    assert_eq!(get(&loopback(), over.at("/")).await.unwrap_err(), EgressError::TooLarge(Oversize::Body));
}

fn gzip(size: usize) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    let zeros = vec![0; 1024 * 1024];
    for _ in 0..size / zeros.len() {
        encoder.write_all(&zeros).unwrap();
    }
    encoder.finish().unwrap()
}

#[tokio::test]
async fn compressed_bodies_are_unpacked_up_to_the_cap() {
    let honest = gzip(1024 * 1024);
    let provider = Scripted::start(move |_| ([(CONTENT_ENCODING, "gzip")], honest.clone())).await;
    assert_eq!(get(&loopback(), provider.at("/")).await.unwrap().body.len(), 1024 * 1024);

    let bomb = gzip(64 * 1024 * 1024);
    assert!(bomb.len() < 128 * 1024, "{}", bomb.len());
    let provider = Scripted::start(move |_| ([(CONTENT_ENCODING, "gzip")], bomb.clone())).await;
    let error = get(&loopback(), provider.at("/")).await.unwrap_err();
    assert_eq!(error, EgressError::TooLarge(Oversize::Body));
}

#[tokio::test]
async fn codings_that_were_not_asked_for_are_not_read() {
    for coding in ["br", "zstd", "deflate", "gzip, gzip", "x"] {
        let provider = Scripted::start(move |_| ([(CONTENT_ENCODING, coding)], "packed")).await;
        let error = get(&loopback(), provider.at("/")).await.unwrap_err();
        assert_eq!(error, EgressError::Unknown(Unknown::Broken), "{coding}");
        assert_eq!(provider.seen()[0].header("accept-encoding"), Some("gzip"));
    }
    let plain = Scripted::start(|_| ([(CONTENT_ENCODING, "identity")], "plain")).await;
    assert_eq!(get(&loopback(), plain.at("/")).await.unwrap().body.as_ref(), b"plain");
}

#[test]
fn nothing_that_is_printed_holds_a_credential() {
    let mut outbound = Outbound::get(url("https://api.example/token-in-path?token=token-in-query"));
    outbound.headers.insert(AUTHORIZATION, HeaderValue::from_static("Bearer token-in-header"));
    outbound.body = Bytes::from_static(b"token-in-body");
    let headers = HeaderMap::from_iter([(SET_COOKIE, HeaderValue::from_static("token-in-cookie"))]);
    let inbound = Inbound { status: StatusCode::OK, headers, body: Bytes::from_static(b"token-in-answer") };
    let printed = format!("{outbound:?} {inbound:?}");
    assert!(!printed.contains("token-in"), "{printed}");
    assert!(printed.contains("https://api.example"), "{printed}");

    let request = loopback().request(outbound).build().unwrap();
    assert!(request.headers()[AUTHORIZATION].is_sensitive());
}
