/// A line with a caret under a part of it, as a terminal shows it.
///
/// ```
///     release v1; rm
///               ^
/// ```
public enum Excerpt {
    /// Longer lines are cut around the caret, in columns.
    public static let columns = 100

    /// The two lines, joined by a line feed, each after `indent`.
    ///
    /// - Parameter marked: bytes of `line`; an empty range at its end puts the caret behind the last byte.
    public static func of(_ line: [UInt8], marking marked: Range<Int>, indent: String = "    ") -> String {
        var cells = VisibleText(line).cells
        cells.append(VisibleText.Cell(offset: line.count, text: "", width: 1))
        let first = cells.lastIndex { $0.offset <= marked.lowerBound } ?? 0
        let behind = max(first + 1, cells.firstIndex { $0.offset >= marked.upperBound } ?? cells.count)
        let (shown, isCutBefore, isCutAfter) = window(of: cells, around: first)

        let text = (isCutBefore ? "…" : "") + cells[shown].map(\.text).joined() + (isCutAfter ? "…" : "")
        let column = (isCutBefore ? 1 : 0) + width(of: cells[shown.lowerBound..<first])
        let length = max(1, width(of: cells[first..<min(behind, shown.upperBound)]))
        let caret = String(repeating: " ", count: column) + "^" + String(repeating: "~", count: length - 1)
        return indent + text + "\n" + indent + caret
    }

    /// The cells to show so that `index` is among them, and no more than ``columns`` columns.
    private static func window(of cells: [VisibleText.Cell], around index: Int) -> (Range<Int>, Bool, Bool) {
        var start = index
        var end = index + 1
        var used = cells[index].width
        while start > 0, used + cells[start - 1].width <= columns / 2 {
            start -= 1
            used += cells[start].width
        }
        while end < cells.count, used + cells[end].width <= columns {
            used += cells[end].width
            end += 1
        }
        while start > 0, used + cells[start - 1].width <= columns {
            start -= 1
            used += cells[start].width
        }
        return (start..<end, start > 0, end < cells.count)
    }

    private static func width(of cells: ArraySlice<VisibleText.Cell>) -> Int {
        cells.reduce(0) { $0 + $1.width }
    }
}
