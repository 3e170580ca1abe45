//! Sizes of files in the units of the machine.

/// Units with the number of bytes of each, the largest first.
const UNITS: &[(&str, u64)] =
    &[("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];

/// Returns a size with one decimal place in the largest unit that it fills: `1.5 MiB`.
#[must_use]
pub(in crate::cli) fn size(bytes: u64) -> String {
    let Some((unit, each)) = UNITS.iter().find(|(_, each)| *each <= bytes) else {
        return super::counted(usize::try_from(bytes).unwrap_or(usize::MAX), "byte");
    };
    let tenths = u128::from(bytes) * 10 / u128::from(*each);
    format!("{}.{} {unit}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn size_is_in_the_largest_unit_that_it_fills() {
        let table = [
            (0, "0 bytes"),
            (1, "1 byte"),
            (1023, "1023 bytes"),
            (1024, "1.0 KiB"),
            (1_572_864, "1.5 MiB"),
            (1_073_741_823, "1023.9 MiB"),
            (u64::MAX, "16777215.9 TiB"),
        ];
        for (bytes, expected) in table {
            assert_eq!(size(bytes), expected);
        }
    }
}
