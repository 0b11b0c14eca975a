/// System calls by group. A name that begins with `@` means what systemd.exec(5) says of it, less what is in ``dangerous``.
public enum SystemCalls {
    /// The names in a group, nil for one that is not known. Names this machine lacks are among them.
    public static func group(_ name: String) -> [String]? {
        groups[name].map { $0.split(separator: " ").map(String.init) }
    }

    public static var groupNames: [String] { groups.keys.sorted() }

    /// No sandbox allows these, whatever a policy says: they answer "operation not permitted".
    ///
    /// They reach into other processes, change the machine, enter namespaces, hold keys, or go around the filter.
    public static let dangerous: Set<String> = Set(
        """
        ptrace process_vm_readv process_vm_writev process_madvise kcmp pidfd_getfd perf_event_open lookup_dcookie \
        mount umount umount2 mount_setattr move_mount open_tree fsopen fsconfig fsmount fspick pivot_root chroot \
        unshare setns keyctl add_key request_key bpf userfaultfd io_uring_setup io_uring_enter io_uring_register \
        kexec_load kexec_file_load init_module finit_module delete_module create_module query_module get_kernel_syms \
        reboot swapon swapoff open_by_handle_at acct quotactl quotactl_fd nfsservctl fanotify_init vhangup \
        sethostname setdomainname settimeofday stime adjtimex clock_settime clock_adjtime iopl ioperm modify_ldt vm86 vm86old \
        syslog uselib ustat sysfs _sysctl afs_syscall vserver tuxcall security getpmsg putpmsg \
        setuid setgid setreuid setregid setresuid setresgid setgroups setfsuid setfsgid capset \
        migrate_pages move_pages mbind set_mempolicy set_mempolicy_home_node rtas_call
        """.split(whereSeparator: \.isWhitespace).map(String.init))

    /// Those of them that nobody calls to see whether they are there: they end the command.
    static let deadly: Set<String> = [
        "kexec_load", "kexec_file_load", "init_module", "finit_module", "delete_module", "create_module", "reboot", "swapon", "swapoff",
        "iopl", "ioperm", "open_by_handle_at", "process_vm_writev", "settimeofday", "clock_settime",
    ]

    /// By these a command is started when its filter holds already.
    static let needed = ["rt_sigprocmask", "sendmsg", "execve", "execveat", "exit_group"]

    /// Landlock has no rule for these, so a sandbox that writes nowhere does not have them.
    static let changesOfAttributes = [
        "chmod", "fchmod", "fchmodat", "fchmodat2", "chown", "fchown", "lchown", "fchownat", "utime", "utimes", "futimesat", "utimensat",
        "setxattr", "lsetxattr", "fsetxattr", "setxattrat", "removexattr", "lremovexattr", "fremovexattr", "removexattrat",
    ]

    private static let groups: [String: String] = [
        "@default": """
            arch_prctl brk clock_getres clock_gettime clock_nanosleep execve execveat exit exit_group futex futex_waitv get_robust_list \
            get_thread_area getegid geteuid getgid getgroups getpgid getpgrp getpid getppid getrandom getresgid getresuid getrlimit \
            getsid gettid gettimeofday getuid membarrier mmap munmap nanosleep pause personality prlimit64 restart_syscall rseq \
            rt_sigreturn sched_getaffinity sched_yield set_robust_list set_thread_area set_tid_address setrlimit sigreturn time
            """,
        "@basic-io": """
            close close_range dup dup2 dup3 lseek pread64 preadv preadv2 pwrite64 pwritev pwritev2 read readv write writev
            """,
        "@file-system": """
            access chdir chmod creat faccessat faccessat2 fallocate fchdir fchmod fchmodat fchmodat2 fcntl fgetxattr flistxattr \
            flock fremovexattr fsetxattr fstat fstatfs ftruncate futimesat getcwd getdents getdents64 getxattr inotify_add_watch \
            inotify_init inotify_init1 inotify_rm_watch ioctl lgetxattr link linkat listxattr llistxattr lremovexattr lsetxattr lstat \
            mkdir mkdirat mknod mknodat newfstatat open openat readlink readlinkat removexattr rename renameat renameat2 rmdir \
            setxattr stat statfs statx symlink symlinkat truncate umask unlink unlinkat utime utimensat utimes \
            chown fchown fchownat lchown
            """,
        "@io-event": """
            epoll_create epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 epoll_wait eventfd eventfd2 poll ppoll pselect6 select
            """,
        "@process": """
            clone fork vfork getrusage kill tgkill tkill pidfd_open pidfd_send_signal prctl rt_sigqueueinfo rt_tgsigqueueinfo \
            setpgid setsid times wait4 waitid capget
            """,
        "@signal": """
            rt_sigaction rt_sigpending rt_sigprocmask rt_sigsuspend rt_sigtimedwait sigaltstack signalfd signalfd4
            """,
        "@sync": "fdatasync fsync msync sync sync_file_range syncfs",
        "@timer": """
            alarm getitimer setitimer timer_create timer_delete timer_getoverrun timer_gettime timer_settime timerfd_create \
            timerfd_gettime timerfd_settime
            """,
        "@memory": "madvise mincore mprotect mremap mseal remap_file_pages",
        "@transfer": "copy_file_range fadvise64 readahead sendfile splice tee vmsplice",
        "@inspect": """
            getcpu getpriority get_mempolicy ioprio_get sched_get_priority_max sched_get_priority_min sched_getattr sched_getparam \
            sched_getscheduler sched_rr_get_interval sysinfo uname
            """,
        "@pipe": "pipe pipe2 memfd_create",
        // What works on sockets that exist already, and connected pairs of them.
        "@stream": """
            getpeername getsockname getsockopt recvfrom recvmsg sendmsg sendto setsockopt shutdown socketpair
            """,
        "@network-io": """
            accept accept4 bind connect getpeername getsockname getsockopt listen recvfrom recvmmsg recvmsg sendmmsg sendmsg sendto \
            setsockopt shutdown socket socketpair
            """,
        "@ipc": """
            memfd_create mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedsend mq_unlink msgctl msgget msgrcv msgsnd pipe pipe2 \
            semctl semget semop semtimedop shmat shmctl shmdt shmget
            """,
        "@aio": "io_cancel io_destroy io_getevents io_pgetevents io_setup io_submit",
        "@memlock": "mlock mlock2 mlockall munlock munlockall",
        "@resources": "ioprio_set sched_setaffinity sched_setattr sched_setparam sched_setscheduler setpriority",
        "@pkey": "pkey_alloc pkey_free pkey_mprotect",
        "@sandbox": "landlock_add_rule landlock_create_ruleset landlock_restrict_self seccomp",
    ]
}
