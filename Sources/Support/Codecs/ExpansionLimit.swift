/// How much unpacked data is accepted, so that a small file which unpacks to petabytes ends as an error.
public struct ExpansionLimit: Sendable, Hashable {
    /// Most unpacked bytes; `nil` for any number.
    public var bytes: Int?
    /// Most unpacked bytes for each packed one; `nil` for any ratio.
    public var ratio: Int?
    /// Unpacked bytes up to which the ratio is not looked at, since a small file of one repeated line is no attack.
    public var ratioAppliesAfter: Int

    /// Bounds the unpacked bytes, the ratio to the packed ones, or both.
    public init(bytes: Int? = nil, ratio: Int? = nil, ratioAppliesAfter: Int = 64 << 20) {
        self.bytes = bytes
        self.ratio = ratio
        self.ratioAppliesAfter = ratioAppliesAfter
    }

    /// At most 250 unpacked bytes for each packed one after the first 64 MiB. Real tables and logs stay below 100;
    /// deflate can reach 1,032, the others far more.
    public static let standard = ExpansionLimit(ratio: 250)

    /// No bound, for data of one's own.
    public static let unlimited = ExpansionLimit()

    func check(input: Int, output: Int, format: CompressionFormat) throws(CodecError) {
        if let bytes, output > bytes {
            throw CodecError(
                .expandsTooMuch, "the \(format) data unpacks to more than the \(bytes) bytes allowed", format: format,
                input: input, output: output)
        }
        if let ratio, output > ratioAppliesAfter, output / ratio > input {
            throw CodecError(
                .expandsTooMuch, "the \(format) data unpacks to more than \(ratio) times its size", format: format,
                input: input, output: output)
        }
    }
}
