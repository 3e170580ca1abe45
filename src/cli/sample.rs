//! `sample`: a sample configuration to begin with.

use super::args::Sample;
use super::error::CommandError;
use super::print::{Answer, sanitise};
use crate::input::nearest;
use crate::platforms::{PLATFORMS, Platform};

/// Prints the sample of the platform that was meant.
pub(super) fn answer(args: &Sample) -> Result<Answer, CommandError> {
    find(PLATFORMS, &args.platform).map(|platform| Answer::good(platform.sample.to_owned()))
}

/// The platform whose type, or a word of it that no other has, is `name`; case does not matter.
fn find<'p>(platforms: &'p [Platform], name: &str) -> Result<&'p Platform, CommandError> {
    let same = |text: &str| text.eq_ignore_ascii_case(name.trim());
    if let Some(platform) = platforms.iter().find(|platform| same(platform.kind)) {
        return Ok(platform);
    }
    let words = |platform: &&Platform| platform.kind.split(' ').any(same);
    let found: Vec<_> = platforms.iter().filter(words).collect();
    if let [platform] = found.as_slice() {
        return Ok(platform);
    }
    let words = platforms.iter().flat_map(|platform| platform.kind.split(' '));
    let hint = match nearest(name, words) {
        Some(near) if found.is_empty() => format!("did you mean `{near}`?"),
        _ => {
            let kinds: Vec<_> = platforms.iter().map(|platform| platform.kind).collect();
            format!("there are {}", kinds.join(", "))
        }
    };
    Err(CommandError::Usage(format!("`{}` does not name one platform; {hint}", sanitise(name))))
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    #[test]
    fn a_platform_is_found_by_its_type_or_a_word_of_it() {
        let kinds = ["Native S3", "Azure Synapse Analytics", "Redshift", "Azure Lake"];
        let platforms = kinds.map(samples::platform);
        let found = |name: &str| match find(&platforms, name) {
            Ok(platform) => platform.kind.to_owned(),
            Err(trouble) => trouble.to_string(),
        };
        assert_eq!(found("s3"), "Native S3");
        assert_eq!(found("NATIVE s3"), "Native S3");
        assert_eq!(found("synapse"), "Azure Synapse Analytics");
        assert_eq!(found("REDSHIFT"), "Redshift");
        assert_eq!(
            found("redshit"),
            "`redshit` does not name one platform; did you mean `Redshift`?"
        );
        let all = "there are Native S3, Azure Synapse Analytics, Redshift, Azure Lake";
        assert_eq!(found("\u{1b}"), format!("`\\u{{1b}}` does not name one platform; {all}"));
        assert_eq!(found("azure"), format!("`azure` does not name one platform; {all}"));
    }

    #[test]
    fn every_platform_has_a_sample_that_is_a_drop_in_as_it_is() {
        for platform in PLATFORMS {
            let answer = answer(&Sample { platform: platform.kind.to_lowercase() }).unwrap();
            let folder = tempfile::tempdir().unwrap();
            let main = folder.path().join("revalidated.toml");
            let drop_ins = folder.path().join("integrations.d");
            std::fs::write(&main, "strict_secrets = true\n").unwrap();
            std::fs::create_dir(&drop_ins).unwrap();
            std::fs::write(drop_ins.join("sample.toml"), answer.text).unwrap();
            let assembly = crate::daemon::open(Some(&main)).unwrap();
            let kinds = assembly.integrations.values().map(|one| one.platform.kind);
            assert_eq!(kinds.collect::<Vec<_>>(), [platform.kind]);
            assert!(assembly.warnings.is_empty(), "{:?}", assembly.warnings);
        }
    }
}
