import Policy

extension Report {
    /// Points at the byte of a string where a parser of the policy's words found a fault.
    func fault(_ fault: some TextFault, in text: Located<String>) {
        let end = text.value.utf8.count
        let offset = min(fault.offset, end)
        split(text.region.part(of: text.value, offset..<min(offset + 1, end)), fault.description)
    }

    /// What follows a semicolon says what to do: the hint.
    func split(_ region: Region, _ description: String) {
        let bytes = Array(description.utf8)
        guard let index = bytes.indices.first(where: { bytes[$0...].starts(with: "; ".utf8) }) else {
            return error(region, description)
        }
        error(
            region, String(decoding: bytes[..<index], as: UTF8.self), hint: String(decoding: bytes[(index + 2)...], as: UTF8.self))
    }
}
