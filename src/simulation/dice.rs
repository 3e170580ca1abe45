//! Numbers that look random and follow from a seed.

use std::ops::RangeInclusive;

/// A generator of numbers (`SplitMix64`): the same seed gives the same numbers.
#[derive(Clone, Debug)]
pub(super) struct Dice(u64);

impl Dice {
    /// Returns a generator for `seed`; `salt` makes it differ from others of the same seed.
    pub(super) fn new(seed: u64, salt: &[u64]) -> Self {
        let mut dice = Self(seed);
        for one in salt {
            dice = Self(dice.next() ^ one.wrapping_mul(0xD6E8_FEB8_6659_FD93));
        }
        dice
    }

    /// Returns the next number.
    pub(super) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Returns a number in `range`.
    pub(super) fn within(&mut self, range: RangeInclusive<i64>) -> i64 {
        let (from, to) = range.into_inner();
        let span = to.abs_diff(from).saturating_add(1);
        from.saturating_add_unsigned(self.next() % span)
    }

    /// Returns true `permille` times in a thousand.
    pub(super) const fn chance(&mut self, permille: u64) -> bool {
        self.next() % 1000 < permille
    }

    /// Returns true once in `times`; never when that is 0.
    pub(super) const fn once_in(&mut self, times: u64) -> bool {
        times != 0 && self.next().is_multiple_of(times)
    }

    /// Returns one of `choices`.
    pub(super) fn pick<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        let count = u64::try_from(choices.len()).unwrap();
        &choices[usize::try_from(self.next() % count).unwrap()]
    }

    /// Returns a duration in milliseconds that ends in each second with the same chance, `mean_secs` on
    /// average.
    pub(super) const fn decaying_ms(&mut self, mean_secs: u64) -> i64 {
        let mut millis = 500;
        while !self.next().is_multiple_of(mean_secs) {
            millis += 1000;
        }
        millis
    }
}
