//! Writes the results for people: `docs/verdict-evaluation.md` and its plots.

use std::fmt::Write;

use super::criteria::{Criterion, everywhere, often, quietest, split};
use super::measure::secs;
use super::peers::PEERS;
use super::plot::plot;
use super::rates::{SHORT, Unit, WORDS, WORTH_MS};
use super::scene::{ACCOUNTS, HOURLY, IN_REGION, Lasting, OFTEN, RUN_MS, SMALL, Scene};
use super::{DAEMONS, Evaluation, FORMER, Line, Mean, OWN, bound, is_on_frontier};
use crate::domain::{Policy, Weights};
use crate::simulation::faults::{DAY, MINUTE, SECOND};

/// Number of seeds of each of the other worlds.
const OTHER_SEEDS: u64 = 1;

/// Returns the part of the document before the tables.
pub(super) fn introduction() -> String {
    let mut text = format!(
        "# How well the default policy decides\n\n\
         Written by `tests/run.sh evaluate`; a test checks that it agrees with the code, and makes a small world again.\n\n\
         A verdict is wrong in two ways: it raises a false alert, or it comes late. Both are\n\
         measured here for the default policy and for those of others, over the same faults. The first row\n\
         comes from the daemon itself in its simulation (`src/simulation`): its planner, store, verdicts and\n\
         outbox, and a receiver with the default events. The others are their rules, over the same answers.\n\n\
         ## Policies\n\n\
         - {OWN}: the [rule of evidence](verdicts.md#the-rule). Failures of one host are one message.\n\
         - {FORMER}: the default before that rule, by `confirm_runs = 3` and `confirm_wait = \"60s\"`: a definitive \
         failure counts at once.\n",
    );
    for peer in PEERS {
        writeln!(text, "- {}: {}.", peer.name, peer.source).unwrap();
    }
    world(&mut text);
    text
}

fn world(text: &mut String) {
    let Scene { hosts, on_each, .. } = OFTEN;
    write!(
        text,
        "\nPolicies of peers are their documented defaults, and settings that their documents give or recommend; a\n\
         check means the same for all, and is due at the same instants. Numbers in examples of syntax are not compared (Gatus: 5, 10\n\
         and 15 failures, 20 min to hours), nor Nagios' templates for hosts, which are for pings (10 attempts, 9 min): such\n\
         patience has hardly a false alert in any world whose short faults end within 5 min.\n\n\
         ## World\n\n\
         {} integrations, {on_each} on each of {hosts} hosts; {IN_REGION} hosts are a region, and each of {ACCOUNTS} accounts has a\n\
         share of the integrations of every host. A run takes {} s. All faults are laid down by a seed before\n\
         anything runs, so that every policy meets the same ones.\n\n\
         | short fault | how often | how long | answers | reason |\n|---|---|---|---|---|\n",
        hosts * on_each,
        RUN_MS / SECOND,
    )
    .unwrap();
    for rate in SHORT {
        let of = match rate.unit {
            Unit::Integration => "integration",
            Unit::Host => "host",
            Unit::Account => "account",
            Unit::Region => "region",
        };
        let time = rate.mean_secs.map_or_else(
            || format!("{} min", rate.fixed_ms / MINUTE),
            |mean| {
                format!(
                    "{mean} s on average with as many short ones as decay gives, below {} min",
                    WORTH_MS / MINUTE
                )
            },
        );
        writeln!(
            text,
            "| {} | {} in ten days and {of} | {time} | {} | {} |",
            rate.name, rate.in_ten_days, rate.answers, rate.reason
        )
        .unwrap();
    }
    wrong_words(text);
    lasting(text);
    terms(text);
}

fn wrong_words(text: &mut String) {
    let (misworded, refused) = (WORDS.answers_per_misworded, WORDS.answers_per_refused);
    writeln!(
        text,
        "| wrong words | one answer in {misworded} | that answer | `missing` or `denied`, as a gateway or an identity \
         provider words them | a gateway that reloads its routes answers 404, an identity provider with a stale \
         node 401: ten a year with a check every five minutes |\n\
         | refused log-in | one answer in {refused} | that answer | `denied`, by the platform itself, so that it \
         must not be tried again | a directory behind a log-in that fails for a moment: once in five years with a \
         check every five minutes |"
    )
    .unwrap();
}

