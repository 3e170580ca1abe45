//! The `revalidated` program: everything is in the library.

/// Runs allocate on one thread and free on another, which the system's allocator makes them wait for.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    revalidated::main()
}
