/// A nondeterministic automaton over bytes, and the table that the subset construction makes of it.
struct Automaton {
    private enum Node {
        /// Reads a byte in one of the ranges and goes on at its target.
        case bytes([Edge])
        /// Goes on at both without reading.
        case either(Int, Int)
        case accept
    }
    private struct Edge: Hashable {
        var range: ClosedRange<UInt8>
        var target: Int
    }
    private struct Rest: Hashable {
        var ranges: [ClosedRange<UInt8>]
        var target: Int
    }

    private var nodes: [Node] = [.accept]
    private var sharedRests: [Rest: Int] = [:]
    private var start = 0
    /// How many times a part of the pattern was added; parts that read nothing add no node but take time.
    private var additions = 0

    init(_ pattern: Pattern) throws(MatcherError) {
        start = try add(pattern, before: 0)
    }

    /// Adds nodes that match `pattern` and go on at `target`; answers where they begin.
    private mutating func add(_ pattern: Pattern, before target: Int) throws(MatcherError) -> Int {
        additions += 1
        guard additions <= Matcher.additionLimit else { throw MatcherError(.tooManyStates(limit: Matcher.stateLimit), at: 0) }
        switch pattern {
        case .scalars(let set): return try add(set, before: target)
        case .sequence(let items):
            var entry = target
            for item in items.reversed() { entry = try add(item, before: entry) }
            return entry
        case .choice(let choices):
            var entry: Int?
            for choice in choices.reversed() {
                let one = try add(choice, before: target)
                entry = if let entry { try add(.either(one, entry)) } else { one }
            }
            return entry ?? target
        case .repeated(let item, let min, let max):
            var entry = target
            if let max {
                for _ in min..<max { entry = try add(.either(try add(item, before: entry), target)) }
            } else {
                entry = try add(.either(target, target))
                nodes[entry] = .either(try add(item, before: entry), target)
            }
            for _ in 0..<min { entry = try add(item, before: entry) }
            return entry
        }
    }

    private mutating func add(_ set: ScalarSet, before target: Int) throws(MatcherError) -> Int {
        var edges: [Edge] = []
        for sequence in set.byteSequences {
            let rest = try add(rest: sequence[1...], before: target)
            edges.append(Edge(range: sequence[0], target: rest))
        }
        return try add(.bytes(edges))
    }

    /// Continuation bytes; equal ones before the same target are one node.
    private mutating func add(rest: ArraySlice<ClosedRange<UInt8>>, before target: Int) throws(MatcherError) -> Int {
        guard let first = rest.first else { return target }
        let key = Rest(ranges: Array(rest), target: target)
        if let known = sharedRests[key] { return known }
        let following = try add(rest: rest.dropFirst(), before: target)
        let node = try add(.bytes([Edge(range: first, target: following)]))
        sharedRests[key] = node
        return node
    }

    private mutating func add(_ node: Node) throws(MatcherError) -> Int {
        guard nodes.count < Matcher.nodeLimit else { throw MatcherError(.tooManyStates(limit: Matcher.stateLimit), at: 0) }
        nodes.append(node)
        return nodes.count - 1
    }

    /// Which bytes no range tells apart: a class number for each byte, and how many classes there are.
    private func byteClasses() -> (of: [UInt8], count: Int) {
        var begins = [Bool](repeating: false, count: 257)
        for case .bytes(let edges) in nodes {
            for edge in edges {
                begins[Int(edge.range.lowerBound)] = true
                begins[Int(edge.range.upperBound) + 1] = true
            }
        }
        var classes: [UInt8] = [0]
        for byte in 1...255 { classes.append(classes[byte - 1] + (begins[byte] ? 1 : 0)) }
        return (classes, Int(classes[255]) + 1)
    }

    /// The subset construction. State 0 is the one that never accepts again, state 1 the first.
    func table() throws(MatcherError) -> Matcher.Table {
        let (classes, classCount) = byteClasses()
        let examples = (0..<classCount).map { number in UInt8(classes.firstIndex(of: UInt8(number)) ?? 0) }
        var closure = Closure(nodeCount: nodes.count)
        var numbers: [[Int]: UInt16] = [[]: 0]
        var states: [[Int]] = [[]]
        var next: [UInt16] = []

        let first = try reachable(from: [start], using: &closure)
        numbers[first] = 1
        states.append(first)
        var current = 0
        while current < states.count {
            for byte in examples {
                let targets = try reachable(from: targets(of: states[current], reading: byte), using: &closure)
                if let known = numbers[targets] {
                    next.append(known)
                } else {
                    guard states.count < Matcher.stateLimit else { throw MatcherError(.tooManyStates(limit: Matcher.stateLimit), at: 0) }
                    numbers[targets] = UInt16(states.count)
                    next.append(UInt16(states.count))
                    states.append(targets)
                }
            }
            current += 1
        }
        return Matcher.Table(classOfByte: classes, next: next, isAccepting: states.map { $0.first == 0 })
    }

    private func targets(of state: [Int], reading byte: UInt8) -> [Int] {
        state.flatMap { node -> [Int] in
            guard case .bytes(let edges) = nodes[node] else { return [] }
            return edges.filter { $0.range.contains(byte) }.map(\.target)
        }
    }

    /// Which nodes were reached already in this round, and how many were visited in all.
    private struct Closure {
        var round = 0
        var roundOfNode: [Int]
        var visits = 0

        init(nodeCount: Int) { roundOfNode = [Int](repeating: 0, count: nodeCount) }
    }

    /// The reading and accepting nodes that are reached from `nodes` without reading, in order.
    private func reachable(from entries: [Int], using closure: inout Closure) throws(MatcherError) -> [Int] {
        closure.round += 1
        var found: [Int] = []
        var waiting = entries
        while let node = waiting.popLast() {
            guard closure.roundOfNode[node] != closure.round else { continue }
            closure.roundOfNode[node] = closure.round
            closure.visits += 1
            guard closure.visits <= Matcher.visitLimit else { throw MatcherError(.tooManyStates(limit: Matcher.stateLimit), at: 0) }
            if case .either(let one, let other) = nodes[node] {
                waiting.append(one)
                waiting.append(other)
            } else {
                found.append(node)
            }
        }
        return found.sorted()
    }
}
