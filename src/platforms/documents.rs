//! Grants as texts to be used as they are: one for each form, such as a policy or a file of rules.

use serde_json::{Map, Value as Json, json};

use super::form::Form;
use super::grants::{Names, Need};

/// Forms of documents, in their order.
const FORMS: [Form; 7] = [
    Form::Sql,
    Form::Policy,
    Form::Caller,
    Form::Trust,
    Form::Rules,
    Form::Permission,
    Form::Command,
];
/// Name of the custom role that is proposed.
const ROLE: &str = "revalidated";

/// Text that has all grants of one form, but for names between `<` and `>` that people fill in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Document {
    /// Form of the grants.
    pub(crate) form: Form,
    /// Text without a line end.
    pub(crate) text: String,
}

/// Returns a document for each form of `needs`; those of certain situations alone are left out.
pub(crate) fn documents(needs: &[Need], names: &Names) -> Vec<Document> {
    let always: Vec<_> = needs.iter().filter(|need| need.grant.only.is_empty()).collect();
    let document = |form: Form| {
        let texts = always.iter().filter(|need| need.grant.form == form);
        let texts: Vec<_> = texts.map(|need| need.text.as_str()).collect();
        if texts.is_empty() {
            return None;
        }
        let text = match form {
            Form::Nothing => return None,
            Form::Sql | Form::Command => texts.join("\n"),
            Form::Policy | Form::Caller | Form::Trust => policy(&texts),
            Form::Rules => rules(&texts),
            Form::Permission => role(&texts, names),
        };
        Some(Document { form, text })
    };
    FORMS.into_iter().filter_map(document).collect()
}

/// Returns the commands that make a role of the permissions and bind it.
fn role(permissions: &[&str], names: &Names) -> String {
    let of = |place| names.of(place).first().map_or("", String::as_str);
    let (project, member) = (of("PROJECT"), of("MEMBER"));
    format!(
        "gcloud iam roles create {ROLE} --project={project} --permissions={}\n\
         gcloud projects add-iam-policy-binding {project} --member='{member}' \
         --role=projects/{project}/roles/{ROLE} --condition=None",
        permissions.join(",")
    )
}

/// Returns a policy of the statements.
fn policy(statements: &[&str]) -> String {
    let statements: Vec<Json> =
        statements.iter().filter_map(|text| serde_json::from_str(text).ok()).collect();
    format!("{:#}", json!({ "Version": "2012-10-17", "Statement": statements }))
}

/// Returns one file of the rules, each section with those of all.
fn rules(texts: &[&str]) -> String {
    let mut sections: Vec<(String, Vec<Json>)> = Vec::new();
    let parsed =
        texts.iter().filter_map(|text| serde_json::from_str::<Map<String, Json>>(text).ok());
    for (section, rules) in parsed.flatten() {
        let rules = rules.as_array().cloned().unwrap_or_default();
        let known = sections.iter_mut().find(|(name, _)| *name == section);
        let Some((_, all)) = known else {
            sections.push((section, rules));
            continue;
        };
        for rule in rules {
            if !all.contains(&rule) {
                all.push(rule);
            }
        }
    }
    let section = |(name, rules): &(String, Vec<Json>)| {
        let rules: Vec<_> = rules.iter().map(|rule| format!("    {rule}")).collect();
        format!("  {}: [\n{}\n  ]", Json::from(name.as_str()), rules.join(",\n"))
    };
    let sections: Vec<_> = sections.iter().map(section).collect();
    format!("{{\n{}\n}}", sections.join(",\n"))
}

#[cfg(test)]
mod tests {
    use super::super::grants::{Grant, needs};
    use super::*;

    const TABLE: &[Grant] = &[
        Grant::of(Form::Sql, "GRANT <PRIVILEGE> TO <USER>;", &[], ""),
        Grant::of(Form::Sql, "GRANT NOTHING;", &[], "").only("where it is new"),
        Grant::of(Form::Policy, r#"{"Effect": "Allow", "Action": "s3:ListBucket"}"#, &[], ""),
        Grant::of(Form::Rules, r#"{"queries": [{"user": "u"}]}"#, &[], ""),
        Grant::of(Form::Rules, r#"{"tables": [{"table": "t"}]}"#, &[], ""),
        Grant::of(Form::Rules, r#"{"queries": [{"user": "v"}, {"user": "u"}]}"#, &[], ""),
        Grant::of(Form::Permission, "bigquery.jobs.create", &[], ""),
        Grant::of(Form::Permission, "bigquery.tables.get", &[], ""),
    ];

    #[test]
    fn grants_of_each_form_are_one_text() {
        let privileges = ["A", "B"].map(str::to_owned);
        let names = Names::default().all("PRIVILEGE", privileges).with("USER", "u");
        let names = names.with("PROJECT", "p").with("MEMBER", "serviceAccount:a@p");
        let found = documents(&needs(TABLE, &names), &names);
        let text = |form| &found.iter().find(|one| one.form == form).unwrap().text;
        assert_eq!(text(Form::Sql), "GRANT A TO u;\nGRANT B TO u;");
        let policy: Json = serde_json::from_str(text(Form::Policy)).unwrap();
        let statements = json!([{ "Effect": "Allow", "Action": "s3:ListBucket" }]);
        assert_eq!(policy, json!({ "Version": "2012-10-17", "Statement": statements }));
        let rules: Json = serde_json::from_str(text(Form::Rules)).unwrap();
        let queries = json!([{ "user": "u" }, { "user": "v" }]);
        assert_eq!(rules, json!({ "queries": queries, "tables": [{ "table": "t" }] }));
        let role = "gcloud iam roles create revalidated --project=p \
            --permissions=bigquery.jobs.create,bigquery.tables.get\n\
            gcloud projects add-iam-policy-binding p --member='serviceAccount:a@p' \
            --role=projects/p/roles/revalidated --condition=None";
        assert_eq!(text(Form::Permission), role);
        assert_eq!(found.len(), 4, "nothing of a form without grants");
    }
}
