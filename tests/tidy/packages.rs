//! Packages: the lists of the two formats agree, and leave out nothing that an operator needs.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Folder that zsh reads completions from on Debian, and elsewhere.
const ZSH: (&str, &str) = ("/vendor-completions/", "/site-functions/");
/// File that cargo-deb puts into a package by itself.
const COPYRIGHT: (&str, &str) = ("usr/share/doc/revalidated/copyright", "packaging/copyright");
/// File of the Debian package alone.
const LINTIAN: &str = "usr/share/lintian/overrides/revalidated";
/// Folder of what is made only for packages.
const STAGE: &str = "target/package/";

/// Places in a package, each with its source and its mode.
type Files = BTreeMap<String, (String, String)>;

/// Returns the lines of a section of the manifest.
fn section(name: &str) -> Vec<String> {
    let manifest = fs::read_to_string("Cargo.toml").unwrap();
    let (_, rest) = manifest.split_once(&format!("\n[package.metadata.{name}]\n")).unwrap();
    rest.lines().take_while(|line| !line.starts_with('[')).map(str::to_owned).collect()
}

/// Returns the texts in quotes of a line.
fn quoted(line: &str) -> Vec<&str> {
    line.split('"').skip(1).step_by(2).collect()
}

fn of_deb() -> Files {
    let rows = section("deb").into_iter().filter(|line| line.starts_with("  [\""));
    let file = |row: String| {
        let texts = quoted(&row);
        (texts[1].to_owned(), (texts[0].to_owned(), texts[2].to_owned()))
    };
    rows.map(file).collect()
}

fn of_rpm() -> (Files, BTreeSet<String>) {
    let (mut files, mut configuration) = (Files::new(), BTreeSet::new());
    let rows = section("generate-rpm");
    for row in rows.iter().filter(|line| line.starts_with("  { source = ")) {
        let texts = quoted(row);
        if row.contains("config = ") {
            configuration.insert(texts[1].to_owned());
        }
        let place = texts[1].trim_start_matches('/').replace(ZSH.1, ZSH.0);
        files.insert(place, (texts[0].to_owned(), texts[2].to_owned()));
    }
    (files, configuration)
}

#[test]
fn both_packages_have_the_same_files() {
    let mut files = of_deb();
    let copyright = (COPYRIGHT.1.to_owned(), "644".to_owned());
    files.insert(COPYRIGHT.0.to_owned(), copyright);
    files.remove(LINTIAN).unwrap();
    let (expected, configuration) = of_rpm();
    assert!(15 < files.len(), "{files:?}");
    assert_eq!(files, expected);
    let lines = section("deb");
    let conffiles = lines.iter().find(|line| line.starts_with("conf-files = ")).unwrap();
    let conffiles: BTreeSet<_> = quoted(conffiles).into_iter().map(str::to_owned).collect();
    assert_eq!(conffiles, configuration);
}

#[test]
fn every_file_of_a_package_is_there_and_every_unit_and_sample_is_in_it() {
    let files = of_deb();
    let sources: BTreeSet<_> = files.values().map(|(source, _)| source.as_str()).collect();
    for source in sources.iter().filter(|source| !source.starts_with(STAGE)) {
        let folder = Path::new(source.split('*').next().unwrap());
        assert!(folder.exists(), "{source}");
    }
    let of = |folder: &str| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let shared = of("share").filter(|folder| !folder.ends_with("samples"));
    let shared = shared.flat_map(|folder| of(folder.to_str().unwrap()));
    for path in of("systemd").chain(shared) {
        assert!(sources.contains(path.to_str().unwrap()), "{}", path.display());
    }
}

/// The administrator's samples name the schema where packages have it.
#[test]
fn packaged_configuration_names_the_packaged_schema() {
    let files = of_deb();
    let (source, _) = &files["etc/revalidated/revalidated.toml"];
    let first = fs::read_to_string(source).unwrap();
    let named = first.lines().next().unwrap().strip_prefix("#:schema file:///").unwrap();
    let (folder, name) = named.rsplit_once('/').unwrap();
    let (schemas, _) = &files[&format!("{folder}/")];
    assert!(Path::new(schemas).with_file_name(name).exists(), "{named}");
}
