//! Parses the command line, runs one command, maps its outcome to an exit code.

fn main() -> std::process::ExitCode {
    tenantry::cli::main()
}
