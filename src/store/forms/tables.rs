//! Tables that every engine keeps, as a move between engines carries them: their names, their columns, and sums over
//! their rows by which a copy is compared with its original.
//!
//! Left behind are leases, which are freed, rows about nodes, and checksums, which each engine keeps by itself.

use aws_lc_rs::digest::{Context, SHA256};

/// Kind of a column.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::store) enum Kind {
    /// Whole number of 64 bits.
    Whole,
    /// Whole number of 32 bits, where an engine makes the difference.
    Small,
    /// Truth value, zero or one.
    Flag,
    /// Text, which is UTF-8.
    Text,
    /// Bytes of any kind.
    Bytes,
}

/// Column of a table.
#[derive(Debug)]
pub(in crate::store) struct Column {
    /// Name of the column, the same in every engine.
    pub(in crate::store) name: &'static str,
    /// Kind of its values.
    pub(in crate::store) kind: Kind,
}

/// Table by the columns that a move carries.
#[derive(Debug)]
pub(in crate::store) struct Table {
    /// Name of the table, the same in every engine.
    pub(in crate::store) name: &'static str,
    /// Columns in the order of a row's values.
    pub(in crate::store) columns: &'static [Column],
}

impl Table {
    /// Returns the names of the columns, for a statement.
    pub(in crate::store) fn names(&self) -> String {
        let names: Vec<_> = self.columns.iter().map(|column| column.name).collect();
        names.join(", ")
    }
}

/// Value of a column; truth values are zero and one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in crate::store) enum Value {
    /// No value at all.
    Null,
    /// Whole number, or truth value.
    Whole(i64),
    /// Text, which is UTF-8.
    Text(String),
    /// Bytes of any kind.
    Bytes(Vec<u8>),
}

/// Row by the values of its columns.
pub(in crate::store) type Row = Vec<Value>;

/// Number of the rows of a table, and the sum of their digests, which is the same in any order.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(in crate::store) struct Sum {
    /// Number of its rows.
    pub(in crate::store) rows: u64,
    digest: u128,
}

