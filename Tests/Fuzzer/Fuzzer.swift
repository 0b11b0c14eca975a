import Fuzzing
import Glibc

/// What the environment asks for.
private let target: FuzzTarget = {
    guard let name = getenv("POSTERN_FUZZ"), let target = FuzzTarget(rawValue: String(cString: name)) else {
        print("fuzzer: POSTERN_FUZZ is one of \(FuzzTarget.allCases.map(\.rawValue).joined(separator: ", "))")
        exit(2)
    }
    return target
}()

/// What libFuzzer calls for each input (https://llvm.org/docs/LibFuzzer.html).
@_cdecl("LLVMFuzzerTestOneInput") public func testOneInput(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    target.run(Array(UnsafeBufferPointer(start: bytes, count: count)))
    return 0
}
