internal import CLinux

extension Descriptor {
    /// Whether it is on the file system of control groups, version 2.
    public var isControlGroup: Bool {
        var status = statfs()
        // SAFETY: fstatfs(2) fills the structure.
        return unsafe fstatfs(number, &status) == 0 && status.f_type == 0x6367_7270
    }

    /// Whether a service manager has written on this directory that it leaves it to us (systemd.resource-control(5), Delegate=).
    public var isDelegated: Bool {
        ["trusted.delegate", "user.delegate"].contains { name in
            var value: UInt8 = 0
            // SAFETY: fgetxattr(2) reads the name, which ends with a NUL, and writes one byte at most.
            return unsafe fgetxattr(number, name, &value, 1) == 1 && value == UInt8(ascii: "1")
        }
    }
}

/// Whether a child can be started in a control group: containers may hide the call.
public var startsInControlGroups: Bool {
    // Too small a structure: what the kernel says of it comes after the question whether there is the call.
    postern_call(Int(SYS_clone3), 0, 0, 0, 0) < 0 && Errno.last == .invalidArgument
}
