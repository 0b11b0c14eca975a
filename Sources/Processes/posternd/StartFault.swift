import Linux
import Policy
import Sandbox

/// Why a command could not be started: nothing of it was executed.
struct StartFault: Error {
    /// What was being done; the client is told this.
    let step: String
    /// For the log only.
    let detail: String
    let status: UInt32
    /// What the client is told instead, where the request itself is to blame.
    var refusal: Refusal?

    init(_ step: String, _ detail: String, status: UInt32 = ExitStatus.notStarted) {
        self.step = step
        self.detail = detail
        self.status = status
    }

    init(_ error: LaunchError) { self.init("\(error.step)", error.description) }

    init(_ error: ProgramError) {
        if case .missing = error {
            self.init("its program is missing", error.description, status: ExitStatus.programMissing)
        } else {
            self.init("program", error.description)
        }
    }
}
