import HeadraceCodecs
public import HeadraceCore

/// The compressions that files come in.
public enum StandardCodecs {
    /// Every compression that is recognised by its first bytes. One that this build cannot unpack is among them, so
    /// that such a file is an error that says so rather than rubbish.
    public static let all: [any ByteCodec] = [
        CompressionCodec(.gzip), CompressionCodec(.zstd), CompressionCodec(.bzip2), CompressionCodec(.xz),
    ]

    /// The codec of an option's value, such as `gzip`; nil when there is none of that name.
    public static func named(_ name: String) -> (any ByteCodec)? { all.first { $0.name == name } }

    /// A file name's extension without the dot, lower case and with the compression left aside, and the compression.
    ///
    /// `prices.csv.gz` gives `csv` and gzip, `prices.gz` nil and gzip, `.profile` neither.
    public static func splitting(_ name: String) -> (fileExtension: String?, codec: (any ByteCodec)?) {
        let base = FilePath.split(name).name
        let (rest, last) = cut(base)
        guard let last else { return (nil, nil) }
        guard let codec = all.first(where: { $0.extensions.contains(last) }) else { return (last, nil) }
        return (cut(rest).fileExtension, codec)
    }

    private static func cut(_ name: String) -> (rest: String, fileExtension: String?) {
        guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return (name, nil) }
        return (String(name[..<dot]), name[name.index(after: dot)...].lowercased())
    }
}
