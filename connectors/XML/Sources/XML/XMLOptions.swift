import HeadraceColumnar
import HeadraceCore

/// What a reader of XML is told.
public struct XMLOptions: Sendable, Hashable {
    /// The elements that are rows: `/catalog/item`, `//item`; nil looks for an element that is repeated.
    public var rows: String?
    /// Where fields stand in a row; nil takes the paths of the schema's fields, or what the rows hold.
    public var fields: [FieldPath]?
    /// Namespaces by the prefixes that `rows` and `fields` use for them. A name without prefix matches in any namespace.
    public var namespaces: [String: String]
    /// What the bytes are encoded in, whatever the document says; nil goes by byte order mark and declaration.
    public var encoding: String?
    /// Texts that stand for null.
    public var nulls: [String]
    /// Whether types are guessed from the values; without it every field is text.
    public var infersTypes: Bool
    /// The most bytes of text that a record may have.
    public var recordLimit: Int

    /// Without arguments everything is found out from the document.
    public init(
        rows: String? = nil, fields: [FieldPath]? = nil, namespaces: [String: String] = [:], encoding: String? = nil,
        nulls: [String] = [], infersTypes: Bool = true, recordLimit: Int = 16 << 20
    ) {
        self.rows = rows
        self.fields = fields
        self.namespaces = namespaces
        self.encoding = encoding
        self.nulls = nulls
        self.infersTypes = infersTypes
        self.recordLimit = recordLimit
    }

    /// The metadata of inferred fields under which the path of their rows stands.
    static let rowsKey = "rows"

    /// The paths of the fields of a schema, with their types.
    func paths(
        of schema: Schema
    ) throws(HeadraceError) -> [(type: DataType, path: XMLPath)] {
        var paths: [(type: DataType, path: XMLPath)] = []
        for (field, path) in zip(schema.fields, FieldPath.paths(of: schema, given: fields ?? [])) {
            guard CellDecoder.canDecode(field.type) else {
                throw HeadraceError(
                    .unsupported, "the field \"\(field.name)\" cannot be read from XML as \(field.type)",
                    hint: "declare it as json, as a list of plain values, or one field for each part")
            }
            paths.append((field.type, try XMLPath.field(path, namespaces: namespaces)))
        }
        return paths
    }
}
