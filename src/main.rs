//! The `revalidated` program: everything is in the library.

/// Runs allocate on one thread and free on another: this one hands out again what was freed last,
/// which the processor still has at hand.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> std::process::ExitCode {
    revalidated::main()
}
