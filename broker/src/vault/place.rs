//! Where a record lives. The place is authenticated with the record, so that a record opens nowhere else.

use super::hash::sha256;

/// The place of one sealed value. Every field is immutable for the life of the record:
/// whoever moves a record to another row, column, owner, context or generation gets an integrity error on opening it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// The table, such as `connections`.
    pub table: &'a str,
    /// The column, such as `refresh_token`.
    pub column: &'a str,
    /// The owner's user id; empty for what belongs to the installation, such as a client secret.
    pub user: &'a str,
    /// The connection's id, or the id of the row where there is no connection yet.
    pub row: &'a str,
    /// What the secret is for at the provider.
    pub context: ContextHash,
    /// Counts the writes of the row's secrets, so that an old record does not pass for the newest one.
    pub generation: i64,
}

impl Place<'_> {
    /// The associated data: the record's header and the fields, each behind its length (32 bits, big endian),
    /// so that no two places have the same bytes.
    pub(super) fn associated_data(&self, header: &[u8]) -> Vec<u8> {
        let generation = self.generation.to_be_bytes();
        let fields: [&[u8]; 6] = [
            self.table.as_bytes(),
            self.column.as_bytes(),
            self.user.as_bytes(),
            self.row.as_bytes(),
            &self.context.0,
            &generation,
        ];
        let mut data = header.to_vec();
        for field in fields {
            push_prefixed(&mut data, field);
        }
        data
    }
}

/// Binds a secret to a provider: a changed endpoint or client id makes the stored secrets of a connection unreadable,
/// so that no one can redirect a token to another host by editing a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContextHash([u8; 32]);

impl ContextHash {
    /// For secrets that belong to no provider.
    pub const NONE: Self = Self([0; 32]);

    /// The context of a connection: the toolkit, its issuer (empty where it names none), token endpoint and client id.
    #[must_use]
    pub fn of(toolkit: &str, issuer: &str, token_endpoint: &str, client_id: &str) -> Self {
        let mut data = Vec::new();
        for field in [toolkit, issuer, token_endpoint, client_id] {
            push_prefixed(&mut data, field.as_bytes());
        }
        Self(sha256(&data))
    }

    /// The hash as stored beside a connection, for comparing it with the toolkit's present one.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// A hash as read from a row.
impl From<[u8; 32]> for ContextHash {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

/// Appends a field behind its length. No field comes near 4 GiB: a length that does not fit is written as the largest
/// one, and the bytes follow anyway.
pub(super) fn push_prefixed(data: &mut Vec<u8>, field: &[u8]) {
    let length = u32::try_from(field.len()).unwrap_or(u32::MAX);
    data.extend_from_slice(&length.to_be_bytes());
    data.extend_from_slice(field);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_cannot_flow_into_each_other() {
        let place = |table, column| Place {
            table,
            column,
            user: "",
            row: "",
            context: ContextHash::NONE,
            generation: 0,
        };
        assert_ne!(place("ab", "c").associated_data(b"h"), place("a", "bc").associated_data(b"h"));
        assert_ne!(ContextHash::of("ab", "c", "", ""), ContextHash::of("a", "bc", "", ""));
    }

    #[test]
    fn every_part_of_the_context_counts() {
        let context = ContextHash::of("github", "i", "https://a/token", "id");
        for other in [
            ContextHash::of("gitlab", "i", "https://a/token", "id"),
            ContextHash::of("github", "j", "https://a/token", "id"),
            ContextHash::of("github", "i", "https://b/token", "id"),
            ContextHash::of("github", "i", "https://a/token", "other"),
            ContextHash::NONE,
        ] {
            assert_ne!(context, other);
        }
    }
}
