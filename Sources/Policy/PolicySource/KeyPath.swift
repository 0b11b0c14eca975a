/// The way from the top of a document to a value: `command.release.run[0]`.
struct KeyPath: Hashable, Sendable, CustomStringConvertible {
    enum Step: Hashable, Sendable {
        case key(String)
        /// An element of an array, from 0.
        case index(Int)
    }
    var steps: [Step]

    init(_ steps: [Step] = []) { self.steps = steps }

    static func + (path: KeyPath, key: String) -> KeyPath { KeyPath(path.steps + [.key(key)]) }
    static func + (path: KeyPath, index: Int) -> KeyPath { KeyPath(path.steps + [.index(index)]) }

    var description: String {
        var text = ""
        for step in steps {
            switch step {
            case .key(let key): text += text.isEmpty ? key : ".\(key)"
            case .index(let index): text += "[\(index)]"
            }
        }
        return text
    }
}
