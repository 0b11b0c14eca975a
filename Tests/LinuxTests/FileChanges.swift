import Glibc
import Linux

// What the tests do to files, and Postern does not.

private func check(_ result: Int32) throws(Errno) {
    if result != 0 { throw Errno(errno) }
}

func setMode(_ path: String, _ mode: UInt32) throws(Errno) { try check(chmod(path, mode)) }
func setOwner(_ path: String, _ uid: UInt32) throws(Errno) { try check(lchown(path, uid, uid)) }
func makeLink(_ path: String, to target: String) throws(Errno) { try check(symlink(target, path)) }

/// Removes a directory of at most some levels of plain files.
func removeTree(_ path: String) throws(Errno) {
    guard let stream = opendir(path) else { throw Errno(errno) }
    var names: [String] = []
    while let entry = readdir(stream) {
        names.append(withUnsafePointer(to: &entry.pointee.d_name) { String(cString: UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self)) })
    }
    closedir(stream)
    for name in names where name != "." && name != ".." {
        let inner = path + "/" + name
        if unlink(inner) != 0 { try removeTree(inner) }
    }
    try check(rmdir(path))
}
