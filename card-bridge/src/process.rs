//! What others may see of this process.

use std::io;

/// Has no memory of this process written to a core file, nor read by other programs of the same user: passcodes and
/// unlock keys pass through it. Only Linux is asked for it; elsewhere nothing happens.
///
/// # Errors
///
/// When the operating system refuses.
pub fn keep_memory_private() -> io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
        setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
        set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    }
    Ok(())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use rustix::process::{DumpableBehavior, Resource, dumpable_behavior, getrlimit};

    use super::*;

    #[test]
    fn no_core_file_is_written_and_nobody_looks_in() {
        keep_memory_private().unwrap();
        let limit = getrlimit(Resource::Core);
        assert_eq!((limit.current, limit.maximum), (Some(0), Some(0)));
        assert_eq!(dumpable_behavior().unwrap(), DumpableBehavior::NotDumpable);
    }
}