impl Sum {
    /// Adds a row to both.
    pub(in crate::store) fn add(&mut self, row: &[Value]) {
        let mut context = Context::new(&SHA256);
        for value in row {
            let (kind, bytes): (u8, &[u8]) = match value {
                Value::Null => (0, &[]),
                Value::Whole(number) => (1, &number.to_be_bytes()),
                Value::Text(text) => (2, text.as_bytes()),
                Value::Bytes(bytes) => (3, bytes),
            };
            context.update(&[kind]);
            context.update(&u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
            context.update(bytes);
        }
        let digest = context.finish();
        let half = digest.as_ref().first_chunk().copied().unwrap_or_default();
        self.digest = self.digest.wrapping_add(u128::from_be_bytes(half));
        self.rows = self.rows.saturating_add(1);
    }
}

macro_rules! tables {
    ($($name:ident { $($column:ident $kind:ident),+ $(,)? })+) => {
        &[$(Table {
            name: stringify!($name),
            columns: &[$(Column { name: stringify!($column), kind: Kind::$kind }),+],
        }),+]
    };
}

/// Every table that is carried, those first to which others refer.
pub(in crate::store) const TABLES: &[Table] = tables! {
    fingerprint { id Whole, digest Bytes, content Text }
    outage {
        id Text, event_id Text, kind Text, value Text, cause Text, since_ms Whole,
        close_at_ms Whole, resolved_at_ms Whole,
    }
    integration {
        id Whole, name Text, formerly Text, kind Text, auto_bootstrap Flag, labels Text, status Text,
        pending_status Text, cron Text, zone Text, sequence Whole, transitions Whole,
        incident_id Text, failing_since_ms Whole, incident_notified Flag,
        first_failure_at_ms Whole, evidence Text, candidate_failures Whole, candidate_passes Whole,
        candidate_run_id Whole, candidate_first_failure_at_ms Whole, candidate_evidence Text,
        notified_status Text, muted_until_ms Whole, muted_by Text, warning_muted Flag, flips Text,
        flapping_since_ms Whole, flapping_until_ms Whole, suspect_since_ms Whole,
        suspect_class Text, own_fault Text, outage_id Text, fingerprint_id Whole,
        created_at_ms Whole, history_since_ms Whole, next_run_at_ms Whole, next_trigger Text,
        failures Whole, passes Whole, last_run_id Whole, fingerprint_at_ms Whole,
        expires_at_ms Whole, expires_what Text,
    }
    configuration {
        integration_id Whole, config_shown Text, active_kind Text, active_config Text,
        active_catalog Whole, active_shown Text, candidate_config Text, candidate_catalog Whole,
    }
    factor { integration_id Whole, kind Text, value Text }
    expiry { integration_id Whole, at_ms Whole, what Text }
    outage_member { outage_id Text, integration_id Whole }
    report { id Whole, digest Bytes, content Text }
    run {
        id Whole, integration_id Whole, subject Text, trigger Text, started_at_ms Whole,
        duration_ms Whole, status Text, class Text, rule Text, report_id Whole, drift Text,
        took Bytes, evidence Text,
    }
    transition {
        id Whole, integration_id Whole, from_status Text, to_status Text, cause Text, at_ms Whole,
        run_id Whole, incident_id Text,
    }
    event {
        number Whole, id Text, integration_id Whole, sequence Whole, type Text,
        created_at_ms Whole, body Text,
    }
    receiver {
        name Text, configured Flag, config Text, disabled_at_ms Whole, reason Text,
        failing_since_ms Whole, last_success_at_ms Whole, failing_awake_ms Whole,
        probe_failures Whole, probe_awake_ms Whole, probe_at_ms Whole,
    }
    delivery {
        id Whole, event_id Text, receiver Text, integration_id Whole, number Whole, state Text,
        attempts Whole, earlier Whole, ended_at_ms Whole, tried_awake_ms Whole, incident_id Text,
        began_id Text, format Text, ends Flag, due_at_ms Whole,
    }
    attempt {
        delivery_id Whole, number Whole, started_at_ms Whole, duration_ms Whole, code Small,
        detail Text,
    }
    incident_receiver {
        incident_id Text, receiver Text, integration_id Whole, since_ms Whole, event_id Text,
        format Text, wants_end Flag, state Text, notified_at_ms Whole, reminders Whole,
        due_at_ms Whole, look_at_ms Whole, resend_at_ms Whole,
    }
    silence {
        id Whole, integration_id Whole, selection Text, author Text, comment Text,
        created_at_ms Whole, from_ms Whole, until_ms Whole, ended_at_ms Whole,
    }
    own_fault { fault Text, since_ms Whole, message Text }
    audit { id Whole, at_ms Whole, command Text, author Text, target Text, comment Text }
    awake { hour Whole, awake_ms Whole, least_at_ms Whole }
};

/// Names of the tables whose ids are never given twice, each with its counter in [`Numbers`].
pub(in crate::store) const COUNTED: [&str; 5] =
    ["integration", "event", "delivery", "silence", "audit"];

/// Identity of a database, and its counters, which go on after a move.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(in crate::store) struct Numbers {
    /// Epoch of the database.
    pub(in crate::store) epoch: String,
    /// Number of the latest event that is about no integration.
    pub(in crate::store) sequence: i64,
    /// Number of the latest event that is no longer kept.
    pub(in crate::store) pruned_number: i64,
    /// Latest ids that the tables in [`COUNTED`] have given, in their order; zero before the first.
    pub(in crate::store) latest: [i64; COUNTED.len()],
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(rows: &[&[Value]]) -> Sum {
        let mut sum = Sum::default();
        for row in rows {
            sum.add(row);
        }
        sum
    }

    #[test]
    fn sum_is_the_same_in_any_order_and_another_for_other_rows() {
        let text = |text: &str| Value::Text(text.to_owned());
        let (one, two) = ([Value::Whole(1), text("a")], [Value::Whole(2), Value::Null]);
        assert_eq!(sum(&[&one, &two]), sum(&[&two, &one]));
        let others: [&[Value]; 6] = [
            &[Value::Whole(1), text("b")],
            &[Value::Whole(1), text("")],
            &[Value::Whole(1), Value::Null],
            &[Value::Whole(1), Value::Bytes(b"a".to_vec())],
            &[text("a"), Value::Whole(1)],
            &[Value::Whole(1), text("a"), Value::Null],
        ];
        for other in others {
            assert_ne!(sum(&[other, &two]), sum(&[&one, &two]), "{other:?}");
        }
        assert_ne!(sum(&[&one, &one]), sum(&[]));
        assert_ne!(sum(&[&one, &one]), sum(&[&two, &two]));
    }
}
