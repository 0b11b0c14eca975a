import Sodium

/// Division in the rings of ``NTRUPrimeRing`` by a fixed number of division steps (Bernstein and Yang, "Fast constant-time gcd
/// computation and modular inversion", 2019, §5 and §7).
///
/// f begins as the reversed modulus of the ring, g as the reversed divisor. A step takes away the constant coefficient of g with the
/// help of f, and may first exchange the two; v and r follow as what the divisor's reciprocal is made of. Coefficients are integers
/// in floating point: all that is computed stays below 2^24, so it is exact, and the time of an addition or multiplication does not
/// depend on it.
struct NTRUPrimeReciprocal {
    // Each with one place in front, so that what is multiplied or divided by x can be read or written there.
    private var f = [Float](repeating: 0, count: places)
    private var g = [Float](repeating: 0, count: places)
    private var v = [Float](repeating: 0, count: places)
    private var r = [Float](repeating: 0, count: places)
    private var spare = Spare()
    private var delta: Int32 = 1
    private let modulus: Modulus

    private static let places = NTRUPrimeRing.p + 2
    private static let steps = 2 * NTRUPrimeRing.p - 1

    /// The reciprocal of a polynomial; `exists` is false, and the reciprocal is nothing, where there is none.
    static func reciprocal(of divisor: [Int16], modulo modulus: Modulus) -> (inverse: [Int16], exists: Bool) {
        var division = NTRUPrimeReciprocal(divisor, modulus)
        for number in 0..<steps { division.step(number) }
        defer { division.wipeAll() }
        return (division.result(), division.delta == 0)
    }

    private init(_ divisor: [Int16], _ modulus: Modulus) {
        let p = NTRUPrimeRing.p
        f[1] = 1
        f[p] = -1
        f[p + 1] = -1
        for index in 0..<p { g[1 + index] = Float(modulus.reduce(Int32(divisor[p - 1 - index]))) }
        r[1] = 1
        self.modulus = modulus
    }

    private mutating func step(_ number: Int) {
        let (f0, g0) = (f[1], g[1])
        // 1 where delta is above zero and g0 is not zero; the sign of a floating-point zero counts for nothing.
        let bits = g0.bitPattern & 0x7fff_ffff
        let exchanges = (bits | (0 &- bits)) >> 31 & UInt32(bitPattern: 0 &- delta) >> 31
        let mask = Int32(bitPattern: 0 &- exchanges)
        delta = (delta ^ mask) &- mask &+ 1
        let exchange = Float(bitPattern: exchanges &* Float(1).bitPattern)
        let change = exchange * (g0 - f0)
        let combination = Combination(exchange: exchange, f: f0 + change, g: g0 - change, modulus: Float(modulus.value))
        // Of f and g only what can still come to stand first, of v and r only what is not zero yet; g is divided by x.
        let remaining = min(NTRUPrimeRing.p + 1, Self.steps - number + 1)
        combination.apply(&f, 1, &g, count: remaining, &spare.f, &spare.g, 0)
        swap(&f, &spare.f)
        swap(&g, &spare.g)
        // v is multiplied by x.
        let reached = min(NTRUPrimeRing.p + 1, number + 2)
        combination.apply(&v, 0, &r, count: reached, &spare.v, &spare.r, 1)
        swap(&v, &spare.v)
        swap(&r, &spare.r)
    }

    /// Where a step's results are written, before they take the place of what they were made from.
    private struct Spare {
        var f = [Float](repeating: 0, count: places)
        var g = [Float](repeating: 0, count: places)
        var v = [Float](repeating: 0, count: places)
        var r = [Float](repeating: 0, count: places)
    }

    /// Exchanges polynomials a and b or not, and makes of b what f·b − g·a is modulo m.
    private struct Combination {
        let exchange, f, g, modulus: Float

        /// Of each polynomial `count` coefficients, the first at the given place or else at 1.
        func apply(
            _ a: inout [Float], _ startA: Int, _ b: inout [Float], count: Int, _ newA: inout [Float], _ newB: inout [Float], _ startNewB: Int
        ) {
            let a = a.span.extracting(startA..<startA + count)
            let b = b.span.extracting(1..<1 + count)
            var newA = newA.mutableSpan
            var newB = newB.mutableSpan
            precondition(1 + count <= newA.count && 0...1 ~= startNewB && 1 + count <= newB.count, "no room for \(count) coefficients")
            let inverse = 1 / modulus
            for index in 0..<count {
                let change = exchange * (b[index] - a[index])
                let (a, b) = (a[index] + change, b[index] - change)
                let x = f * b - g * a
                let times = (x * inverse + NTRUPrimeReciprocal.rounding) - NTRUPrimeReciprocal.rounding
                newA[1 &+ index] = a
                newB[startNewB &+ index] = x - times * modulus
            }
        }
    }

    /// v reversed, divided by the constant that f has become.
    private func result() -> [Int16] {
        let scale = Self.power(Self.integer(f[1]), modulus)
        return (0..<NTRUPrimeRing.p).map { modulus.reduce(scale &* Self.integer(v[NTRUPrimeRing.p - $0])) }
    }

    /// An integer in floating point as one; without the branch that looks whether it is one.
    private static func integer(_ value: Float) -> Int32 {
        Int32(bitPattern: (value + rounding).bitPattern &- rounding.bitPattern)
    }

    /// 1/value modulo a prime m: value to the power of m − 2 (Fermat), which is public.
    private static func power(_ value: Int32, _ modulus: Modulus) -> Int32 {
        let exponent = modulus.value - 2
        var result: Int32 = 1
        for bit in stride(from: Int32.bitWidth - 1, through: 0, by: -1) {
            result = Int32(modulus.reduce(result &* result))
            if exponent >> Int32(bit) & 1 == 1 { result = Int32(modulus.reduce(result &* value)) }
        }
        return result
    }

    private mutating func wipeAll() {
        wipe(&f)
        wipe(&g)
        wipe(&v)
        wipe(&r)
        wipe(&spare.f)
        wipe(&spare.g)
        wipe(&spare.v)
        wipe(&spare.r)
    }

    /// 3 · 2^22: a number has no fraction after this was added, and the lowest bits of the sum are those of the integer.
    private static let rounding: Float = 12_582_912
}
