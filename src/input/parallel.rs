//! Work on thousands of tables side by side.

use std::num::NonZero;
use std::sync::{Mutex, PoisonError};
use std::thread;

/// Threads that work side by side at most, the calling one included.
const THREADS_MAX: usize = 8;
/// Number of items below which other threads are not worth their start.
const ITEMS_MIN: usize = 500;
/// Number of items that a thread takes at a time.
const ITEMS_AT_ONCE: usize = 250;

/// Does `work` on each of `items` on the calling thread and others; the results are in the order of the items.
pub(crate) fn each<T: Send, R: Send>(items: Vec<T>, work: impl Fn(T) -> R + Sync) -> Vec<R> {
    let others = thread::available_parallelism().map_or(1, NonZero::get);
    let others = others.min(THREADS_MAX).min(items.len()).saturating_sub(1);
    let (waiting, done) = (Mutex::new(items.into_iter().enumerate()), Mutex::new(Vec::new()));
    let worker = || {
        let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).next();
        while let Some((at, item)) = next() {
            let result = work(item);
            done.lock().unwrap_or_else(PoisonError::into_inner).push((at, result));
        }
    };
    thread::scope(|scope| {
        for _ in 0..others {
            // Where the system refuses a thread, the others do its share.
            let _refused = thread::Builder::new().spawn_scoped(scope, worker);
        }
        worker();
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_unstable_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}

/// Does `work` on some of `items` at a time, in the same way; few are one part.
pub(crate) fn parts<T: Send, R: Send>(items: Vec<T>, work: impl Fn(Vec<T>) -> R + Sync) -> Vec<R> {
    if items.len() < ITEMS_MIN {
        return vec![work(items)];
    }
    let count = items.len().div_ceil(ITEMS_AT_ONCE);
    let mut items = items.into_iter();
    // Each part has its own memory, and no more: a part that is split off keeps that of all.
    let parts = (0..count).map(|_| items.by_ref().take(ITEMS_AT_ONCE).collect()).collect();
    each(parts, work)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_in_order_and_every_item_is_worked_on_once() {
        for count in [0, 1, ITEMS_MIN - 1, ITEMS_MIN, 10 * ITEMS_MIN + 7] {
            let items: Vec<_> = (0..count).collect();
            assert_eq!(each(items.clone(), |item| item), items);
            assert_eq!(parts(items.clone(), |part| part).concat(), items);
        }
    }
}
