//! Reading only a part of the configuration: what a command needs of thousands of tables.

use std::path::Path;

use crate::domain::{Maintenance, Policy};

/// Part of the configuration that is needed.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) enum Part {
    /// The whole configuration, every table of it.
    #[default]
    Whole,
    /// Settings alone, without a drop-in.
    Settings,
    /// Everything that concerns the integration of this name.
    Integration(String),
}

impl Part {
    /// Returns false for a drop-in of which nothing is needed: none of its tables can have the name, or concern all
    /// integrations.
    pub(super) fn needs(&self, path: &Path, text: &str) -> bool {
        match self {
            Self::Whole => true,
            Self::Settings => false,
            Self::Integration(name) => {
                // A payload may be named after its file, and an escape may spell the name otherwise.
                let stem = path.file_stem().unwrap_or_default().to_string_lossy();
                let words = [name.as_str(), "maintenance", "template", "\\"];
                name.starts_with(&*stem) || words.iter().any(|word| text.contains(word))
            }
        }
    }
}

/// Part of the configuration that concerns one integration.
#[derive(Debug, Default)]
pub(crate) struct One {
    /// Policy by which its runs are judged; none when it is not configured.
    pub(crate) policy: Option<Policy>,
    /// Windows of maintenance of all integrations.
    pub(crate) maintenance: Vec<Maintenance>,
}

#[cfg(test)]
mod tests {
    use super::super::{load_one, load_settings};

    /// Folder with a main file and drop-ins, and the path of the main file.
    fn written(drop_ins: &[(&str, &str)], main: &str) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r.toml");
        std::fs::write(&path, main).unwrap();
        let beside = folder.path().join("integrations.d");
        std::fs::create_dir(&beside).unwrap();
        for (name, text) in drop_ins {
            std::fs::write(beside.join(name), text).unwrap();
        }
        (folder, path)
    }

    #[test]
    fn settings_are_read_without_the_tables_and_their_faults() {
        let main = "[limits]\nruns = 3\n[[integration]]\nname = 7\n[[maintenance]]\nx = 1\n";
        let (_folder, path) = written(&[("a.toml", "= no toml\n")], main);
        assert_eq!(load_settings(Some(&path)).unwrap().limits.runs, 3);
        std::fs::write(&path, "[limits]\nrun = 3\n").unwrap();
        assert_eq!(load_settings(Some(&path)).unwrap_err().faults.len(), 1);
    }

    #[test]
    fn one_integration_is_found_wherever_it_is_written() {
        let table = |name: &str, runs: u32| {
            format!(
                "[[integration]]\nname = {name}\ntype = \"Native S3\"\nflap_flips = {runs}\n\
                 [integration.config]\n"
            )
        };
        let payload = "type = \"Native S3\"\nflap_flips = 9\n[config]\n";
        let drop_ins = [
            ("a.toml", table("\"lake\"", 5)),
            ("b.toml", table("\"o\\u0074her\"", 7)),
            ("c.toml", "= no toml\n".to_owned()),
            ("pay.toml", payload.to_owned()),
            (
                "w.toml",
                "[[maintenance]]\nname = \"night\"\nschedule = \"@daily\"\nduration = \"1h\"\n"
                    .to_owned(),
            ),
        ];
        let drop_ins: Vec<_> = drop_ins.iter().map(|(name, text)| (*name, &**text)).collect();
        let (_folder, path) = written(&drop_ins, "[defaults]\nflap_flips = 6\n");
        let flips = |name| {
            let one = load_one(Some(&path), name).unwrap();
            one.policy.map(|policy| policy.flap_flips)
        };
        let found = ["lake", "other", "pay", "missing"].map(flips);
        assert_eq!(found, [Some(5), Some(7), Some(9), None]);
    }
}
