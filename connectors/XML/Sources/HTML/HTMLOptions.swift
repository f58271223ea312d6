import HeadraceColumnar
import HeadraceCore

/// What a reader of HTML is told.
public struct HTMLOptions: Sendable, Hashable {
    /// An XPath expression for the elements that are rows: `//table[@id='prices']//tr[td]`.
    public var rows: String
    /// Where fields stand in a row, as XPath relative to it; nil takes the paths of the schema's fields, or the cells of a table.
    public var fields: [FieldPath]?
    /// What the bytes are encoded in, whatever page and server say.
    public var encoding: String?
    /// Texts that stand for null.
    public var nulls: [String]
    /// Whether types are guessed from the values; without it every field is text.
    public var infersTypes: Bool

    /// Without arguments the rows with cells of the page's first table are read.
    public init(
        rows: String = "//table[1]//tr[td]", fields: [FieldPath]? = nil, encoding: String? = nil, nulls: [String] = [],
        infersTypes: Bool = true
    ) {
        self.rows = rows
        self.fields = fields
        self.encoding = encoding
        self.nulls = nulls
        self.infersTypes = infersTypes
    }
}
