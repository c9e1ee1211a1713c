//! The secrets of our OAuth clients. An admin types one once; from then on only this role can open it.

use serde::{Deserialize, Serialize};
use taiku_bridge::Slug;

use super::{Custody, Operation, exposed};
use crate::failure::Failure;
use crate::integration::installation_place;
use crate::vault::{Place, Ring, SecretString, VaultError};

fn place(slug: &Slug) -> Place<'_> {
    installation_place("integrations", "client_secret", slug.as_str())
}

/// Opens the secret of a toolkit's client.
///
/// # Errors
/// When the record is not the one that was sealed for this toolkit.
pub(super) fn open(custody: &Custody, slug: &Slug, record: &[u8]) -> Result<SecretString, VaultError> {
    custody.vault.open(Ring::RefreshTokens, &place(slug), record)?.into_text()
}

/// Seals what an admin has typed. The answer is the record.
#[derive(Serialize, Deserialize)]
pub struct Seal {
    /// The toolkit.
    pub toolkit: Slug,
    /// The client's secret.
    #[serde(with = "exposed")]
    pub secret: SecretString,
}

impl Operation for Seal {
    type Answer = Vec<u8>;
    const NAME: &'static str = "client_secret.seal";
    const REPEATABLE: bool = true;

    async fn run(self, custody: &Custody) -> Result<Vec<u8>, Failure> {
        let secret = self.secret.expose().as_bytes();
        Ok(custody.vault.seal(Ring::RefreshTokens, &place(&self.toolkit), secret))
    }
}

/// Asks for the eight hexadecimal digits that let an admin see which secret is set.
#[derive(Serialize, Deserialize)]
pub struct Fingerprint {
    /// The toolkit.
    pub toolkit: Slug,
    /// The sealed secret.
    pub record: Vec<u8>,
}

impl Operation for Fingerprint {
    type Answer = String;
    const NAME: &'static str = "client_secret.fingerprint";
    const REPEATABLE: bool = true;

    async fn run(self, custody: &Custody) -> Result<String, Failure> {
        let secret = open(custody, &self.toolkit, &self.record)?;
        Ok(custody.vault.fingerprint(secret.expose()))
    }
}
