use super::*;
use crate::random::Random;

fn keys(random: &Random) -> Keys {
    let folder = tempfile::tempdir().unwrap();
    let root = RootKeySource::File(folder.path().join("root.key"));
    Keys::create(&root, &folder.path().join("keyring.json"), random, 1_700_000_000).unwrap()
}

fn vault() -> Vault {
    Vault::new(keys(&Random::system()), Random::system())
}

fn place() -> Place<'static> {
    Place {
        table: "connections",
        column: "access_token",
        user: "usr_a",
        row: "con_1",
        context: ContextHash::of("github", "", "https://github.com/login/oauth/access_token", "id"),
        generation: 3,
    }
}

#[test]
fn what_is_sealed_opens_at_its_place() {
    let vault = vault();
    for ring in Ring::ALL {
        let record = vault.seal(ring, &place(), b"gho_token");
        let opened = vault.open(ring, &place(), &record).map(|secret| secret.expose().to_vec());
        assert_eq!(opened, Ok(b"gho_token".to_vec()));
    }
}
