import HeadraceColumnar
import HeadraceCore

/// Columns of lists: arrays, element by element.
final class ListDecoder: ColumnDecoder {
    private let element: ColumnDecoder
    private var offsets: ValueMemory
    private var isOpen = false

    init(_ field: Field, _ place: ColumnPlace, _ element: Field) {
        self.element = .make(element, place.inside("[]"))
        offsets = ValueMemory(width: 4, capacity: place.capacity + 1)
        offsets.base.storeBytes(of: 0, as: Int32.self)
        super.init(field, place)
    }

    override func append(
        _ token: JSONToken, _ tokenizer: inout JSONTokenizer, _ context: inout DecodingContext
    ) throws(JSONError) {
        guard case .arrayStart = token else {
            try context.refuse(token, self, &tokenizer)
            return appendNull()
        }
        isOpen = true
        elements: while true {
            let next = try tokenizer.next()
            switch next {
            case .arrayEnd: break elements
            case .null: element.appendMissing(&context)
            default: try element.append(next, &tokenizer, &context)
            }
        }
        appendBlank()
        isOpen = false
    }

    override func recover() -> Bool {
        guard isOpen else { return false }
        _ = element.recover()
        appendBlank()
        isOpen = false
        return true
    }

    /// Closes a list that ends with the last element.
    override func appendBlank() {
        precondition(element.count <= Int(Int32.max), "a list column passed 2^31 elements")
        count &+= 1
        if count == offsets.room { offsets.reserve(count &+ 1, keeping: count) }
        offsets.base.storeBytes(
            of: Int32(truncatingIfNeeded: element.count), toByteOffset: count &* 4, as: Int32.self)
    }

    override func finish() -> ColumnVector {
        let (validity, nullCount) = nulls.finish(count)
        return ColumnVector(
            type: type, count: count, nullCount: nullCount, validity: validity, offsets: offsets.finish(count + 1),
            children: [element.finish()])
    }
}

/// Columns of structs: objects, member by member.
final class StructDecoder: ColumnDecoder {
    private let scope: ObjectScope
    private let members: ObjectDecoder
    private var isOpen = false

    init(_ field: Field, _ place: ColumnPlace, _ fields: [Field]) {
        scope = ObjectScope(fields.map { .make($0, place.inside(".\($0.name)")) })
        members = ObjectDecoder(
            fields.enumerated().map { (Array($1.name.utf8), .init(column: $0, inner: nil, isObject: false)) },
            path: place.path)
        super.init(field, place)
    }

    override func append(
        _ token: JSONToken, _ tokenizer: inout JSONTokenizer, _ context: inout DecodingContext
    ) throws(JSONError) {
        guard case .objectStart = token else {
            try context.refuse(token, self, &tokenizer)
            return appendNull()
        }
        isOpen = true
        scope.begin()
        try members.decode(into: scope, &tokenizer, &context)
        scope.end(&context)
        count &+= 1
        isOpen = false
    }

    override func recover() -> Bool {
        guard isOpen else { return false }
        scope.recover()
        count &+= 1
        isOpen = false
        return true
    }

    override func appendBlank() {
        for column in scope.columns { column.appendNull() }
        count &+= 1
    }

    override func finish() -> ColumnVector {
        let (validity, nullCount) = nulls.finish(count)
        return ColumnVector(
            type: type, count: count, nullCount: nullCount, validity: validity,
            children: scope.columns.map { $0.finish() })
    }
}
