use std::sync::{Arc, OnceLock};

use axum::Json;
use axum::response::IntoResponse;
use serde_json::{Value, json};

use super::*;
use crate::egress::testing::{Scripted, loopback};

/// Serves one document at one path and 404 elsewhere; the document is made for the server's own root.
async fn serving(
    path: &'static str,
    document: impl Fn(&str) -> Value + Send + Sync + 'static,
) -> (Scripted, String) {
    let root = Arc::new(OnceLock::<String>::new());
    let own = root.clone();
    let server = Scripted::start(move |seen| {
        if seen.path == path {
            Json(document(own.get().unwrap())).into_response()
        } else {
            StatusCode::NOT_FOUND.into_response()
        }
    })
    .await;
    let at = server.at("/").to_string().trim_end_matches('/').to_owned();
    root.set(at.clone()).unwrap();
    (server, at)
}

fn document(issuer: &str) -> Value {
    json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "revocation_endpoint": format!("{issuer}/revoke"),
        "authorization_response_iss_parameter_supported": true,
        "code_challenge_methods_supported": ["plain", "S256"],
    })
}

#[tokio::test]
async fn reads_both_places() {
    for path in ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"] {
        let (server, issuer) = serving(path, document).await;
        let metadata = discover(&loopback(), &issuer, &server.hosts()).await.unwrap();
        let expected = Metadata {
            authorization_endpoint: server.at("/authorize"),
            token_endpoint: server.at("/token"),
            revocation_endpoint: Some(server.at("/revoke")),
            iss_supported: true,
            code_challenge_methods: vec!["plain".into(), "S256".into()],
        };
        assert_eq!(metadata, expected, "{path}");
    }
}

#[test]
fn an_issuers_path_goes_where_each_standard_wants_it() {
    let places = places("https://id.example/tenant/1").unwrap();
    let expected = [
        "https://id.example/.well-known/oauth-authorization-server/tenant/1",
        "https://id.example/tenant/1/.well-known/openid-configuration",
    ];
    assert_eq!(places.map(String::from), expected);
    for bad in ["", "id.example", "https://id.example?x", "https://id.example#x", "mailto:a@id.example"] {
        assert_eq!(super::places(bad), Err(MetadataError::Issuer), "{bad}");
    }
}

#[tokio::test]
async fn the_issuer_is_compared_to_the_character() {
    const PATH: &str = "/.well-known/oauth-authorization-server";
    for suffix in ["/", "x", " "] {
        let (server, issuer) = serving(PATH, move |issuer| document(&format!("{issuer}{suffix}"))).await;
        let error = discover(&loopback(), &issuer, &server.hosts()).await.unwrap_err();
        assert_eq!(error, MetadataError::OtherIssuer, "{suffix:?}");
    }
}

#[tokio::test]
async fn what_is_missing_is_off() {
    let (server, issuer) = serving("/.well-known/openid-configuration", |issuer| {
        json!({"issuer": issuer, "authorization_endpoint": format!("{issuer}/a"), "token_endpoint": format!("{issuer}/t")})
    })
    .await;
    let metadata = discover(&loopback(), &issuer, &server.hosts()).await.unwrap();
    assert!(!metadata.iss_supported && metadata.revocation_endpoint.is_none());
    assert!(metadata.code_challenge_methods.is_empty());
}

#[tokio::test]
async fn bad_documents_are_refused() {
    const PATH: &str = "/.well-known/openid-configuration";
    for (field, value) in [
        ("token_endpoint", json!("javascript:alert(1)")),
        ("token_endpoint", json!("https://169.254.169.254/token")),
        ("authorization_endpoint", json!("http://id.example/authorize")),
        ("authorization_endpoint", json!("/authorize")),
        ("revocation_endpoint", json!("http://10.0.0.1/")),
    ] {
        let changed = value.clone();
        let (server, issuer) = serving(PATH, move |issuer| {
            let mut document = document(issuer);
            document[field] = changed.clone();
            document
        })
        .await;
        let error = discover(&loopback(), &issuer, &server.hosts()).await.unwrap_err();
        assert_eq!(error, MetadataError::Endpoint { field }, "{value}");
    }
    let (server, issuer) = serving(PATH, |_| json!([])).await;
    assert_eq!(discover(&loopback(), &issuer, &server.hosts()).await.unwrap_err(), MetadataError::Malformed);
    let (server, issuer) = serving("/elsewhere", document).await;
    let missing = MetadataError::Missing { status: 404 };
    assert_eq!(discover(&loopback(), &issuer, &server.hosts()).await.unwrap_err(), missing);
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn metadata_is_fetched_from_declared_hosts_only() {
    let (server, issuer) = serving("/.well-known/openid-configuration", document).await;
    let error = discover(&loopback(), &issuer, &AllowedHosts::default()).await.unwrap_err();
    assert!(matches!(error, MetadataError::Fetch(_)), "{error}");
    assert!(server.seen().is_empty());
}
