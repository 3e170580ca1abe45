//! Dependency cycles between files: each file uses those that its paths name.
//!
//! A re-export is followed to the file that defines the name, so that `mod.rs` as a table of contents
//! makes no circle.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};

use crate::source::{is_test, production, sources, tokens, without_tests};

/// Circles that may stay, each with its reason; the longest has three files.
const ALLOWED: &[(&[&str], &str)] = &[(
    &["src/store/sqlite/defect.rs", "src/store/sqlite/open.rs", "src/store/sqlite/writer.rs"],
    "a planted defect stands in for the commit of the writer and for a setting of the file",
)];
/// Number of circles that may stay.
const ALLOWED_MAX: usize = 4;
/// Number of files in a circle that may stay.
const FILES_MAX: usize = 3;
/// Number of re-exports that lead from one name to its definition.
const HOPS_MAX: usize = 16;

/// Path of a module from the crate's root, or of an item.
type Names = Vec<String>;

/// A name that a `use` brings into a file.
#[derive(Debug, PartialEq)]
struct Import {
    name: String,
    target: Names,
    is_public: bool,
}

#[derive(Debug, Default)]
struct File {
    imports: Vec<Import>,
    /// Paths of two names or more outside of `use`.
    paths: Vec<Names>,
    /// All names outside of `use`.
    words: BTreeSet<String>,
}

impl File {
    fn read(tokens: &[String]) -> Self {
        let (mut file, mut at) = (Self::default(), 0);
        let is = |at: usize, sign: &str| tokens.get(at).is_some_and(|token| token == sign);
        while at < tokens.len() {
            if is(at, "use") && !is(at + 1, "<") {
                let is_public = at > 0 && (is(at - 1, "pub") || is(at - 1, ")"));
                at = tree(tokens, at + 1, &[], &mut |name, target| {
                    file.imports.push(Import { name, target, is_public });
                });
                continue;
            }
            let begun = at;
            while is(at + 1, "::") && tokens.get(at + 2).is_some_and(|next| is_name(next)) {
                at += 2;
            }
            if is_name(&tokens[begun]) {
                let names = tokens[begun..=at].iter().step_by(2).cloned();
                file.words.insert(tokens[begun].clone());
                if begun < at {
                    file.paths.push(names.collect());
                }
            }
            at += 1;
        }
        file
    }
}

fn is_name(token: &str) -> bool {
    token.starts_with(|first: char| first.is_alphabetic() || first == '_')
}

/// Reads the tree of a `use` from `at` on; returns where it ends.
fn tree(
    tokens: &[String],
    mut at: usize,
    prefix: &[String],
    found: &mut dyn FnMut(String, Names),
) -> usize {
    let mut path = prefix.to_vec();
    loop {
        match tokens[at].as_str() {
            "{" => {
                at += 1;
                while tokens[at] != "}" {
                    at = tree(tokens, at, &path, found);
                    at += usize::from(tokens[at] == ",");
                }
                return at + 1;
            }
            "::" => at += 1,
            "as" => {
                found(tokens[at + 1].clone(), path);
                return at + 2;
            }
            "," | ";" | "}" => {
                if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
                    path.pop();
                }
                if let Some(last) = path.last().cloned() {
                    found(last, path);
                }
                return at;
            }
            name => {
                path.push(name.to_owned());
                at += 1;
            }
        }
    }
}

/// The crate's files by the path of their module.
struct Tree(BTreeMap<Names, (PathBuf, File)>);

impl Tree {
    fn read(root: &Path) -> Self {
        let mut modules = BTreeMap::new();
        for path in sources(root).into_iter().filter(|path| !is_test(path)) {
            let inner = path.strip_prefix(root).unwrap().with_extension("");
            let mut module: Names =
                inner.iter().map(|part| part.to_str().unwrap().into()).collect();
            if module == ["main"] {
                continue;
            }
            if matches!(module.last().unwrap().as_str(), "mod" | "lib") {
                module.pop();
            }
            let file = File::read(&without_tests(&tokens(&production(&path))));
            modules.insert(module, (path, file));
        }
        Self(modules)
    }

    /// Returns the module whose file defines what `path` names when it stands in `module`, or `None`
    /// for names of other crates.
    fn definition(&self, module: &[String], path: &[String], hops: usize) -> Option<Names> {
        let (first, mut rest) = path.split_first()?;
        let mut current = match first.as_str() {
            "crate" => Vec::new(),
            "self" => module.to_vec(),
            "super" => module[..module.len().checked_sub(1)?].to_vec(),
            _ => {
                rest = path;
                module.to_vec()
            }
        };
        let is_local = rest.len() == path.len();
        while let Some((name, after)) = rest.split_first() {
            let child: Names = current.iter().chain([name]).cloned().collect();
            if name == "super" {
                current.pop();
            } else if self.0.contains_key(&child) {
                current = child;
            } else if let Some(import) = self.import(&current, name)
                && hops < HOPS_MAX
            {
                let target: Names = import.target.iter().chain(after).cloned().collect();
                return self.definition(&current, &target, hops + 1);
            } else if is_local && current == module {
                return None;
            } else {
                break;
            }
            rest = after;
        }
        self.0.contains_key(&current).then_some(current)
    }

