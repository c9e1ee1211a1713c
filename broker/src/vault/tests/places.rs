//! A record opens at the place it was sealed for and nowhere else.

use proptest::prelude::*;

use super::*;

/// Places that differ from [`place`] in one field each, named.
fn moved() -> [(&'static str, Place<'static>); 9] {
    let here = place();
    [
        ("another table", Place { table: "toolkits", ..here }),
        ("another column", Place { column: "refresh_token", ..here }),
        ("another user", Place { user: "usr_b", ..here }),
        ("another connection", Place { row: "con_2", ..here }),
        ("no provider", Place { context: ContextHash::NONE, ..here }),
        (
            "another token endpoint",
            Place { context: ContextHash::of("github", "", "https://evil.example/token", "id"), ..here },
        ),
        ("a newer generation", Place { generation: 4, ..here }),
        ("an older generation", Place { generation: 2, ..here }),
        ("a field that flowed into the next", Place { table: "connectionsaccess_token", column: "", ..here }),
    ]
}

#[test]
fn a_moved_record_does_not_open() {
    let vault = vault();
    let record = vault.seal(Ring::AccessTokens, &place(), b"token");
    for (what, elsewhere) in moved() {
        assert_eq!(
            open(&vault, Ring::AccessTokens, &elsewhere, &record),
            Err(VaultError::Integrity),
            "{what}"
        );
    }
    assert_eq!(open(&vault, Ring::AccessTokens, &place(), &record), Ok(b"token".to_vec()));
}

#[test]
fn swapped_records_of_two_users_open_for_neither() {
    let vault = vault();
    let (a, b) = (place(), Place { user: "usr_b", row: "con_2", ..place() });
    let record_a = vault.seal(Ring::AccessTokens, &a, b"token of a");
    let record_b = vault.seal(Ring::AccessTokens, &b, b"token of b");
    assert_eq!(open(&vault, Ring::AccessTokens, &a, &record_b), Err(VaultError::Integrity));
    assert_eq!(open(&vault, Ring::AccessTokens, &b, &record_a), Err(VaultError::Integrity));
}

#[test]
fn a_record_of_another_ring_does_not_open_even_at_the_same_place() {
    let vault = vault();
    for sealed in Ring::ALL {
        let record = vault.seal(sealed, &place(), b"secret");
        for asked in Ring::ALL.into_iter().filter(|ring| *ring != sealed) {
            assert_eq!(
                open(&vault, asked, &place(), &record),
                Err(VaultError::Integrity),
                "{sealed} as {asked}"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_secret_opens_at_every_place_it_was_sealed_for(
        secret in proptest::collection::vec(any::<u8>(), 0..1100),
        names in proptest::array::uniform4(".{0,20}"),
        context: [u8; 32],
        generation: i64,
        ring in proptest::sample::select(Ring::ALL.to_vec()),
    ) {
        let vault = shared();
        let [table, column, user, row] = &names;
        let place = Place { table, column, user, row, context: context.into(), generation };
        let record = vault.seal(ring, &place, &secret);
        prop_assert_eq!(open(vault, ring, &place, &record), Ok(secret));
        let elsewhere = Place { generation: generation.wrapping_add(1), ..place };
        prop_assert_eq!(open(vault, ring, &elsewhere, &record), Err(VaultError::Integrity));
    }

    #[test]
    fn bytes_of_strangers_never_open(record in proptest::collection::vec(any::<u8>(), 0..800), head in 0_usize..80) {
        let vault = shared();
        // Half way a record: the first bytes are real ones, so that the later checks are reached.
        let real = vault.seal(Ring::AccessTokens, &place(), b"token");
        let mixed = [&real[..head], &record[..]].concat();
        prop_assert!(open(vault, Ring::AccessTokens, &place(), &record).is_err());
        prop_assert!(open(vault, Ring::AccessTokens, &place(), &mixed).is_err());
    }
}

fn shared() -> &'static Vault {
    static VAULT: std::sync::OnceLock<Vault> = std::sync::OnceLock::new();
    VAULT.get_or_init(vault)
}
