// postern-git: opens one repository beneath its root, gives up everything else, and becomes git in it (DESIGN §3.2). posternd starts it as
// the command's user, in the command's sandbox, which still has all repositories in it.
//
// Or it names the repositories that are there, for the help of a client.
//
// The order: open the repository, hold what git needs, confine to that, and only then let git read.
import Linux
import Policy
import Sandbox

do throws(GitFault) {
    if let task = GitListTask(Environment.value(of:)) {
        var list = RepositoryList(task, try naming(task.root) { () throws(Errno) in try openFile(task.root, [.pathOnly, .directory]) })
        let text = list.text()
        try naming("output") { () throws(Errno) in try Descriptor.standardOutput.writeAll(Array(text.utf8)) }
        exitNow(0)
    }
    let report = Descriptor(owning: GitTask.reportDescriptor)
    guard let task = GitTask(Environment.value(of:)) else { throw GitFault("it is run by posternd") }
    let root = try naming(task.root) { () throws(Errno) in try openFile(task.root, [.pathOnly, .directory]) }
    guard let repository = try Repository.find(task, root) else {
        try naming("report") { () throws(Errno) in try report.writeAll(Array("\(GitTask.missing)\n".utf8)) }
        exitNow(Int32(ExitStatus.refused))
    }
    let hooks = task.opening == .read ? nil : try HookDirectory.make(task)
    try repository.confine(task, root, hooks)
    try naming("repository") { () throws(Errno) in try changeDirectory(to: repository.directory) }
    var argv = task.argv
    if let hooks { argv.insert(contentsOf: ["-c", "core.hooksPath=\(hooks)"], at: 1) }
    let environment = Environment.entries.filter { !$0.hasPrefix(GitTask.prefix) }
    throw GitFault("\"\(argv[0])\": \(execute(argv[0], arguments: argv, environment: environment))")
} catch {
    LogSink.complain("postern-git: \(error.text)")
    exitNow(Int32(ExitStatus.notStarted))
}
