//! Names for machines out of names for people.

/// Screaming snake case: `Create an issue`, `createAnIssue` and `create-an/issue` are `CREATE_AN_ISSUE`.
pub(crate) fn screaming(text: &str) -> String {
    let mut name = String::new();
    let mut previous = ' ';
    for c in text.chars().filter(|c| !matches!(c, '\'' | '’')) {
        let boundary = !previous.is_ascii_alphanumeric()
            || c.is_ascii_uppercase() && (previous.is_ascii_lowercase() || previous.is_ascii_digit());
        if c.is_ascii_alphanumeric() {
            if boundary && !name.is_empty() {
                name.push('_');
            }
            name.push(c.to_ascii_uppercase());
        }
        previous = c;
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_screaming_snake_case() {
        for (text, slug) in [
            ("Create an issue", "CREATE_AN_ISSUE"),
            ("createAnIssue", "CREATE_AN_ISSUE"),
            ("issues/create-comment", "ISSUES_CREATE_COMMENT"),
            ("List a user's repositories", "LIST_A_USERS_REPOSITORIES"),
            ("get_OAuth2Token", "GET_OAUTH2_TOKEN"),
            ("GET /repos/{owner}", "GET_REPOS_OWNER"),
            ("  Ünïcode — dash  ", "N_CODE_DASH"),
            ("", ""),
        ] {
            assert_eq!(screaming(text), slug, "{text}");
        }
    }
}
