//! `version`: the version of the program, and of what it was built from.

use super::args::Version;
use super::error::CommandError;
use super::print::Answer;
use crate::view::ProgramVersion;

/// Prints the version of this program.
pub(super) fn answer(args: Version) -> Result<Answer, CommandError> {
    let version = ProgramVersion::default();
    if args.form.json {
        return Ok(Answer::json(&version)?);
    }
    Ok(Answer::good(text(&version)))
}

fn text(version: &ProgramVersion) -> String {
    format!(
        "revalidated {} for {}\ncommit {}\nfeatures {}\ndatabase schema {}, SQLite {}\nTLS by rustls {}, \
         aws-lc-sys {}\n",
        version.version,
        version.target,
        version.commit.unwrap_or("unknown"),
        version.features.join(", "),
        version.schema,
        version.sqlite,
        version.tls.rustls,
        version.tls.aws_lc
    )
}

#[cfg(test)]
mod tests {
    use super::super::args::Json;
    use super::*;

    #[test]
    fn both_forms_name_the_database_and_the_library_for_tls() {
        let said = |json| answer(Version { form: Json { json } }).unwrap().text;
        let json: serde_json::Value = serde_json::from_str(&said(true)).unwrap();
        assert_eq!(json["version"], env!("CARGO_PKG_VERSION"));
        let sqlite = json["sqlite"].as_str().unwrap();
        assert!(sqlite.starts_with("3."), "{json}");
        let text = said(false);
        assert!(text.contains(&format!("SQLite {sqlite}\nTLS by rustls 0.")), "{text}");
    }
}
