import Sodium

/// Polynomials modulo x^256 + 1 and q = 3329 as arrays of 256 coefficients, and their transforms (FIPS 203 §4.3).
///
/// Coefficients are small integers that stand for their class modulo q; what is public about them is only how large they can be.
/// Products are Montgomery's: the class of a·b/2^16. No division, branch or index depends on a coefficient.
enum MLKEMRing {
    static let n = 256
    static let q: Int16 = 3329

    /// Replaces a polynomial by its transform (FIPS 203 algorithm 9).
    ///
    /// - Parameter polynomial: coefficients less than q away from zero; those of the result are at most q/2 away.
    static func transform(_ polynomial: inout [Int16]) {
        var a = polynomial.mutableSpan
        let zetas = zetas.span
        var zeta = 1
        for layer in 0..<7 {
            let length = 128 >> layer
            for start in stride(from: 0, to: n, by: 2 * length) {
                for index in start..<start + length {
                    // Each of seven layers makes coefficients larger by less than q: eight times q fit.
                    let product = product(zetas[zeta], a[index + length])
                    a[index + length] = a[index] &- product
                    a[index] = a[index] &+ product
                }
                zeta += 1
            }
        }
        for index in 0..<n { a[index] = reduce(a[index]) }
    }

    /// Replaces a transform by its polynomial, times 2^16 (FIPS 203 algorithm 10): what a sum of ``add(_:_:_:)`` lacks.
    static func transformBack(_ polynomial: inout [Int16]) {
        var a = polynomial.mutableSpan
        let zetas = zetas.span
        var zeta = 127
        for layer in (0..<7).reversed() {
            let length = 128 >> layer
            for start in stride(from: 0, to: n, by: 2 * length) {
                for index in start..<start + length {
                    let (low, high) = (a[index], a[index + length])
                    a[index] = reduce(low &+ high)
                    a[index + length] = product(zetas[zeta], high &- low)
                }
                zeta -= 1
            }
        }
        for index in 0..<n { a[index] = reduce(product(inverseOf128, a[index])) }
    }

    /// Adds the product of two transforms, divided by 2^16, to `sum` (FIPS 203 algorithms 11 and 12).
    ///
    /// Three times, beginning with zeros: then every coefficient is less than 6q away from zero.
    static func add(_ sum: inout [Int16], _ first: [Int16], _ second: [Int16]) {
        precondition(sum.count == n && first.count == n && second.count == n, "no polynomials")
        var sum = sum.mutableSpan
        let (a, b, zetas) = (first.span, second.span, zetas.span)
        for index in stride(from: 0, to: n, by: 2) {
            let zeta = zetas[64 + index / 4]
            let gamma = index % 4 == 0 ? zeta : 0 &- zeta
            let (a0, a1, b0, b1) = (a[index], a[index + 1], b[index], b[index + 1])
            sum[index] = sum[index] &+ product(a0, b0) &+ product(product(a1, b1), gamma)
            sum[index + 1] = sum[index + 1] &+ product(a0, b1) &+ product(a1, b0)
        }
    }

    /// Adds polynomials whose coefficients are less than 4q away from zero.
    static func sum(_ first: [Int16], _ second: [Int16]) -> [Int16] {
        zip(first, second).map { reduce($0 &+ $1) }
    }

    /// Multiplies by 2^16: makes good for what ``add(_:_:_:)`` divides by.
    static func restore(_ polynomial: [Int16]) -> [Int16] {
        polynomial.map { reduce(product(square, reduce($0))) }
    }

    /// The class of `value` that is at most q/2 away from zero (Barrett).
    @inline(__always) static func reduce(_ value: Int16) -> Int16 {
        let times = (Int32(value) &* 20159 &+ 1 << 25) >> 26
        return value &- Int16(truncatingIfNeeded: times) &* q
    }

    /// The class of `value` from 0 to q − 1.
    static func canonical(_ value: Int16) -> UInt16 {
        let reduced = reduce(value)
        return UInt16(bitPattern: reduced &+ (reduced >> 15 & q))
    }

    /// The class of a·b/2^16, less than q away from zero, where a·b is less than 2^15·q away (Montgomery).
    @inline(__always) private static func product(_ a: Int16, _ b: Int16) -> Int16 {
        let whole = Int32(a) &* Int32(b)
        // q · 62209 = 1 modulo 2^16.
        let times = Int16(truncatingIfNeeded: whole) &* Int16(bitPattern: 62209)
        return Int16(truncatingIfNeeded: (whole &- Int32(times) &* Int32(q)) >> 16)
    }

    /// 2^32 modulo q, and that divided by 128.
    private static let square: Int16 = 1353
    private static let inverseOf128: Int16 = 1441

    /// 17 to the power of i's seven bits in reverse, times 2^16 (FIPS 203 appendix A).
    private static let zetas: [Int16] = {
        var powers: [Int32] = [1 << 16 % 3329]
        while powers.count < 128 { powers.append(powers[powers.count - 1] * 17 % 3329) }
        return (0..<128).map { index in
            let reversed = (0..<7).reduce(0) { $0 | (index >> $1 & 1) << (6 - $1) }
            return reduce(Int16(powers[reversed]))
        }
    }()
}
