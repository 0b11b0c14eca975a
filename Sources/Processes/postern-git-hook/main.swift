// postern-git-hook: git's pre-receive and post-receive hook. Before a push changes anything it holds each update against the rules of the
// policy; afterwards it tells the monitor what has changed. Then the policy's own hook runs, if there is one.
import Linux
import Policy
import Sandbox

ignoreBrokenPipes()
let name = ownName
let report = Descriptor(owning: GitTask.reportDescriptor)
do throws(HookFault) {
    let lines = try naming("standard input") { () throws(Errno) in try Descriptor.standardInput.readAll(limit: RefUpdate.longestInput) }
    guard let updates = RefUpdate.all(in: lines) else { throw HookFault("git did not say what is pushed") }
    if name == "pre-receive" {
        guard let rules = Environment.value(of: RefRule.variable).flatMap(RefRule.rules) else { throw HookFault("there are no rules") }
        let refusals = try Judge(rules).refusals(updates)
        for refusal in refusals { try refusal.tell(report) }
        if !refusals.isEmpty { exitNow(1) }
    } else {
        let text = updates.map { "updated \($0.old) \($0.new) \($0.ref)\n" }.joined()
        try naming("report") { () throws(Errno) in try report.writeAll(Array(text.utf8)) }
    }
    exitNow(try PolicyHook.run(name, input: lines))
} catch {
    LogSink.complain("postern-git-hook: \(error.text)")
    exitNow(1)
}
