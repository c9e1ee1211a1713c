//! Writes a secret into a message between the two roles. There is no other way to serialise one.

use serde::Serializer;

use crate::vault::SecretString;

pub(super) fn serialize<S: Serializer>(secret: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose())
}

pub(super) fn deserialize<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<SecretString, D::Error> {
    serde::Deserialize::deserialize(deserializer)
}
