//! The `revalidated` program: everything is in the library.

fn main() -> std::process::ExitCode {
    revalidated::main()
}
