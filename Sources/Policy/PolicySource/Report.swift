import Policy

/// Collects what is wrong, so that one run says everything.
///
/// A class, because every reader adds to the same list.
final class Report {
    private(set) var diagnostics: [Diagnostic] = []
    /// Faults beyond the limit, which are only counted.
    private(set) var unlisted = 0
    /// Those that are not listed included.
    private(set) var errorCount = 0
    private var fileOrder: [String: Int] = [:]

    func error(_ region: Region, _ message: String, hint: String? = nil) {
        add(Diagnostic(.error, at: region, message, hint: hint))
    }

    func error(file: String, _ message: String, hint: String? = nil) {
        add(Diagnostic(file: file, message, hint: hint))
    }

    func warning(_ name: Warning, _ region: Region, allowed: Set<String>, _ message: String, hint: String? = nil) {
        guard !allowed.contains(name.rawValue) else { return }
        add(Diagnostic(.warning, name: name.rawValue, at: region, message, hint: hint))
    }

    var hasErrors: Bool { errorCount > 0 }

    /// By file, those of the policy first, then by line and column.
    var sorted: [Diagnostic] {
        for diagnostic in diagnostics { expect(diagnostic.file) }
        let place = { (one: Diagnostic) in (self.fileOrder[one.file] ?? 0, one.position?.line ?? 0, one.position?.column ?? 0) }
        return diagnostics.sorted { place($0) < place($1) }
    }

    /// Gives a file its place in the order of the output.
    func expect(_ file: String) {
        if fileOrder[file] == nil { fileOrder[file] = fileOrder.count }
    }

    private func add(_ diagnostic: Diagnostic) {
        if diagnostic.severity == .error { errorCount += 1 }
        guard diagnostics.count < Self.limit else {
            unlisted += 1
            return
        }
        diagnostics.append(diagnostic)
    }

    /// More than anyone reads; a key file of a million wrong lines does not fill the screen.
    private static let limit = 200
}
