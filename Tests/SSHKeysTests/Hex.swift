/// The bytes that hexadecimal digits stand for.
func hex(_ digits: String) -> [UInt8] {
    stride(from: 0, to: digits.utf8.count, by: 2).map { start in
        let pair = digits.dropFirst(start).prefix(2)
        guard let byte = UInt8(pair, radix: 16) else { preconditionFailure("\(pair) is no byte") }
        return byte
    }
}
