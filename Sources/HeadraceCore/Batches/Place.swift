/// Where one row came from, for rejects, ties and people.
public struct Place: Sendable, Hashable {
    /// The source's name, secrets left out.
    public var source: String
    /// The file, page or object inside the source.
    public var file: String?
    /// The line of the file at which the record starts, from 1.
    public var line: Int?
    /// The byte of the file at which the record starts, from 0, counted after decompression.
    public var byteOffset: Int?
    /// The row's ordinal in its source, from 1, over all files.
    public var row: Int

    /// A place of which only the source and the row's ordinal must be known; nil stands for what a source cannot tell.
    public init(source: String, file: String? = nil, line: Int? = nil, byteOffset: Int? = nil, row: Int) {
        self.source = source
        self.file = file
        self.line = line
        self.byteOffset = byteOffset
        self.row = row
    }
}

extension Place: CustomStringConvertible {
    /// `orders.csv line 12 (byte 480)`, or the row's ordinal when the source has no lines.
    public var description: String {
        let name = file ?? source
        if let line { return byteOffset.map { "\(name) line \(line) (byte \($0))" } ?? "\(name) line \(line)" }
        return "\(name) row \(row)"
    }
}

/// Knows the place and the original bytes of every row of one chunk of a source.
///
/// Decoders implement it over the chunk's own bytes, so that nothing is paid for rows that never fail.
public protocol Origin: AnyObject, Sendable {
    /// The place of row `row` of the chunk, counted from 0.
    func place(of row: Int) -> Place
    /// The record as it stood in the source, nil when it is not kept.
    func original(of row: Int) -> [UInt8]?
    /// What `place(of:)` says of many rows, as numbers and without an object a row, for operators that keep rows.
    /// - Returns: whether it was written; false asks for `place(of:)` instead.
    func write(_ places: PlaceColumns, of rows: [Int32]?) -> Bool
}

extension Origin {
    /// False: the places are asked for one by one.
    public func write(_ places: PlaceColumns, of rows: [Int32]?) -> Bool { false }
}

/// Where an `Origin` writes the places of rows of one file: `count` numbers each, of the rows asked for or of the first.
public struct PlaceColumns {
    /// Ordinals in the source, from 1.
    public let ordinals: UnsafeMutablePointer<Int64>
    /// Lines from 1; 0 where there is none.
    public let lines: UnsafeMutablePointer<Int64>
    /// Bytes from 0; -1 where there is none.
    public let byteOffsets: UnsafeMutablePointer<Int64>
    /// How many places are wanted.
    public let count: Int
}
