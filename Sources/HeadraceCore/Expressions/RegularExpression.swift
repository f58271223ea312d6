import Glibc
import HeadraceColumnar

/// A POSIX extended regular expression, compiled once for a batch.
final class RegularExpression {
    private let compiled = UnsafeMutablePointer<regex_t>.allocate(capacity: 1)
    private var isCompiled = false

    /// - Throws: `badOption` with the C library's explanation for a pattern that does not compile.
    init(_ pattern: String) throws {
        let status = regcomp(compiled, pattern, REG_EXTENDED | REG_NOSUB)
        guard status == 0 else {
            var text = [CChar](repeating: 0, count: 256)
            regerror(status, compiled, &text, text.count)
            throw HeadraceError(
                .badOption, "the pattern \"\(pattern)\" is no POSIX extended regular expression",
                because: String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self))
        }
        isCompiled = true
    }

    deinit {
        if isCompiled { regfree(compiled) }
        compiled.deallocate()
    }

    /// Whether the pattern occurs in each text; null where the text is null. Runs over the dictionary where there is one.
    func matches(_ column: ColumnVector) throws -> ColumnVector {
        guard column.type.isText else {
            throw HeadraceError(.schemaMismatch, "a pattern looks into text, not into \(column.type)")
        }
        if let dictionary = column.dictionary {
            let entries = try matches(dictionary)
            let keys = column.unsafeView
            let view = entries.unsafeView
            let builder = BooleanBuilder(capacity: column.count)
            for row in 0..<column.count {
                if keys.isValid(row) { builder.append(view.bool(keys.key(row))) } else { builder.appendNull() }
            }
            return withExtendedLifetime((column, entries)) { builder.finish() }
        }
        let view = column.unsafeView
        let builder = BooleanBuilder(capacity: column.count)
        var text: [CChar] = []
        for row in 0..<column.count {
            guard view.isValid(row) else {
                builder.appendNull()
                continue
            }
            let bytes = view.bytes(row)
            text.removeAll(keepingCapacity: true)
            text.append(contentsOf: bytes.lazy.map { CChar(bitPattern: $0) })
            text.append(0)
            // A pattern sees the text up to a NUL only, so text with one never matches.
            builder.append(!bytes.contains(0) && regexec(compiled, text, 0, nil, 0) == 0)
        }
        return withExtendedLifetime(column) { builder.finish() }
    }
}
