//! The two demo accounts and their pictures.

use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};

/// The number of an account.
pub(crate) type AccountId = u32;

/// Somebody who can allow something.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) id: AccountId,
    pub(crate) login: &'static str,
    pub(crate) name: &'static str,
    colours: [&'static str; 2],
}

/// All accounts; the consent page selects the first.
pub(crate) const ACCOUNTS: [Account; 2] = [
    Account { id: 1001, login: "robin", name: "Robin Rivers", colours: ["#1d6b5f", "#8ff0cf"] },
    Account { id: 1002, login: "sasha", name: "Sasha Stone", colours: ["#6a3d8f", "#e9c8ff"] },
];

impl Account {
    /// The account with this number; numbers come from our own state only.
    pub(crate) fn of(id: AccountId) -> Option<&'static Self> {
        ACCOUNTS.iter().find(|account| account.id == id)
    }

    fn picture(&self) -> String {
        let [dark, light] = self.colours;
        let initial = self.name.chars().next().unwrap_or('?');
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 64 64\">\
             <rect width=\"64\" height=\"64\" fill=\"{dark}\"/>\
             <text x=\"32\" y=\"43\" text-anchor=\"middle\" font-family=\"system-ui,sans-serif\" \
             font-size=\"32\" font-weight=\"600\" fill=\"{light}\">{initial}</text></svg>"
        )
    }
}

/// `GET /avatars/{login}.svg`
pub(crate) async fn avatar(Path(file): Path<String>) -> Response {
    let account = file.strip_suffix(".svg").and_then(|login| ACCOUNTS.iter().find(|it| it.login == login));
    match account {
        Some(account) => svg(account.picture()),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// `GET /logo.svg`
pub(crate) async fn logo() -> Response {
    svg(include_str!("../logo.svg").to_owned())
}

fn svg(picture: String) -> Response {
    const HEADERS: [(HeaderName, &str); 4] = [
        (CONTENT_TYPE, "image/svg+xml"),
        (CONTENT_SECURITY_POLICY, "default-src 'none'"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (CACHE_CONTROL, "public, max-age=3600"),
    ];
    (HEADERS, picture).into_response()
}
