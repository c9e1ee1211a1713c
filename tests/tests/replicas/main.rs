//! Several brokers over one database, the real binary on both engines. Cases B10, H8, I2; principle P13.

mod events;
mod flows;
mod rights;

/// Makes a test on each engine of an async function over it.
macro_rules! on_both_engines {
    ($($name:ident)+) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")] async fn $name() { super::$name(taiku_tests::Engine::Sqlite).await; })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")] async fn $name() { super::$name(taiku_tests::Engine::Postgres).await; })+
        }
    };
}
pub(crate) use on_both_engines;
