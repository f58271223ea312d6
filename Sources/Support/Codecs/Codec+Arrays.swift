private let pieceByteCount = 64 << 10

extension Decompressor {
    /// Unpacks one piece of input and appends all it gives to an array.
    ///
    /// - Throws: ``CodecError`` as ``decompress(_:consumed:into:produced:)`` does; what was unpacked before the failure has
    ///   been appended.
    public mutating func decompress(_ input: [UInt8], appendingTo output: inout [UInt8]) throws(CodecError) {
        var offset = 0
        var status = CodecStatus.needsOutput
        while status == .needsOutput {
            var consumed = 0
            status = try append(to: &output) { (room, produced) throws(CodecError) in
                try input.span.withUnsafeBytes { (bytes) throws(CodecError) in
                    try decompress(
                        UnsafeRawBufferPointer(rebasing: bytes[offset...]), consumed: &consumed, into: room,
                        produced: &produced)
                }
            }
            offset += consumed
        }
    }

    /// Unpacks a whole stream.
    ///
    /// - Throws: ``CodecError`` when it is damaged, truncated, followed by garbage or beyond the limit.
    public static func decompress(
        _ input: [UInt8], _ format: CompressionFormat, limit: ExpansionLimit = .standard
    ) throws(CodecError) -> [UInt8] {
        var output: [UInt8] = []
        var decompressor = try Decompressor(format, limit: limit)
        try decompressor.decompress(input, appendingTo: &output)
        try decompressor.finish()
        return output
    }
}

extension Compressor {
    /// Packs one piece of input and appends what it gives so far to an array.
    ///
    /// - Throws: ``CodecError`` when the library behind the codec fails.
    public mutating func compress(_ input: [UInt8], appendingTo output: inout [UInt8]) throws(CodecError) {
        var offset = 0
        var status = CodecStatus.needsOutput
        while status == .needsOutput {
            var consumed = 0
            status = try append(to: &output) { (room, produced) throws(CodecError) in
                try input.span.withUnsafeBytes { (bytes) throws(CodecError) in
                    try compress(
                        UnsafeRawBufferPointer(rebasing: bytes[offset...]), consumed: &consumed, into: room,
                        produced: &produced)
                }
            }
            offset += consumed
        }
    }

    /// Appends the end of the stream to an array; the compressor is done then.
    ///
    /// - Throws: ``CodecError`` when the library behind the codec fails.
    public mutating func finish(appendingTo output: inout [UInt8]) throws(CodecError) {
        var ended = false
        while !ended {
            ended = try append(to: &output) { (room, produced) throws(CodecError) in
                try finish(into: room, produced: &produced)
            }
        }
    }

    /// Packs a whole array.
    ///
    /// - Throws: ``CodecError`` when the library behind the codec fails.
    public static func compress(
        _ input: [UInt8], _ format: CompressionFormat, level: Int? = nil
    ) throws(CodecError) -> [UInt8] {
        var output: [UInt8] = []
        var compressor = try Compressor(format, level: level)
        try compressor.compress(input, appendingTo: &output)
        try compressor.finish(appendingTo: &output)
        return output
    }
}

/// Runs a codec call over scratch memory and appends what it wrote, also when it throws.
private func append<Value>(
    to output: inout [UInt8],
    _ call: (UnsafeMutableRawBufferPointer, inout Int) throws(CodecError) -> Value
) throws(CodecError) -> Value {
    let room = UnsafeMutableRawBufferPointer.allocate(byteCount: pieceByteCount, alignment: 16)
    defer { room.deallocate() }
    var produced = 0
    defer { output.append(contentsOf: UnsafeRawBufferPointer(rebasing: room[..<produced])) }
    return try call(room, &produced)
}
