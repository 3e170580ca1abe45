//! Identity of this node among the daemons of one database: `[node]`.

use crate::domain::NodeIdentity;
use crate::input::{Reader, labels, name_problem, quoted};

/// Name of a node whose machine has no usable name.
const UNNAMED: &str = "node";

/// Reads the table; the name of the machine stands for an empty name.
pub(super) fn read(mut reader: Reader<'_>) -> Option<NodeIdentity> {
    let name = reader.string("name");
    let labels = labels(&mut reader);
    let problem = name.as_deref().filter(|name| !name.is_empty()).and_then(name_problem);
    if let (Some(name), Some(problem)) = (&name, problem) {
        reader.fault("name", format!("{} {problem}", quoted(name)));
    }
    reader.finish();
    let name = name.filter(|_| problem.is_none())?;
    let name = if name.is_empty() { machine() } else { name };
    Some(NodeIdentity { name, labels })
}

/// Returns the name of this machine.
fn machine() -> String {
    let found = rustix::system::uname();
    let name = found.nodename().to_string_lossy().trim().to_owned();
    if name_problem(&name).is_none() { name } else { UNNAMED.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::format::Format;
    use crate::input::Faults;

    fn found(text: &str) -> (Option<NodeIdentity>, Vec<String>) {
        let value = Format::Toml.parse(text, "f").unwrap();
        let faults = Faults::default();
        let node = read(Reader::new(&value, "node", &faults).unwrap());
        (node, faults.into_parts().0.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn node_has_the_name_of_its_machine_or_its_own() {
        let (node, faults) = found("name = \"\"\n");
        assert_eq!(faults, [""; 0]);
        assert_eq!(node.unwrap().name, machine());
        let (node, _) = found("name = \"a\"\nlabels = { region = \"eu\" }\n");
        let node = node.unwrap();
        assert_eq!((node.name.as_str(), node.labels["region"].as_str()), ("a", "eu"));
        let (node, faults) = found("name = \" a\"\n");
        assert!(node.is_none());
        assert_eq!(faults, ["f:1: node.name: \" a\" must not begin or end with a space"]);
    }
}
