/// Lends the bytes of a text in an allocation of exactly their size, so that a sanitizer sees every read beyond them.
func withCell<Result>(_ text: String, _ body: (_ base: UnsafeRawPointer, _ count: Int) -> Result) -> Result {
    let count = text.utf8.count
    let cell = UnsafeMutableRawPointer.allocate(byteCount: max(count, 1), alignment: 1)
    defer { cell.deallocate() }
    UnsafeMutableRawBufferPointer(start: cell, count: count).copyBytes(from: text.utf8)
    return body(cell, count)
}

/// The text that a formatter writes into an allocation of exactly the capacity it asks for.
func formatted(capacity: Int, _ body: (_ destination: UnsafeMutableRawPointer) -> Int) -> String {
    withUnsafeTemporaryAllocation(byteCount: capacity, alignment: 1) { cell in
        guard let base = cell.baseAddress else { return "" }
        cell.initializeMemory(as: UInt8.self, repeating: 0x7E)
        let length = body(base)
        return String(decoding: UnsafeRawBufferPointer(rebasing: cell[..<length]), as: UTF8.self)
    }
}

/// A generator with a fixed start, so that a failing property test fails again.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
