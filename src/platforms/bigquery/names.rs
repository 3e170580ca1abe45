//! Names of Google Cloud: projects and service accounts.

/// True for the id of a project, perhaps of a domain (`example.com:name`).
pub(super) fn is_project(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let (domain, name) = match text.split_once(':') {
        Some((domain, name)) => (Some(domain), name),
        None => (None, text),
    };
    let begins = name.starts_with(|c: char| c.is_ascii_lowercase());
    let fits = |domain: &str| !domain.is_empty() && domain.chars().all(|c| allowed(c) || c == '.');
    text.len() <= 100 && begins && name.chars().all(allowed) && domain.is_none_or(fits)
}

/// True for the name of a service account.
pub(super) fn is_account(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    let Some((name, domain)) = text.split_once('@') else { return false };
    let fits = |part: &str| !part.is_empty() && part.chars().all(allowed);
    text.len() <= 320 && fits(name) && fits(domain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn project_is_lower_case_and_perhaps_of_a_domain() {
        for name in ["example-project", "example.com:name", "p1"] {
            assert!(is_project(name), "{name}");
        }
        let long = "p".repeat(101);
        for text in ["", "1p", "Example", "p/q", "p q", ":p", "a:b:c", long.as_str()] {
            assert!(!is_project(text), "{text}");
        }
    }

    #[test]
    fn account_is_a_name_and_a_domain() {
        assert!(is_account("name@project.iam.gserviceaccount.com"));
        let long = format!("{}@p.iam.gserviceaccount.com", "n".repeat(320));
        for text in ["", "name", "@p", "name@", "na/me@p", "a@b@c", "n@p?x", long.as_str()] {
            assert!(!is_account(text), "{text}");
        }
    }
}
