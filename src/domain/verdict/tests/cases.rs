//! Table of cases of the rule of evidence.

/// Policy of a case.
#[derive(Clone, Copy, Debug)]
pub(super) enum By {
    /// The rule, for an integration whose status has not changed lately.
    Rule,
    /// The rule, for an integration that has just passed 10,000 consecutive times.
    Steady,
    /// The rule, for an integration that has failed and recovered lately.
    Unsteady,
    /// The number of `confirm_runs`.
    Runs(u32),
    /// The wait of `confirm_wait`, in seconds.
    Wait(u64),
    /// The number of `recovery_runs`.
    Passes(u32),
}

/// Cases: a name, the policy, and the looks of one integration. Each line has
///
/// - the second at which a look begins and ends,
/// - what is seen: a class of failure, with `?` where the answer may not be the platform's own, with `+7` where
///   7 siblings fail too, with `@600` where the platform asks to wait that long; `passed`, `skipped`,
///   or `refused` for a log-in that was refused; `repeated` for one that is not tried again,
/// - the verdict,
/// - the weight of the kind that weighs most, of the 100 that change the status,
/// - the wait in seconds until the next look; `-` when no more looks are needed.
pub(super) const CASES: &[(&str, By, &str)] = &[
    (
        "a definitive failure in the platform's own words counts at once",
        By::Rule,
        "
        0    denied        failed      100  -",
    ),
    (
        "one that may be a gateway's is asked for once more",
        By::Rule,
        "
        0    missing?      confirming   50  4
        4    missing?      failed      100  -",
    ),
    (
        "one that is gone the second time was not the platform's",
        By::Rule,
        "
        0    missing?      confirming   50  4
        4    passed        passed      100  -",
    ),
    (
        "one that the platform then confirms counts at once",
        By::Rule,
        "
        0    denied?       confirming   50  4
        4    denied        failed      100  -",
    ),
    (
        "a refused log-in counts towards a lock-out, and is not asked for again",
        By::Rule,
        "
        0    refused       failed      100  -
        9    repeated      inconclusive 100 60",
    ),
    (
        "silence needs four looks, further and further apart",
        By::Rule,
        "
        0    unreachable   confirming   25  30
        30   unreachable   confirming   50  90
        120  unavailable   confirming   75  180
        300  unreachable   failed      100  -
        310  unreachable   failed      100  -",
    ),
    (
        "one passing look ends what was not confirmed",
        By::Rule,
        "
        0    unreachable   confirming   25  30
        30   unreachable   confirming   50  90
        120  passed        passed      100  -
        300  unreachable   confirming   25  30",
    ),
    (
        "looks that are too close add nothing, and do not put off the next one",
        By::Rule,
        "
        0    unreachable   confirming   25  30
        10   unreachable   confirming   25  20
        29   unavailable   confirming   25  1
        30   unreachable   confirming   50  90",
    ),
    (
        "siblings that have no answer either confirm it, once it is old enough",
        By::Rule,
        "
        0    unreachable+7 confirming   25  30
        30   unreachable+7 confirming   50  90
        114  unreachable+7 confirming   50  6
        120  unreachable+7 failed      100  -",
    ),
    (
        "siblings confirm it also at a look that adds nothing itself",
        By::Rule,
        "
        0    unreachable+7 confirming   25  30
        30   unreachable+7 confirming   50  90
        115  unavailable+7 failed      100  -",
    ),
    (
        "siblings say nothing about a definitive failure or throttling",
        By::Rule,
        "
        0    throttled+7   confirming   15  150
        150  throttled+7   confirming   30  150
        300  missing?+7    confirming   50  4
        304  missing?+7    failed      100  -",
    ),
    (
        "throttling needs a quarter of an hour of it",
        By::Rule,
        "
        0    throttled     confirming   15  150
        60   throttled     confirming   15  90
        150  throttled     confirming   30  150
        300  throttled     confirming   45  150
        450  throttled     confirming   60  150
        600  throttled     confirming   75  150
        750  throttled     confirming   90  150
        900  throttled     failed      100  -",
    ),
    (
        "a platform that asks for a longer wait gets it, an hour at most",
        By::Rule,
        "
        0    throttled@600 confirming   15  600
        600  throttled@9   confirming   30  150
        750  throttled@99999 confirming 45  3600",
    ),
    (
        "a wrong answer amid silence does not confirm it",
        By::Rule,
        "
        0    unreachable   confirming   25  30
        30   unreachable   confirming   50  90
        120  unreachable   confirming   75  180
        300  missing?      confirming   75  4
        304  unreachable   failed      100  -",
    ),
    (
        "throttling makes silence no older, and adds nothing to it",
        By::Rule,
        "
        0    throttled     confirming   15  150
        150  unreachable+7 confirming   25  30
        180  throttled     confirming   30  150
        330  unreachable+7 failed      100  -",
    ),
    (
        "a fault on the daemon's side and a run without tests are no evidence",
        By::Rule,
        "
        0    unreachable   confirming   25  30
        30   local         inconclusive 25  60
        60   skipped       inconclusive 25  60
        90   unreachable   confirming   50  90",
    ),
    (
        "a definitive failure counts whatever was seen before",
        By::Rule,
        "
        0    unreachable   confirming   25  30
        3    expired       failed      100  -
        9    unreachable   failed      100  -",
    ),
    (
        "one passing look is a recovery where the status is steady",
        By::Rule,
        "
        0    denied        failed      100  -
        300  passed        passed      100  -
        600  passed        passed      100  -",
    ),
    (
        "after 10,000 consecutive passing runs, three looks without an answer are enough",
        By::Steady,
        "
        0    unreachable   confirming   34  30
        10   unavailable   confirming   34  20
        30   unavailable   confirming   68  90
        120  unreachable   failed      100  -
        300  passed        passed      100  -
        600  unreachable   confirming   25  30",
    ),
    (
        "10,000 consecutive passing runs say nothing about throttling, nor about another's words",
        By::Steady,
        "
        0    throttled     confirming   15  150
        150  missing?      confirming   50  4
        154  passed        passed      100  -
        160  unreachable   confirming   25  30",
    ),
    (
        "where it changes often, silence needs more looks, and recovery two",
        By::Unsteady,
        "
        0    unreachable   confirming   20  30
        30   unreachable   confirming   40  90
        120  unreachable   confirming   60  180
        300  unreachable   confirming   80  180
        480  unreachable   failed      100  -
        600  passed        recovering   50  60
        630  passed        recovering   50  30
        660  passed        passed      100  -
        900  passed        passed      100  -",
    ),
    (
        "where it changes often, a failure between two passing looks begins anew",
        By::Unsteady,
        "
        0    denied        failed      100  -
        300  passed        recovering   50  60
        360  unreachable   confirming   20  30
        390  passed        recovering   50  60
        450  passed        passed      100  -",
    ),
    (
        "where it changes often, what is definitive and certain still counts at once",
        By::Unsteady,
        "
        0    denied        failed      100  -",
    ),
    (
        "after a clock rollback, looks that lie ahead are no reason to wait",
        By::Rule,
        "
        900  unreachable   confirming   25  30
        100  unreachable   confirming   50  90",
    ),
    (
        "`confirm_runs` counts runs in place of the rule, a minute apart",
        By::Runs(3),
        "
        0    unreachable   confirming   33  60
        59   unavailable   confirming   33  1
        60   throttled     confirming   66  60
        120  unreachable+9 failed      100  -",
    ),
    (
        "`confirm_runs = 1` makes a failure of every look",
        By::Runs(1),
        "
        0    unreachable   failed      100  -",
    ),
    (
        "with `confirm_runs`, a definitive failure counts at once whoever answered",
        By::Runs(3),
        "
        0    missing?      failed      100  -",
    ),
    (
        "with `confirm_runs`, siblings are not asked",
        By::Runs(4),
        "
        0    unreachable   confirming   25  60
        200  unreachable+9 confirming   50  60",
    ),
    (
        "`confirm_wait` alone means three runs",
        By::Wait(10),
        "
        0    unreachable   confirming   33  10
        10   unreachable   confirming   66  10
        20   unreachable   failed      100  -",
    ),
    (
        "`recovery_runs` counts passing runs in place of the rule",
        By::Passes(2),
        "
        0    passed        recovering   50  60
        1    passed        passed      100  -
        2    passed        passed       50  -
        9    unreachable   confirming   25  30
        39   passed        recovering   50  60
        40   denied        failed      100  -
        41   passed        recovering   50  60
        42   passed        passed      100  -",
    ),
];
