import Sandbox

/// A seccomp program that finds a call's verdict by halving the numbers.
///
/// Neighbours with one verdict share a leaf. That makes the program a third of the size of one with a leaf per call,
/// and what it costs to load (translation, and the kernel's trial run for every number) goes with size and depth.
struct FilterTree {
    /// What becomes of a call.
    enum Leaf: Equatable {
        case verdict(FilterInstruction.Verdict)
        case arguments(ArgumentRule)

        var instructions: [FilterInstruction] {
            switch self {
            case .verdict(let verdict): [.finish(verdict)]
            case .arguments(let rule): rule.instructions
            }
        }
    }

    /// The first number of each run of calls that share a leaf, from 0 on.
    private var runs: [(start: UInt32, leaf: Leaf)] = []

    /// - Parameter otherwise: the leaf of all numbers without an entry.
    init(_ leaves: [UInt32: Leaf], otherwise: Leaf) {
        runs = [(0, otherwise)]
        for number in leaves.keys.sorted() {
            begin(number, leaves[number] ?? otherwise)
            begin(number + 1, otherwise)
        }
    }

    private mutating func begin(_ start: UInt32, _ leaf: Leaf) {
        if let last = runs.last, last.start == start { runs.removeLast() }
        if runs.last?.leaf != leaf { runs.append((start, leaf)) }
    }

    /// Calls of other architectures kill.
    func instructions(on architecture: Architecture) -> [FilterInstruction] {
        var code = BackwardCode()
        let start = place(runs[...], in: &code)
        return FilterInstruction.refuseCalls(foreignTo: architecture) + code.instructions(from: start)
    }

    /// Returns where the code for these runs begins.
    private func place(_ runs: ArraySlice<(start: UInt32, leaf: Leaf)>, in code: inout BackwardCode) -> Int {
        let half = runs.startIndex + runs.count / 2
        guard half > runs.startIndex else {
            guard let run = runs.first else { preconditionFailure("a tree has at least one run") }
            return place(run.leaf, in: &code)
        }
        let above = place(runs[half...], in: &code)
        let below = place(runs[..<half], in: &code)
        return code.jump(ifAtLeast: runs[half].start, above, below)
    }

    private func place(_ leaf: Leaf, in code: inout BackwardCode) -> Int {
        switch leaf {
        case .verdict(let verdict): code.finish(verdict)
        case .arguments(let rule): code.place(rule.instructions)
        }
    }
}

/// Code written from its end to its beginning, so that what is jumped to is known. A place is counted from the end.
private struct BackwardCode {
    private var reversed: [FilterInstruction] = []
    private var verdicts: [(verdict: FilterInstruction.Verdict, place: Int)] = []

    /// A jump on the loaded number.
    mutating func jump(ifAtLeast value: UInt32, _ above: Int, _ below: Int) -> Int {
        // A jump reaches 255 instructions; the second may push the first one further off.
        let near = reachable(above, margin: 2)
        let other = reachable(below, margin: 1)
        return append(.jump(ifAtLeast: value, then: UInt8(distance(to: near)), otherwise: UInt8(distance(to: other))))
    }

    /// The same verdict is written once where it is within reach.
    mutating func finish(_ verdict: FilterInstruction.Verdict) -> Int {
        if let known = verdicts.last(where: { $0.verdict == verdict }), distance(to: known.place) < 200 { return known.place }
        let place = append(.finish(verdict))
        verdicts.append((verdict, place))
        return place
    }

    mutating func place(_ instructions: [FilterInstruction]) -> Int {
        reversed += instructions.reversed()
        return reversed.count - 1
    }

    func instructions(from start: Int) -> [FilterInstruction] {
        start == reversed.count - 1 ? reversed.reversed() : [.skip(distance(to: start))] + reversed.reversed()
    }

    private mutating func reachable(_ place: Int, margin: Int) -> Int {
        distance(to: place) + margin <= 255 ? place : append(.skip(distance(to: place)))
    }

    /// From the instruction that would be written next.
    private func distance(to place: Int) -> Int { reversed.count - place - 1 }

    private mutating func append(_ instruction: FilterInstruction) -> Int {
        reversed.append(instruction)
        return reversed.count - 1
    }
}
