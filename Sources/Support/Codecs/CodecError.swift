/// Why bytes could not be packed or unpacked: which format, where, and what was wrong with them.
public struct CodecError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The kind of failure. New codes may be added; compare with the constants.
    public struct Code: RawRepresentable, Sendable, Hashable {
        /// The code as it is printed and documented.
        public let rawValue: String

        /// Wraps a code's printed form.
        public init(rawValue: String) {
            self.rawValue = rawValue
        }

        /// The bytes are not of the format, or were damaged.
        public static let corrupt = Code(rawValue: "compressedDataCorrupt")
        /// The bytes unpacked, but their checksum or length says that they are not what was packed.
        public static let checksumMismatch = Code(rawValue: "compressedDataChecksumMismatch")
        /// The bytes ended before the stream did.
        public static let truncated = Code(rawValue: "compressedDataTruncated")
        /// Bytes that belong to no stream follow the end of the last one.
        public static let trailingGarbage = Code(rawValue: "compressedDataTrailingGarbage")
        /// Unpacked, the bytes would be more than the ``ExpansionLimit`` allows.
        public static let expandsTooMuch = Code(rawValue: "compressedDataExpandsTooMuch")
        /// The library behind the codec had no memory.
        public static let outOfMemory = Code(rawValue: "codecOutOfMemory")
    }

    /// The kind of failure.
    public let code: Code
    /// One sentence for a person.
    public let message: String
    /// The format that was read or written.
    public let format: CompressionFormat
    /// Packed bytes before the place of the failure.
    public let inputOffset: Int
    /// Unpacked bytes before the place of the failure.
    public let outputOffset: Int

    /// Whether the same call may succeed later: only for a lack of memory. Damaged bytes stay damaged; whether fetching
    /// them again helps is for the one who fetched them to say.
    public var isRetryable: Bool { code == .outOfMemory }

    /// The sentence with the place and the code.
    public var description: String {
        "\(message), at packed byte \(inputOffset), after \(outputOffset) unpacked bytes [\(code.rawValue)]"
    }

    init(_ code: Code, _ message: String, format: CompressionFormat, input: Int = 0, output: Int = 0) {
        self.code = code
        self.message = message
        self.format = format
        inputOffset = input
        outputOffset = output
    }

    /// The same failure as seen from the whole input rather than from one stream of it.
    func located(input: Int, output: Int) -> CodecError {
        CodecError(code, message, format: format, input: input, output: output)
    }
}
