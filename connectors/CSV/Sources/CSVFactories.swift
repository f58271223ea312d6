public import HeadraceColumnar
public import HeadraceCore
public import HeadraceFiles

extension Source where Self == FormatSource<LocalFiles, CSVFormat> {
    /// Rows of the CSV file at `path`, or of all files that match it as a pattern, in byte order of their names.
    ///
    /// Compressed files are recognised by their contents.
    /// - Parameter schema: names, types and nullability; nil infers them from the first file.
    public static func csv(
        at path: String, schema: Schema? = nil, options: CSVOptions = CSVOptions()
    ) -> FormatSource<LocalFiles, CSVFormat> {
        FormatSource(LocalFiles(at: path), CSVFormat(options), codecs: StandardCodecs.all, declared: schema)
    }
}

extension Sink where Self == FormatSink<AtomicFile, CSVEncoder> {
    /// A CSV file at `path`, replaced whole when the run ends; compressed when the name says so, as `prices.csv.gz` does.
    public static func csv(
        at path: String, options: CSVWriteOptions = CSVWriteOptions()
    ) -> FormatSink<AtomicFile, CSVEncoder> {
        FormatSink(AtomicFile(at: path), CSVEncoder(options), codec: StandardCodecs.splitting(path).codec)
    }
}
