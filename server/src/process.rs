//! What others may see of this process, and how much it may open.

use std::io;

/// Has no memory of this process written to a core file, nor read by other programs of the same user: secrets are in
/// it. Only Linux is asked for it; elsewhere nothing happens.
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

/// Lets this process have as many files and connections open as the operating system would let it: what it is given at
/// first, often 1024, is less than the connections of browsers. Only Linux is asked for it.
///
/// # Errors
///
/// When the operating system refuses.
pub fn open_as_many_files_as_allowed() -> io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
        setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })?;
    }
    Ok(())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use rustix::process::{DumpableBehavior, Resource, Rlimit, dumpable_behavior, getrlimit, setrlimit};

    use super::*;

    #[test]
    fn no_core_file_is_written_and_nobody_looks_in() {
        keep_memory_private().unwrap();
        let limit = getrlimit(Resource::Core);
        assert_eq!((limit.current, limit.maximum), (Some(0), Some(0)));
        assert_eq!(dumpable_behavior().unwrap(), DumpableBehavior::NotDumpable);
    }

    #[test]
    fn as_many_files_are_open_as_allowed() {
        let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
        setrlimit(Resource::Nofile, Rlimit { current: Some(100), maximum }).unwrap();
        open_as_many_files_as_allowed().unwrap();
        assert_eq!(getrlimit(Resource::Nofile).current, maximum);
    }
}
