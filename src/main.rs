//! The `revalidated` program: everything is in the library.

/// Allocator of the program: runs allocate on one thread and free on another, and this one reuses the memory
/// that was freed last, which is still in the processor's cache.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> std::process::ExitCode {
    revalidated::main()
}
