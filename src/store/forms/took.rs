//! Times of the tests of a run to and from their column (LEB128): a byte for each test that took less than an eighth
//! of a second, so that the row of a run stays small.

use std::time::Duration;

use super::super::rows::Took;

/// Bits of a number in each of its bytes.
const BITS: u32 = 7;
/// Mark of a byte that is followed by another one of the same number.
const MORE: u8 = 0x80;

/// Returns the times of tests as the column has them: for each its milliseconds and one, and zero where it was not
/// run; none when no time is known.
pub(in crate::store) fn packed(times: &[Option<Duration>]) -> Option<Vec<u8>> {
    let known = times.iter().rposition(Option::is_some)?;
    let mut bytes = Vec::with_capacity(times.len());
    for time in times.iter().take(known.saturating_add(1)) {
        let mut rest = time.map_or(0, |time| {
            u32::try_from(time.as_millis()).unwrap_or(u32::MAX).saturating_add(1)
        });
        loop {
            let low = u8::try_from(rest & u32::from(!MORE)).unwrap_or(0);
            rest >>= BITS;
            if rest == 0 {
                bytes.push(low);
                break;
            }
            bytes.push(low | MORE);
        }
    }
    Some(bytes)
}

/// Reads the times of tests from the column.
pub(in crate::store) fn unpacked(bytes: Option<&[u8]>) -> Took {
    let (mut times, mut number, mut shift) = (Vec::new(), 0_u32, 0_u32);
    for byte in bytes.unwrap_or_default() {
        let low = u32::from(byte & !MORE);
        number |= low.checked_shl(shift).unwrap_or(0);
        shift = shift.saturating_add(BITS);
        if byte & MORE == 0 {
            let millis = number.checked_sub(1);
            times.push(millis.map(|millis| Duration::from_millis(u64::from(millis))));
            (number, shift) = (0, 0);
        }
    }
    Took(times)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop, prop_assert, prop_assert_eq, proptest};

    use super::*;

    fn millis(times: &[Option<u32>]) -> Vec<Option<Duration>> {
        times.iter().map(|time| time.map(|ms| Duration::from_millis(u64::from(ms)))).collect()
    }

    /// Times in milliseconds, and their bytes.
    type Packed = (&'static [Option<u32>], Option<&'static [u8]>);

    #[test]
    fn times_take_a_byte_or_two_each() {
        let table: [Packed; 7] = [
            (&[], None),
            (&[None, None], None),
            (&[Some(0)], Some(&[1])),
            (&[Some(126), Some(127)], Some(&[127, 0x80, 1])),
            (&[None, Some(12), None, None], Some(&[0, 13])),
            (&[Some(16_382), Some(16_383)], Some(&[0xff, 0x7f, 0x80, 0x80, 1])),
            (&[Some(30_000)], Some(&[0xb1, 0xea, 1])),
        ];
        for (times, expected) in table {
            assert_eq!(packed(&millis(times)).as_deref(), expected, "{times:?}");
        }
        let days = Duration::from_hours(24 * 365);
        let longest = unpacked(packed(&[Some(days)]).as_deref());
        assert_eq!(longest.of(0), Some(Duration::from_millis(u64::from(u32::MAX) - 1)));
    }

    proptest! {
        #[test]
        fn times_are_read_as_they_were_written(
            times in prop::collection::vec(prop::option::of(0..u32::MAX - 1), 0..12),
        ) {
            let times = millis(&times);
            let read = unpacked(packed(&times).as_deref());
            prop_assert_eq!(read.is_empty(), times.iter().all(Option::is_none));
            for (place, time) in times.iter().enumerate() {
                prop_assert_eq!(read.of(place), *time);
            }
            prop_assert_eq!(read.of(times.len()), None);
        }

        #[test]
        fn bytes_of_any_kind_are_read(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            prop_assert!(unpacked(Some(&bytes)).0.len() <= bytes.len());
        }
    }
}
