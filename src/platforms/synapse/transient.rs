//! Error numbers of SQL Server that pass by themselves, as Microsoft's own drivers and services list them.
//!
//! Sources: EF Core `SqlServerTransientExceptionDetector` (its list is of all messages of the engine that
//! say to try again), `SqlClient` `SqlConfigurableRetryFactory` and `SqlInternalConnectionTds`, mssql-jdbc
//! `SQLServerError.TransientError`, and "Troubleshoot connectivity issues and common errors" of Azure SQL
//! (transient faults, resource governance). A paused pool, which is in some of them, is a cause of its
//! own; so are the numbers for which the server asks to send less, and those of a cut connection. To
//! them come 922 (the database is being recovered), 18451 and 18461 (only administrators may log in now).

/// Numbers that ask for fewer sessions or statements.
pub(super) const THROTTLED: [u32; 12] = [
    10_928, 10_929, 10_930, 10_936, 40_189, 40_501, 40_642, 40_648, 40_675, 49_918, 49_919, 49_920,
];

/// Numbers of a connection that broke, which drivers report as errors of the server.
pub(super) const BROKEN: [u32; 9] = [20, 64, 121, 233, 997, 10_053, 10_054, 10_060, 11_001];

/// All other numbers that pass, in ascending order.
pub(super) const PASSING: [u32; 145] = [
    539, 601, 615, 617, 669, 921, 922, 926, 927, 941, 952, 982, 988, 1203, 1204, 1205, 1215, 1216,
    1221, 1222, 1232, 1404, 1413, 1421, 1438, 1532, 1533, 1534, 1535, 1807, 2021, 2816, 3429, 3635,
    3935, 3941, 3947, 3948, 3950, 3953, 3957, 3960, 3966, 3980, 4117, 4184, 4221, 5280, 5529, 6292,
    7951, 8628, 8645, 8651, 9020, 9515, 9985, 10_922, 11_539, 14_355, 14_817, 14_868, 14_906,
    16_528, 16_554, 16_555, 17_065, 17_066, 17_067, 17_197, 17_889, 18_401, 18_451, 18_461, 18_858,
    19_413, 19_416, 19_494, 20_041, 21_503, 22_225, 22_226, 22_335, 22_353, 22_355, 22_358, 22_427,
    22_430, 22_491, 22_493, 22_498, 22_754, 22_758, 22_759, 22_760, 22_984, 25_003, 25_738, 25_740,
    30_080, 30_085, 33_123, 35_216, 35_218, 35_256, 35_293, 37_202, 37_327, 39_025, 39_108, 39_110,
    39_151, 39_152, 40_020, 40_106, 40_143, 40_166, 40_197, 40_540, 40_549, 40_550, 40_551, 40_552,
    40_553, 40_613, 40_623, 40_671, 40_890, 40_903, 40_918, 40_938, 41_301, 41_302, 41_305, 41_325,
    41_339, 41_383, 41_614, 41_619, 41_640, 41_700, 41_701, 41_823, 41_839, 41_840,
];

/// The rest of the numbers that pass: those of operations of Azure, in ascending order.
pub(super) const PASSING_OF_AZURE: [u32; 17] = [
    42_029, 42_109, 45_153, 45_156, 45_157, 45_161, 45_179, 45_182, 45_319, 45_547, 47_132, 47_137,
    47_139, 49_510, 49_802, 49_977, 49_983,
];

/// True for a number that passes by itself, and is none of the other lists.
pub(super) fn passes(number: u32) -> bool {
    PASSING.binary_search(&number).is_ok() || PASSING_OF_AZURE.binary_search(&number).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn lists_are_sorted_and_have_no_number_in_common() {
        assert!(PASSING.is_sorted() && PASSING_OF_AZURE.is_sorted());
        let all = [&THROTTLED[..], &BROKEN, &PASSING, &PASSING_OF_AZURE].concat();
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
        for number in [17_197, 18_401, 921, 42_109, 40_613, 539, 41_840] {
            assert!(passes(number), "{number}");
        }
        for number in [18_456, 4060, 42_108, 40_892, 40_501, 102] {
            assert!(!passes(number), "{number}");
        }
    }

    /// `SqlClient`, `SqlConfigurableRetryFactory`: the default list of transient errors.
    const OF_SQL_CLIENT: [u32; 21] = [
        1204, 1205, 1222, 49_918, 49_919, 49_920, 4060, 4221, 40_143, 40_613, 40_501, 40_540,
        40_197, 42_108, 42_109, 10_929, 10_928, 10_060, 10_054, 10_053, 997,
    ];

    /// Numbers of mssql-jdbc, `SQLServerError.TransientError`.
    const OF_JDBC: [u32; 14] = [
        4060, 4221, 40_143, 40_166, 40_197, 40_501, 40_540, 40_613, 10_928, 10_929, 42_108, 42_109,
        49_918, 49_920,
    ];

    /// Azure SQL, "Troubleshoot connectivity issues and other errors": transient fault error codes; and the
    /// two of a server that is starting.
    const OF_DOCUMENTS: [u32; 16] = [
        926, 4060, 4221, 615, 40_197, 40_501, 40_613, 40_540, 49_918, 49_919, 49_920, 10_928,
        10_929, 10_930, 18_401, 17_197,
    ];

    #[test]
    fn every_number_of_the_drivers_is_on_a_list() {
        // A database that cannot be opened and a paused pool are causes of their own.
        let elsewhere = [4060, 42_108];
        for number in OF_SQL_CLIENT.into_iter().chain(OF_JDBC).chain(OF_DOCUMENTS) {
            let is_listed = passes(number)
                || THROTTLED.contains(&number)
                || BROKEN.contains(&number)
                || elsewhere.contains(&number);
            assert!(is_listed, "{number}");
        }
    }
}