    fn import(&self, module: &[String], name: &str) -> Option<&Import> {
        // A module that is imported under its own name would be followed for ever.
        let imports = &self.0.get(module)?.1.imports;
        imports.iter().find(|import| import.name == name && import.target != [name])
    }

    /// Returns the files that the file of `module` uses, with the names it uses of each.
    fn used_by(&self, module: &Names) -> BTreeMap<Names, BTreeSet<String>> {
        let file = &self.0[module].1;
        let imported = file.imports.iter().filter(|import| {
            // What is only passed on is no use; a module is used by the paths that begin with it.
            let target = self.definition(module, &import.target, 0);
            let is_module = target.is_some_and(|target| target.last() == import.target.last());
            !is_module && (!import.is_public || file.words.contains(&import.name))
        });
        let mut used: BTreeMap<Names, BTreeSet<String>> = BTreeMap::new();
        for path in imported.map(|import| &import.target).chain(&file.paths) {
            if let Some(definition) = self.definition(module, path, 0)
                && definition != *module
            {
                used.entry(definition).or_default().insert(path.last().unwrap().clone());
            }
        }
        used
    }

    /// Returns the sets of files each of which uses, by way of others, each other; with the names.
    fn circles(&self) -> Vec<Circle> {
        let used: BTreeMap<&Names, _> =
            self.0.keys().map(|module| (module, self.used_by(module))).collect();
        let reached: BTreeMap<&Names, BTreeSet<&Names>> = used
            .keys()
            .map(|start| {
                let (mut seen, mut open) = (BTreeSet::new(), vec![*start]);
                while let Some(module) = open.pop() {
                    open.extend(used[module].keys().filter(|next| seen.insert(*next)));
                }
                (*start, seen)
            })
            .collect();
        let mut circles = BTreeSet::new();
        for (module, seen) in &reached {
            let circle: Vec<&Names> =
                seen.iter().filter(|other| reached[**other].contains(module)).copied().collect();
            if circle.len() > 1 {
                circles.insert(circle);
            }
        }
        let file = |module: &Names| self.0[module].0.display().to_string();
        let read = |circle: &Vec<&Names>| {
            let mut arrows = Vec::new();
            for from in circle {
                for (to, names) in used[*from].iter().filter(|(to, _)| circle.contains(to)) {
                    let names: Vec<&str> = names.iter().map(String::as_str).collect();
                    arrows.push(format!("{} -> {}: {}", file(from), file(to), names.join(", ")));
                }
            }
            Circle { files: circle.iter().map(|module| file(module)).collect(), arrows }
        };
        circles.iter().map(read).collect()
    }
}

/// Files that use each other.
struct Circle {
    files: Vec<String>,
    /// Uses inside the circle, with the names.
    arrows: Vec<String>,
}

#[test]
fn no_files_form_a_circle() {
    let mut unused: Vec<_> = ALLOWED.iter().map(|(files, _)| files.to_vec()).collect();
    assert!(unused.len() <= ALLOWED_MAX && unused.iter().all(|files| files.len() <= FILES_MAX));
    let mut report = String::new();
    for Circle { files, arrows } in Tree::read(Path::new("src")).circles() {
        if let Some(at) = unused.iter().position(|allowed| *allowed == files) {
            drop(unused.remove(at));
            continue;
        }
        let arrows = arrows.join("\n  ");
        writeln!(report, "{} files in a circle:\n  {arrows}\n", files.len()).unwrap();
    }
    assert!(report.is_empty(), "{report}");
    assert!(unused.is_empty(), "no circle any more, take it out of the list: {unused:?}");
}

#[test]
fn imports_and_paths_are_read() {
    let text =
        "use a::{self, b as c, d::{e, f}}; pub(super) use super::g; h::i(j); fn k() -> l::M<N>;";
    let file = File::read(&tokens(text));
    let imports: Vec<String> = file.imports.iter().map(|import| format!("{import:?}")).collect();
    let expected = [
        ("a", "a", false),
        ("c", "a::b", false),
        ("e", "a::d::e", false),
        ("f", "a::d::f", false),
        ("g", "super::g", true),
    ];
    let expected = expected.map(|(name, target, is_public)| {
        let target = target.split("::").map(str::to_owned).collect();
        format!("{:?}", Import { name: name.to_owned(), target, is_public })
    });
    assert_eq!(imports, expected);
    assert_eq!(file.paths, [["h", "i"], ["l", "M"]]);
}
