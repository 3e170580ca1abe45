//! Hand-made grants for tests of this floor and those above.

use super::grants::{Grants, Looked};
use super::samples::report;
use crate::domain::{Class, Finding, Outcome, Test};
use crate::platforms::{Form, Grant, Names, Surplus, needs};

const GRANTS: &[Grant] = &[
    Grant::of(Form::Sql, "GRANT A ON <T> TO <U>;", &[Test::always("Host is given", "")], "to look"),
    Grant::of(Form::Sql, "GRANT B TO <U>;", &[Test::always("Connect to host", "")], "to connect"),
    Grant::of(Form::Sql, "GRANT C TO <U>;", &[Test::always("Create role", "")], "to create"),
    Grant::of(Form::Sql, "GRANT D TO <U>;", &[Test::always("Create role", "")], "to create")
        .only("where it is new"),
];

/// Grants of which the second is missing, with a right beyond them.
pub(crate) fn grants() -> Grants {
    let names = Names::default().with("T", "t\u{1b}").with("U", "u");
    let mut report = report();
    let connect = report.tests.get_mut(1).unwrap();
    let finding = Finding::new(Class::Denied, "No\u{1b}.").fix("GRANT B TO u;");
    connect.outcome = Outcome::Failed(finding);
    let mut surplus = Surplus::unseen("The rest is not shown.");
    surplus.add("superuser", Some("ALTER USER u NOCREATEUSER;".to_owned()));
    Grants {
        name: "lake".to_owned(),
        kind: "Redshift",
        needs: needs(GRANTS, &names),
        names,
        run: Some(Looked { report, surplus }),
    }
}
