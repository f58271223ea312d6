/// Why a digest could not be made: what libcrypto refused, in one sentence.
public struct DigestError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The kind of a digest failure. New codes may be added; compare with the constants.
    public struct Code: RawRepresentable, Sendable, Hashable {
        /// The code as it is printed and documented.
        public let rawValue: String

        /// Wraps a code's printed form.
        public init(rawValue: String) {
            self.rawValue = rawValue
        }

        /// libcrypto does not offer the algorithm, as with MD5 where only FIPS algorithms are allowed.
        public static let unavailable = Code(rawValue: "digestUnavailable")
        /// libcrypto had no memory for another context.
        public static let outOfMemory = Code(rawValue: "digestOutOfMemory")
    }

    /// The kind of failure.
    public let code: Code
    /// One sentence for a person.
    public let message: String
    /// The algorithm by libcrypto's name, such as `MD5`.
    public let algorithm: String

    /// Whether the same call may succeed later: only for a lack of memory.
    public var isRetryable: Bool { code == .outOfMemory }

    /// The sentence with its code.
    public var description: String { "\(message) [\(code.rawValue)]" }

    static func unavailable(_ algorithm: String) -> DigestError {
        DigestError(
            code: .unavailable, message: "libcrypto does not offer the digest \(algorithm) in this process",
            algorithm: algorithm)
    }

    static func outOfMemory(_ algorithm: String) -> DigestError {
        DigestError(
            code: .outOfMemory, message: "libcrypto had no memory for a \(algorithm) context", algorithm: algorithm)
    }
}
