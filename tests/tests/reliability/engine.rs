//! The database that a figure is measured over.

use std::env;
use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::postgres::PgPoolOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{PgPool, SqlitePool};
use taiku_tests::{Launch, TestApp};

/// The address of a server on which a test may make schemas; `cargo xtask test` starts one.
const SERVER: &str = "TAIKU_TEST_POSTGRES_URL";

/// What a broker stores in.
pub(crate) enum Engine {
    /// A file in its data folder.
    Sqlite,
    /// A schema of its own on the server of the tests.
    Postgres {
        /// The address with that schema.
        url: String,
    },
}

impl Engine {
    /// Postgres, where there is a server.
    pub(crate) async fn postgres() -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let Ok(server) = env::var(SERVER) else {
            assert!(env::var_os("CI").is_none(), "{SERVER} is not set: `cargo xtask test` sets it");
            eprintln!("skipped: {SERVER} is not set");
            return None;
        };
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let schema = format!("figure_{}_{number}", std::process::id());
        let pool = PgPoolOptions::new().connect(&server).await.expect("the server of the tests is there");
        let make = sqlx::AssertSqlSafe(format!("create schema {schema}"));
        sqlx::query(make).execute(&pool).await.expect("a schema can be made");
        pool.close().await;
        let mut url = url::Url::parse(&server).expect("its address is one");
        url.query_pairs_mut().append_pair("options", &format!("-c search_path={schema}"));
        Some(Self::Postgres { url: url.into() })
    }

    /// Its name in a figure.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres { .. } => "postgres",
        }
    }

    /// A broker over it.
    pub(crate) fn launch(&self) -> Launch {
        match self {
            Self::Sqlite => TestApp::launch(),
            Self::Postgres { url } => TestApp::launch().env("TAIKU_DATABASE_URL", url),
        }
    }

    /// Opens it beside the broker.
    pub(crate) async fn open(&self, app: &TestApp) -> Database {
        match self {
            Self::Sqlite => {
                let file = SqliteConnectOptions::new().filename(app.data().join("taiku.db"));
                let pool = SqlitePoolOptions::new().max_connections(1).connect_with(file).await;
                Database::Sqlite(pool.expect("the database can be opened"))
            }
            Self::Postgres { url } => {
                let pool = PgPoolOptions::new().max_connections(1).connect(url).await;
                Database::Postgres(pool.expect("the database can be opened"))
            }
        }
    }
}

/// What somebody sees and changes who has the database.
pub(crate) enum Database {
    /// The file.
    Sqlite(SqlitePool),
    /// The schema.
    Postgres(PgPool),
}

impl Database {
    /// Runs a statement and tells how many rows it touched.
    pub(crate) async fn run(&self, statement: &'static str) -> u64 {
        let rows = match self {
            Self::Sqlite(pool) => sqlx::query(statement).execute(pool).await.map(|done| done.rows_affected()),
            Self::Postgres(pool) => {
                sqlx::query(statement).execute(pool).await.map(|done| done.rows_affected())
            }
        };
        rows.unwrap_or_else(|error| panic!("{statement}: {error}"))
    }
}
