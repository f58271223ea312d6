/// What a codec wants next.
public enum CodecStatus: Sendable, Hashable {
    /// All input was taken and all it gives so far was written: bring more, or finish.
    case needsInput
    /// The output is full: call again with the rest of the input and room. There may turn out to be nothing more.
    case needsOutput
}

/// One stream of a format, read by the library that knows it. A step moves what it can.
protocol DecoderBackend: AnyObject {
    /// Takes bytes from `input` and writes bytes to `output`, adding to the counts; `true` when the stream ended.
    func step(
        _ input: UnsafeRawBufferPointer, consumed: inout Int, _ output: UnsafeMutableRawBufferPointer,
        produced: inout Int
    ) throws(CodecError) -> Bool

    /// Makes ready for another stream of the same format.
    func restart() throws(CodecError)
}

/// One stream of a format, written by the library that knows it. A step moves what it can.
protocol EncoderBackend: AnyObject {
    /// Takes bytes from `input` and writes bytes to `output`, adding to the counts. With `finishing` the stream ends
    /// after the input; `true` when its last byte was written.
    func step(
        _ input: UnsafeRawBufferPointer, consumed: inout Int, _ output: UnsafeMutableRawBufferPointer,
        produced: inout Int, finishing: Bool
    ) throws(CodecError) -> Bool
}

/// Bytes that pass as they are, in both directions.
final class IdentityBackend: DecoderBackend, EncoderBackend {
    func step(
        _ input: UnsafeRawBufferPointer, consumed: inout Int, _ output: UnsafeMutableRawBufferPointer,
        produced: inout Int
    ) -> Bool {
        let count = min(input.count - consumed, output.count - produced)
        if count > 0, let from = input.baseAddress, let to = output.baseAddress {
            (to + produced).copyMemory(from: from + consumed, byteCount: count)
            consumed += count
            produced += count
        }
        return false
    }

    func step(
        _ input: UnsafeRawBufferPointer, consumed: inout Int, _ output: UnsafeMutableRawBufferPointer,
        produced: inout Int, finishing: Bool
    ) -> Bool {
        _ = step(input, consumed: &consumed, output, produced: &produced)
        return finishing && consumed == input.count
    }

    func restart() {}
}
