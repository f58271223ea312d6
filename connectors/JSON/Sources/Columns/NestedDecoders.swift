import HeadraceColumnar
import HeadraceCore

/// Columns of lists: arrays, element by element.
final class ListDecoder: ColumnDecoder {
    private let builder: ListBuilder
    private let element: ColumnDecoder
    private var isOpen = false

    init(_ field: Field, _ column: String, _ path: String, _ element: Field, _ builder: ListBuilder) {
        self.builder = builder
        self.element = .make(element, column: column, path: path + "[]", builder: builder.elements)
        super.init(field, column: column, path: path)
    }

    override func append(
        _ token: JSONToken, _ tokenizer: inout JSONTokenizer, _ context: inout DecodingContext
    ) throws(JSONError) {
        guard token == .arrayStart else {
            try context.refuse(token, self, &tokenizer)
            return builder.appendNull()
        }
        isOpen = true
        while true {
            let next = try tokenizer.next()
            if next == .arrayEnd { break }
            if next == .null {
                element.appendMissing(&context)
            } else {
                try element.append(next, &tokenizer, &context)
            }
        }
        builder.closeList()
        isOpen = false
    }

    override func recover() -> Bool {
        guard isOpen else { return false }
        _ = element.recover()
        builder.closeList()
        isOpen = false
        return true
    }

    override func appendNull() { builder.appendNull() }
    override func finish() -> ColumnVector { builder.finish() }
}

/// Columns of structs: objects, member by member.
final class StructDecoder: ColumnDecoder {
    private let builder: StructBuilder
    private let scope: ObjectScope
    private let members: ObjectDecoder
    private var isOpen = false

    init(_ field: Field, _ column: String, _ path: String, _ fields: [Field], _ builder: StructBuilder) {
        self.builder = builder
        scope = ObjectScope(
            zip(fields, builder.fields).map { field, builder in
                .make(field, column: column, path: "\(path).\(field.name)", builder: builder)
            })
        members = ObjectDecoder(
            fields.enumerated().map { (Array($1.name.utf8), .init(column: $0, inner: nil, isObject: false)) },
            path: path)
        super.init(field, column: column, path: path)
    }

    override func append(
        _ token: JSONToken, _ tokenizer: inout JSONTokenizer, _ context: inout DecodingContext
    ) throws(JSONError) {
        guard token == .objectStart else {
            try context.refuse(token, self, &tokenizer)
            return builder.appendNull()
        }
        isOpen = true
        scope.begin()
        try members.decode(into: scope, &tokenizer, &context)
        scope.end(&context)
        builder.closeStruct()
        isOpen = false
    }

    override func recover() -> Bool {
        guard isOpen else { return false }
        scope.recover()
        builder.closeStruct()
        isOpen = false
        return true
    }

    override func appendNull() { builder.appendNull() }
    override func finish() -> ColumnVector { builder.finish() }
}