fn lasting(text: &mut String) {
    let (least, longest) = OFTEN.lasting_ms;
    let count = |number: fn(&Lasting) -> i64| {
        format!(
            "{} in {} days, {} in {} days where checks are hourly",
            number(&OFTEN.lasting),
            OFTEN.days,
            number(&HOURLY.lasting),
            HOURLY.days
        )
    };
    writeln!(
        text,
        "\nLasting faults take {} to {} min each, short ones more often:\n\n\
         | lasting fault | how often | answers | reason |\n|---|---|---|---|\n\
         | lost permission | {} of each integration | all denied; of {} in a thousand in words that may be another's | \
         as in the first version: more than in practice, so that detection can be measured |\n\
         | outage of a host | {} of each host | all unreachable or all unavailable | the same |\n\
         | outage of an integration | {} of each integration | all unreachable or all unavailable | an endpoint of its own \
         that fails: without such faults, a policy could ignore what siblings do not share |\n\
         | used-up quota | {} of each integration | all throttled | a monthly quota: without such faults, a policy could \
         ignore throttling |",
        least / MINUTE,
        longest / MINUTE,
        count(|all| all.losses),
        WORDS.doubtful_permille,
        count(|all| all.outages),
        count(|all| all.lone),
        count(|all| all.used_up),
    )
    .unwrap();
}

fn terms(text: &mut String) {
    write!(
        text,
        "\nBlips and outages are unreachable or unavailable with the same chance, so that the class of a failure does not\n\
         say which of the two it is. Lasting faults of one integration are hours apart from each other and from outages of its host.\n\n\
         A **false alert** is a message about a failure while none of these lasting faults was there. **Detection**\n\
         is the time from the fault to the message; a fault without a message counts with all of its time.\n\
         **Messages** are those about the integrations of a host from the beginning of its outage until all\n\
         must have been found healthy. ± is the standard error over the seeds, p99 is over all of them.\n\
         **Frontier**: no other policy has both fewer false alerts and a faster detection, of lost permissions\n\
         or of outages, by more than two standard errors.\n\n\
         ## The bound\n\n\
         The bound is the best that any policy could do which knows the rates above: after a failing check it may raise its alert\n\
         or go on, and each second of delay has a price. Backward induction over the age of the failure (dynamic programming,\n\
         optimal stopping) finds the best age for every price, and the prices make the curve. It is better than any real policy\n\
         can be, because it is given more: after the first failing check it knows whether the host or one integration is hit,\n\
         it checks every second at no cost, and drifts, throttling and wrong words never deceive it. It detects an outage of a\n\
         host by the same scheduled checks as the default policy, over the same outages. Outages of one integration are\n\
         decided apart: the bound takes as long for them as the default policy does. Refused log-ins that must not be tried again are\n\
         false alerts for it as well.\n"
    )
    .unwrap();
}

fn shown(mean: Mean, digits: usize) -> String {
    format!("{:.digits$} ± {:.digits$}", mean.value, mean.error)
}

/// Returns the table of an evaluation.
pub(super) fn table(evaluation: &Evaluation) -> String {
    let lines = evaluation.lines();
    let mut text =
        "| policy | false alerts per integration-year | lost permission: mean, s | p99, s | \
        outage: mean, s | p99, s | messages per outage | frontier |\n\
        |---|---|---|---|---|---|---|---|\n"
            .to_owned();
    for line in &lines {
        let Line { name, false_alerts, lost, lost_p99, outage, outage_p99, messages, .. } = line;
        let frontier = if is_on_frontier(line, &lines) { "yes" } else { "no" };
        writeln!(
            text,
            "| {name} | {} | {} | {lost_p99:.0} | {} | {outage_p99:.0} | {} | {frontier} |",
            shown(*false_alerts, 2),
            shown(*lost, 0),
            shown(*outage, 0),
            shown(*messages, 2),
        )
        .unwrap();
    }
    let own = &lines[0];
    let alerts = evaluation.bound.alerts_at(own.outage.value, own.lone.value);
    let time = evaluation.bound.outage_at(own.false_alerts.value, own.lone.value);
    write!(
        text,
        "| *bound, as soon as the default* | {alerts:.2} | | | {:.0} | | | |\n\
         | *bound, with as many false alerts* | {:.2} | | | {time:.0} | | | |\n",
        own.outage.value, own.false_alerts.value
    )
    .unwrap();
    text
}

