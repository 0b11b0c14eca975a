// postern-probe: tries one forbidden act in whatever sandbox it was started in, and says what the kernel answered. `postern probe` runs it.
import Linux
import Sandbox

// By the environment: a static Swift program reads its arguments from /proc, which a sandbox has not.
guard let word = Environment.value(of: "POSTERN_ACT"), let act = ForbiddenAct(word: word) else {
    LogSink.complain("postern-probe: it is run by \"postern probe\"")
    exitNow(100)
}
switch act.attempt() {
case .worked: print("worked")
case .reached(let errno): print("reached \(errno.number)")
case .refused(let errno): print("refused \(errno.number)")
case .ended: preconditionFailure("nobody tells of an own end")
}
