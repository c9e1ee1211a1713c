//! Secrets in memory: they cannot be copied, printed or serialised, and are wiped when they are dropped.

use serde::{Deserialize, Deserializer};
use zeroize::ZeroizeOnDrop;

use super::VaultError;

/// Secret bytes out of the vault. The one way to read them is [`Secret::expose`].
///
/// ```
/// let secret = taiku_broker::vault::Secret::new(b"token".to_vec());
/// // What is refused below works on the exposed bytes: it is the secret that refuses.
/// let exposed = secret.expose();
/// assert!(exposed == exposed.to_owned().clone());
/// format!("{:?}", exposed);
/// serde_json::to_string(&exposed);
/// ```
/// It cannot be cloned:
/// ```compile_fail,E0599
/// let secret = taiku_broker::vault::Secret::new(b"token".to_vec());
/// let copy = secret.clone();
/// ```
/// It cannot be printed for debugging:
/// ```compile_fail,E0277
/// let secret = taiku_broker::vault::Secret::new(b"token".to_vec());
/// format!("{:?}", secret);
/// ```
/// It cannot be displayed:
/// ```compile_fail,E0277
/// let secret = taiku_broker::vault::Secret::new(b"token".to_vec());
/// format!("{}", secret);
/// ```
/// It cannot be serialised:
/// ```compile_fail,E0277
/// let secret = taiku_broker::vault::Secret::new(b"token".to_vec());
/// serde_json::to_string(&secret);
/// ```
/// It cannot be compared with `==`, which would take a time that depends on the secret; see [`super::hash::eq`]:
/// ```compile_fail,E0369
/// let secret = taiku_broker::vault::Secret::new(b"token".to_vec());
/// secret == taiku_broker::vault::Secret::new(b"token".to_vec());
/// ```
#[derive(ZeroizeOnDrop)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// Takes the bytes over; they are wiped when the secret is dropped.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes themselves. Whoever calls this sends them or seals them, and nothing else.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The same secret as text.
    ///
    /// # Errors
    /// [`VaultError::Integrity`] for bytes that are not UTF-8: what was sealed as text opens as text.
    pub fn into_text(mut self) -> Result<SecretString, VaultError> {
        let text = String::from_utf8(std::mem::take(&mut self.0));
        text.map(SecretString).map_err(|error| {
            drop(Self(error.into_bytes()));
            VaultError::Integrity
        })
    }
}

/// Secret text: a token, a client secret, a verifier. The one way to read it is [`SecretString::expose`].
///
/// ```
/// let secret = taiku_broker::vault::SecretString::new("token".to_owned());
/// // What is refused below works on the exposed text: it is the secret that refuses.
/// let exposed = secret.expose();
/// assert!(exposed == exposed.to_owned().clone());
/// format!("{:?}", exposed);
/// format!("{}", exposed);
/// serde_json::to_string(&exposed);
/// ```
/// It cannot be cloned, printed, displayed, serialised or compared with `==`:
/// ```compile_fail,E0599
/// let secret = taiku_broker::vault::SecretString::new("token".to_owned());
/// let copy = secret.clone();
/// ```
/// ```compile_fail,E0277
/// let secret = taiku_broker::vault::SecretString::new("token".to_owned());
/// format!("{:?}", secret);
/// ```
/// ```compile_fail,E0277
/// let secret = taiku_broker::vault::SecretString::new("token".to_owned());
/// format!("{}", secret);
/// ```
/// ```compile_fail,E0277
/// let secret = taiku_broker::vault::SecretString::new("token".to_owned());
/// serde_json::to_string(&secret);
/// ```
/// ```compile_fail,E0369
/// let secret = taiku_broker::vault::SecretString::new("token".to_owned());
/// secret == taiku_broker::vault::SecretString::new("token".to_owned());
/// ```
#[derive(ZeroizeOnDrop)]
pub struct SecretString(String);

impl SecretString {
    /// Takes the text over; it is wiped when the secret is dropped.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The text itself. Whoever calls this sends it or seals it, and nothing else.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// A secret may come in as JSON; it never goes out as JSON.
impl<'de> Deserialize<'de> for SecretString {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_wiped_on_drop() {
        fn wiped<T: ZeroizeOnDrop>() {}
        wiped::<Secret>();
        wiped::<SecretString>();
    }

    #[test]
    fn text_comes_out_as_text_and_other_bytes_do_not() {
        let text = Secret::new("tök".into()).into_text().map(|text| text.expose().to_owned());
        assert_eq!(text, Ok("tök".to_owned()));
        assert_eq!(Secret::new(vec![0xff]).into_text().err(), Some(VaultError::Integrity));
    }

    #[test]
    fn a_secret_may_come_in_as_json() {
        let secret: SecretString = serde_json::from_str("\"s3cret\"").unwrap();
        assert_eq!(secret.expose(), "s3cret");
    }
}