/// Returns the table of the lasting faults of single integrations.
fn singles(evaluation: &Evaluation) -> String {
    let mut text =
        "| policy | outage of an integration: mean, s | used-up quota: mean, s |\n|---|---|---|\n"
            .to_owned();
    for Line { name, lone, used_up, .. } in evaluation.lines() {
        writeln!(text, "| {name} | {} | {} |", shown(lone, 0), shown(used_up, 0)).unwrap();
    }
    text
}

/// Part of the document about one of the two large worlds.
pub(super) struct Part {
    /// Text of the part.
    pub(super) text: String,
    /// Plot of the world, and the name of its file.
    pub(super) plot: (String, String),
    /// Targets with what was found.
    pub(super) targets: Vec<Criterion>,
}

/// Returns the part about checks every five minutes, by so many seeds.
pub(super) fn five_minutes(seeds: u64) -> Part {
    let evaluation = Evaluation::of(OFTEN, seeds, DAEMONS.len());
    let targets = often(&evaluation);
    part(&evaluation, ("every five minutes", "five-minutes"), targets)
}

/// Returns the part about hourly checks, by so many seeds.
pub(super) fn hour(seeds: u64) -> Part {
    let evaluation = Evaluation::of(HOURLY, seeds, DAEMONS.len());
    let targets = everywhere(&evaluation);
    part(&evaluation, ("every hour", "hour"), targets)
}

fn part(evaluation: &Evaluation, title_and_name: (&str, &str), targets: Vec<Criterion>) -> Part {
    let (title, name) = title_and_name;
    let file = format!("verdict-evaluation-{name}.svg");
    let mut table_of_targets = "| target | found | met |\n|---|---|---|\n".to_owned();
    for Criterion { target, found, is_met } in &targets {
        let met = if *is_met { "yes" } else { "no" };
        writeln!(table_of_targets, "| {target} | {found} | {met} |").unwrap();
    }
    let text = format!(
        "\n## Checks {title}, {} days, {} seeds\n\n\
         ![False alerts against detection, checks {title}]({file})\n\n{}\n\
         Outages of single integrations and used-up quotas:\n\n{}\nTargets:\n\n{table_of_targets}",
        evaluation.scene.days,
        evaluation.seeds,
        table(evaluation),
        singles(evaluation),
    );
    let title = format!("Checks {title}: false alerts against detection of outages");
    Part { text, plot: (file, plot(&title, evaluation)), targets }
}

/// Worlds besides the two large ones, in which the same rule must be ahead.
fn other_worlds() -> Vec<(&'static str, Scene)> {
    let lasting = Lasting { losses: 1, outages: 1, lone: 1, used_up: 1 };
    let minute = Scene { cron: "* * * * *", interval_ms: MINUTE, days: 2, lasting, ..OFTEN };
    let few = Scene { on_each: 3, hosts: 32, ..OFTEN };
    vec![
        ("half the rates", Scene { rates_percent: 50, ..OFTEN }),
        ("double the rates", Scene { rates_percent: 200, ..OFTEN }),
        ("3 integrations a host", few),
        ("100 integrations a host", Scene { on_each: 100, hosts: 2, ..OFTEN }),
        ("every minute", minute),
        ("hourly, half the rates", Scene { rates_percent: 50, ..HOURLY }),
        ("hourly, double the rates", Scene { rates_percent: 200, ..HOURLY }),
        ("hourly, 3 integrations a host", Scene { on_each: 3, hosts: 32, ..HOURLY }),
    ]
}

