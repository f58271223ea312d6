import HeadraceColumnar
import HeadraceCore

/// How the records of an object become rows of a schema.
struct DecodingPlan: Sendable {
    /// Where inference keeps the way to a flattened column: a pointer of RFC 6901 in the field's metadata.
    static let pathKey = "json.path"
    /// The column of records that are not objects.
    static let valueName = "value"

    let schema: Schema
    let options: JSONReadingOptions
    /// What stands between the names of a flattened column; nil where members of members are no columns.
    let separator: String?
    /// The column that takes each whole record.
    let recordColumn: Int?
    /// Whether records that cannot be read are rejects; otherwise most of them are the document's failure.
    let isByLine: Bool
    /// Whether the types come from looking at the object.
    let isInferred: Bool

    init(
        _ schema: Schema, options: JSONReadingOptions, separator: String?, recordColumn: String?, isByLine: Bool,
        isInferred: Bool
    ) throws(HeadraceError) {
        self.schema = schema
        self.options = options
        self.separator = separator
        self.isByLine = isByLine
        self.isInferred = isInferred
        self.recordColumn = recordColumn.flatMap { schema.index(of: $0) }
        if let index = self.recordColumn, !schema.fields[index].type.isText {
            throw HeadraceError(
                .schemaMismatch, "column \"\(schema.fields[index].name)\" takes whole records and must be json or utf8",
                fields: [("found", "\(schema.fields[index].type)")])
        }
    }

    /// The column that takes records which are not objects: `value`, where it is the only one.
    var valueColumn: Int? {
        let others = schema.fields.indices.filter { $0 != recordColumn }
        guard others.count == 1, schema.fields[others[0]].name == Self.valueName else { return nil }
        return others[0]
    }

    /// The decoders of the columns, and what gives them the members of a record.
    func makeDecoders(capacity: Int) -> (columns: [ColumnDecoder], members: ObjectDecoder) {
        let columns = schema.fields.map { field in
            ColumnDecoder.make(field, ColumnPlace(column: field.name, path: field.name, capacity: capacity))
        }
        var tree = MemberTree()
        for (index, field) in schema.fields.enumerated() where index != recordColumn {
            if let pointer = field.metadata[Self.pathKey] {
                tree.add(Self.names(of: pointer), column: index)
            } else {
                tree.add([field.name], column: index)
                if let separator { tree.addSplits(of: field.name, at: separator, column: index) }
            }
        }
        return (columns, tree.decoder())
    }

    /// A way of names as RFC 6901 writes it.
    static func pointer(_ names: [String]) -> String {
        names.map { name in
            "/" + name.map { $0 == "~" ? "~0" : $0 == "/" ? "~1" : String($0) }.joined()
        }.joined()
    }

    private static func names(of pointer: String) -> [String] {
        pointer.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map { part in
            var name = ""
            var escaped = false
            for character in part {
                if escaped {
                    name.append(character == "1" ? "/" : "~")
                    escaped = false
                } else if character == "~" {
                    escaped = true
                } else {
                    name.append(character)
                }
            }
            return name
        }
    }
}

/// The members of records that lead to columns, as a tree under construction.
private struct MemberTree {
    /// One object of the records.
    private struct Node {
        /// Members in the order they were added.
        var members: [(name: String, column: Int, node: Int)] = []
        var isObject = false
        var path = ""
    }

    private var nodes = [Node(isObject: true)]
    /// Nodes by the text that leads to them.
    private var known: [String: Int] = [:]

    /// Leads the member at the end of a way to a column.
    mutating func add(_ names: [String], column: Int) {
        guard let last = names.last else { return }
        var node = 0
        for count in 1..<max(names.count, 1) {
            let inner = self.node("/" + names[..<count].joined(separator: "/"), path: names[..<count])
            nodes[inner].isObject = true
            connect(node, names[count - 1], to: inner)
            node = inner
        }
        connect(node, last, column: column)
    }

    /// Leads every way that the column's name may stand for to the column: `a_b_c` is `a.b.c`, `a.b_c` or `a_b.c`.
    mutating func addSplits(of name: String, at separator: String, column: Int) {
        let parts = name.split(separator: separator, omittingEmptySubsequences: false).map(String.init)
        guard parts.count > 1, parts.count <= 32 else { return }
        for start in 0..<parts.count {
            let from = start == 0 ? 0 : node("_" + parts[..<start].joined(separator: separator), path: parts[..<start])
            for end in start + 1..<max(parts.count, start + 1) {
                let inner = node("_" + parts[..<end].joined(separator: separator), path: parts[..<end])
                connect(from, parts[start..<end].joined(separator: separator), to: inner)
            }
            connect(from, parts[start...].joined(separator: separator), column: column)
        }
    }

    private mutating func node(_ key: String, path: ArraySlice<String>) -> Int {
        if let node = known[key] { return node }
        nodes.append(Node(path: path.joined(separator: ".")))
        known[key] = nodes.count - 1
        return nodes.count - 1
    }

    private mutating func connect(_ node: Int, _ name: String, column: Int = -1, to inner: Int = -1) {
        if let index = nodes[node].members.firstIndex(where: { $0.name == name }) {
            if nodes[node].members[index].column < 0 { nodes[node].members[index].column = column }
            if nodes[node].members[index].node < 0 { nodes[node].members[index].node = inner }
        } else {
            nodes[node].members.append((name, column, inner))
        }
    }

    /// The decoder of records. Two ways to one object share its decoder.
    func decoder() -> ObjectDecoder {
        var made: [Int: ObjectDecoder] = [:]
        return decoder(0, &made)
    }

    private func decoder(_ node: Int, _ made: inout [Int: ObjectDecoder]) -> ObjectDecoder {
        if let decoder = made[node] { return decoder }
        var members: [(name: [UInt8], member: ObjectDecoder.Member)] = []
        for member in nodes[node].members {
            let inner = member.node < 0 ? nil : decoder(member.node, &made)
            members.append(
                (
                    Array(member.name.utf8),
                    .init(column: member.column, inner: inner, isObject: inner != nil && nodes[member.node].isObject)
                ))
        }
        let decoder = ObjectDecoder(members, path: nodes[node].path)
        made[node] = decoder
        return decoder
    }
}
