import Policy

/// One line of a log, as it is read.
enum LogLine {
    /// An audit record.
    case record(Record)
    /// A line for people.
    case remark
    /// Neither: half a record, or nothing of ours. It may be only the beginning of a very long one.
    case broken([UInt8])

    struct Record {
        let time: String
        let event: String
        let members: [JSONText.Member]

        func text(_ name: String) -> String? {
            if case .string(let text)? = value(name) { text } else { nil }
        }

        func number(_ name: String) -> Int64? {
            if case .integer(let number)? = value(name) { number } else { nil }
        }

        private func value(_ name: String) -> JSONText? { members.first { $0.name == name }?.value }

        /// Something was not let in, not run, or not recorded as it came.
        var isRefusal: Bool {
            switch event {
            case "authentication": text("result") == "refused"
            case "decision": text("verdict") == "refuse"
            case "failed", "violation", "suppressed", "refused": true
            default: false
            }
        }
    }

    init(_ line: [UInt8]) {
        if line.starts(with: "posternd: ".utf8) || line.isEmpty {
            self = .remark
            return
        }
        do throws(JSONFault) {
            guard case .object(let members) = try JSONText(parsing: line) else {
                self = .broken(line)
                return
            }
            let record = { (name: String) -> String? in
                if case .string(let text)? = members.first(where: { $0.name == name })?.value { text } else { nil }
            }
            guard let time = record("time"), let event = record("event") else {
                self = .broken(line)
                return
            }
            self = .record(Record(time: time, event: event, members: members))
        } catch {
            self = .broken(line)
        }
    }
}