/// Returns the table of the other worlds, or of the one of this name alone, and the targets that are missed in them.
pub(super) fn others(only: Option<&str>) -> (String, Vec<String>) {
    let mut all_missed = Vec::new();
    let mut text = format!(
        "\n## Other worlds\n\n\
         The same rule with the same numbers (seeds of each world: {OTHER_SEEDS}); the first table's world where nothing else is said.\n\n\
         | world | false alerts | fewest of a peer | outage: mean, s | bound, false alerts | messages per outage | targets not met |\n\
         |---|---|---|---|---|---|---|\n"
    );
    let worlds = other_worlds().into_iter();
    for (name, scene) in worlds.filter(|(name, _)| only.is_none_or(|only| only == *name)) {
        let evaluation = Evaluation::of(scene, OTHER_SEEDS, 1);
        let lines = evaluation.lines();
        let (own, peers) = split(&lines);
        let peer = quietest(&peers);
        let all = everywhere(&evaluation);
        let missed = all.iter().filter(|one| !one.is_met);
        let missed: Vec<_> = missed.map(|one| format!("{} ({})", one.target, one.found)).collect();
        let missed = if missed.is_empty() { "none".to_owned() } else { missed.join("; ") };
        writeln!(
            text,
            "| {name} | {:.2} | {:.2} ({}) | {:.0} | {:.2} | {:.2} | {missed} |",
            own.false_alerts.value,
            peer.false_alerts.value,
            peer.name,
            own.outage.value,
            evaluation.bound.alerts_at(own.outage.value, own.lone.value),
            own.messages.value,
        )
        .unwrap();
        all_missed
            .extend(all.iter().filter(|one| !one.is_met).map(|one| format!("{name}: {one:?}")));
    }
    (text, all_missed)
}

/// Numbers of consecutive passing runs that are tried for the beginning of steadiness.
const STEADY: [u32; 3] = [30, 100, 300];
/// World in which they are tried: one host, on which short faults are more frequent.
const FREQUENT: Scene = Scene { hosts: 1, short_percent: 300, ..OFTEN };

/// Returns the part about the past of an integration: what it costs and gains to take fewer consecutive passing runs
/// for steadiness than the rule does.
pub(super) fn past() -> String {
    let rule = Weights::RULE.steady_passes;
    let Scene { days, interval_ms, short_percent, .. } = FREQUENT;
    let mut text = format!(
        "\n## The past of an integration\n\n\
         After {rule} consecutive passing runs, three looks without an answer are a failure in place of four. In the worlds\n\
         above no integration gets so far ({} checks in {days} days), and none is quieter than another: short faults come\n\
         independently of the past. So the tables above are the same with and without it. Fewer passing runs would be\n\
         reached here, over the same faults, with those of short faults times {} ({} integrations, seeds: {OTHER_SEEDS}):\n\n\
         | consecutive passing runs | false alerts per integration-year | outage of an integration: mean, s |\n|---|---|---|\n",
        days * DAY / interval_ms,
        short_percent / 100,
        FREQUENT.on_each,
    );
    for passes in STEADY.into_iter().chain([rule]) {
        let weights = Weights { steady_passes: passes, ..Weights::RULE };
        let policy = Policy { weights, ..Policy::default() };
        let found = Evaluation::one_policy(&FREQUENT, OTHER_SEEDS, &policy);
        let row = Line::of(OWN, &FREQUENT, &found);
        let (alerts, lone) = (row.false_alerts.value, row.lone.value);
        writeln!(text, "| {passes} | {alerts:.2} | {lone:.0} |").unwrap();
    }
    let most = bound::steady_alerts(&OFTEN, rule);
    writeln!(
        text,
        "\nWith {rule}, an integration has at most one short fault in as many checks, {:.1} a year, of which few are as old\n\
         as the third look, two minutes: at most {most:.2} false alerts a year more, for 180 s less.",
        secs(365 * DAY) / secs(interval_ms) / f64::from(rule),
    )
    .unwrap();
    text
}

/// Returns the part of the document that the check makes again.
pub(super) fn small() -> String {
    let Scene { hosts, on_each, days, rates_percent, short_percent, .. } = SMALL;
    format!(
        "\n## A small world\n\n\
         {hosts} host with {on_each} integrations for {days} day, all rates times {} and those of short faults times {} besides.\n\
         The check makes this table again.\n\n{}",
        rates_percent / 100,
        short_percent / 100,
        table(&Evaluation::of(SMALL, 1, 1)),
    )
}
