//! The issuer in a callback (RFC 9207).

/// Why a callback does not come from the provider that the flow began with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IssError {
    /// The provider's metadata promises `iss`, and it is not there.
    #[error("the callback lacks the iss parameter that the provider's metadata promises")]
    Missing,
    /// Another issuer than the toolkit's, by a single character even.
    #[error("the callback's iss parameter is not the toolkit's issuer")]
    Mismatch,
}

/// Compares the callback's `iss` with the toolkit's issuer, as plain strings (RFC 9207 section 2.4).
///
/// `supported` is `authorization_response_iss_parameter_supported` of the provider's metadata. A toolkit without an
/// issuer has nothing to compare; its callback path alone tells flows apart.
///
/// # Errors
/// The flow must end, and the code must not be redeemed.
pub fn check_iss(expected: Option<&str>, supported: bool, got: Option<&str>) -> Result<(), IssError> {
    match (expected, got) {
        (None, _) => Ok(()),
        (Some(expected), Some(got)) if expected == got => Ok(()),
        (Some(_), Some(_)) => Err(IssError::Mismatch),
        (Some(_), None) if supported => Err(IssError::Missing),
        (Some(_), None) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ISSUER: Option<&str> = Some("https://id.example");

    #[test]
    fn compares_as_plain_strings() {
        assert_eq!(check_iss(ISSUER, true, ISSUER), Ok(()));
        for other in [
            "https://id.example/",
            "https://ID.example",
            "https://id.example:443",
            "https://evil.example",
            "",
        ] {
            assert_eq!(check_iss(ISSUER, true, Some(other)), Err(IssError::Mismatch), "{other}");
            assert_eq!(check_iss(ISSUER, false, Some(other)), Err(IssError::Mismatch), "{other}");
        }
    }

    #[test]
    fn is_required_where_metadata_promises_it() {
        assert_eq!(check_iss(ISSUER, true, None), Err(IssError::Missing));
        assert_eq!(check_iss(ISSUER, false, None), Ok(()));
        assert_eq!(check_iss(None, false, Some("https://anything.example")), Ok(()));
    }
}
