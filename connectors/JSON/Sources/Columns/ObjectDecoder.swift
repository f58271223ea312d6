import HeadraceColumnar
import HeadraceCore

/// The columns that one kind of object fills: those of a record, or the fields of a struct.
///
/// - Invariant: used by one thread at a time; `seen` has one entry a column and is freed with the scope.
final class ObjectScope {
    let columns: [ColumnDecoder]
    /// The same columns for the inner loop, which must not count references.
    private let pointers: UnsafeMutablePointer<Unmanaged<ColumnDecoder>>
    /// For each column the last object that gave it a value.
    private let seen: UnsafeMutablePointer<UInt64>
    private var object: UInt64 = 0
    private var filled = 0

    init(_ columns: [ColumnDecoder]) {
        self.columns = columns
        pointers = .allocate(capacity: max(columns.count, 1))
        for (index, column) in columns.enumerated() {
            (pointers + index).initialize(to: Unmanaged.passUnretained(column))
        }
        seen = .allocate(capacity: max(columns.count, 1))
        seen.initialize(repeating: 0, count: max(columns.count, 1))
    }

    deinit {
        seen.deallocate()
        pointers.deallocate()
    }

    @inline(__always)
    func column(_ index: Int) -> Unmanaged<ColumnDecoder> { pointers[index] }

    /// Begins the next object. Its number tells a repeated name from a first one.
    @inline(__always)
    func begin() {
        object &+= 1
        filled = 0
    }

    /// The number of the object begun.
    var number: UInt64 { object }

    @inline(__always)
    func has(_ column: Int) -> Bool { seen[column] == object }

    @inline(__always)
    func note(_ column: Int) {
        seen[column] = object
        filled &+= 1
    }

    /// Ends the object: columns without a member get what a missing one gives.
    @inline(__always)
    func end(_ context: inout DecodingContext) {
        if filled != columns.count { fillMissing(&context) }
    }

    @inline(never)
    private func fillMissing(_ context: inout DecodingContext) {
        for index in columns.indices where !has(index) { columns[index].appendMissing(&context) }
    }

    /// Ends an object in whose middle an error was thrown: every column has one value more afterwards.
    func recover() {
        for index in columns.indices where !has(index) {
            if !columns[index].recover() { columns[index].appendNull() }
        }
        filled = columns.count
    }
}

/// Gives the members of an object to columns by their names.
///
/// Used by one thread at a time.
final class ObjectDecoder {
    /// What a member's name leads to.
    struct Member {
        /// The column in the scope, -1 if only members of the member are columns.
        var column: Int
        /// What takes the member apart if it is an object.
        var inner: ObjectDecoder?
        /// Whether the member must be an object or null: known, not guessed from a column's name.
        var isObject: Bool
    }

    private let names: MemberNames
    private let members: [Member]
    /// The column of each member that needs no look at what is inside it, -1 for others.
    private let columns: UnsafeMutablePointer<Int>
    /// How the object is called in messages, as the beginning of a path.
    private let path: String
    /// The record in which the object was met last.
    private var metIn: UInt64 = 0

    init(_ members: [(name: [UInt8], member: Member)], path: String) {
        names = MemberNames(members.map(\.name))
        self.members = members.map(\.member)
        self.path = path
        columns = .allocate(capacity: max(members.count, 1))
        for (index, member) in members.enumerated() {
            (columns + index).initialize(to: member.member.inner == nil ? member.member.column : -1)
        }
    }

    deinit { columns.deallocate() }

    /// The column of the member called `name`, -1 where it has none; nil where what is inside it matters.
    func column(of name: [UInt8]) -> Int? {
        let index = name.withUnsafeBytes { names.index(of: $0, expected: 0) }
        if index < 0 { return -1 }
        return members[index].inner == nil ? members[index].column : nil
    }

    /// Reads the members of the object that was just begun, up to its end.
    func decode(
        into scope: ObjectScope, _ tokenizer: inout JSONTokenizer, _ context: inout DecodingContext
    ) throws(JSONError) {
        metIn = scope.number
        var expected = 0
        while true {
            var index = expected
            if !names.pass(expected, &tokenizer) {
                guard case .key = try tokenizer.next() else { return }
                index =
                    tokenizer.hasEscapes
                    ? names.index(of: context.resolved(tokenizer), expected: expected)
                    : names.index(of: tokenizer.tokenBytes, expected: expected)
            }
            let token = try tokenizer.next()
            guard index >= 0 else {
                context.ignoredMembers &+= 1
                _ = try tokenizer.validate(token)
                continue
            }
            expected = index &+ 1
            let column = columns[index]
            if column >= 0 {
                try decodeValue(column, token, scope, &tokenizer, &context)
            } else {
                try decodeInner(members[index], token, scope, &tokenizer, &context)
            }
        }
    }

    /// Gives the value of a member to its column.
    @inline(__always)
    private func decodeValue(
        _ column: Int, _ token: JSONToken, _ scope: ObjectScope, _ tokenizer: inout JSONTokenizer,
        _ context: inout DecodingContext
    ) throws(JSONError) {
        if scope.has(column) {
            context.repeatsName = true
            _ = try tokenizer.validate(token)
            return
        }
        // The scope keeps the decoder alive.
        unowned(unsafe) let decoder = scope.column(column).takeUnretainedValue()
        if case .null = token {
            decoder.appendMissing(&context)
        } else {
            try decoder.append(token, &tokenizer, &context)
        }
        scope.note(column)
    }

    @inline(never)
    private func decodeInner(
        _ member: Member, _ token: JSONToken, _ scope: ObjectScope, _ tokenizer: inout JSONTokenizer,
        _ context: inout DecodingContext
    ) throws(JSONError) {
        var isObject = false
        if case .objectStart = token { isObject = true }
        guard let inner = member.inner, isObject || member.column < 0 else {
            return try decodeValue(member.column, token, scope, &tokenizer, &context)
        }
        if inner.metIn == scope.number { context.repeatsName = true }
        inner.metIn = scope.number
        switch token {
        case .objectStart: try inner.decode(into: scope, &tokenizer, &context)
        case .null: return
        default:
            let range = try tokenizer.validate(token)
            guard member.isObject else {
                context.ignoredMembers &+= 1
                return
            }
            context.failFlattened(
                inner.path, token, token == .string ? tokenizer.text : DecodingContext.text(tokenizer.bytes, range))
        }
    }
}

extension DecodingContext {
    /// Notes that something else stands where an object is taken apart into columns.
    fileprivate mutating func failFlattened(_ path: String, _ token: JSONToken, _ value: String) {
        guard failure == nil else { return }
        failure = CellFailure(
            problem: .wrongKind, column: path, path: path, type: nil, value: value,
            found: Self.name(of: token))
    }
}
