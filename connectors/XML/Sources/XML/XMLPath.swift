import HeadraceCore

/// A path through elements, as `rows` and `fields` write it.
///
/// Steps are `name`, `prefix:name` or `*`, separated by `/`, or by `//` for any depth. A name without prefix matches
/// in every namespace; a prefix must be declared. A field's path may end in `@name` or `text()`, be `.` for the record
/// itself or `../@name` for an attribute of an element around it, and take one match of several by a last `[n]`.
struct XMLPath: Sendable, Hashable {
    struct Step: Sendable, Hashable {
        /// Nil for any name.
        var name: String?
        /// Nil for any namespace.
        var namespace: String?
        /// Whether elements may lie between the step before and this one.
        var isDeep = false
    }

    enum Target: Sendable, Hashable {
        /// All text of the element.
        case value
        /// The text directly in the element.
        case text
        case attribute(Step)
    }

    var steps: [Step] = []
    var target = Target.value
    /// How many elements outwards the path starts; only attributes can be had from there.
    var levelsUp = 0
    /// The match to take, from 1; nil where several are not expected.
    var position: Int?

    /// The path of the elements that are rows, from the document's root.
    /// - Throws: `badOption`.
    static func rows(_ text: String, namespaces: [String: String]) throws(HeadraceError) -> XMLPath {
        var parser = PathParser(text, namespaces: namespaces, option: "rows")
        if text.hasPrefix("/"), !text.hasPrefix("//") { parser.skip(1) }
        let path = try parser.parse()
        guard path.target == .value, path.levelsUp == 0, path.position == nil, !path.steps.isEmpty else {
            throw parser.refusal("it must lead to elements", hint: "write rows=/catalog/item or rows=//item")
        }
        return path
    }

    /// The path of a field from its row.
    /// - Throws: `badOption`.
    static func field(_ field: FieldPath, namespaces: [String: String]) throws(HeadraceError) -> XMLPath {
        var parser = PathParser(field.path, namespaces: namespaces, option: "fields")
        if field.path.hasPrefix("/"), !field.path.hasPrefix("//") {
            throw parser.refusal("it must start at the row", hint: "write price, offer/price, @id or ../@date")
        }
        if field.path.hasPrefix("./") {
            parser.skip(field.path.hasPrefix(".//") ? 1 : 2)
        }
        let path = try parser.parse()
        if path.levelsUp > 0 {
            guard path.steps.isEmpty, case .attribute = path.target else {
                throw parser.refusal(
                    "outside of the row only attributes can be read", hint: "write ../@name or ../../@name")
            }
        }
        return path
    }

    /// A path of elements from the root with an optional `@name` or `text()` at its end.
    static func document(_ text: String, namespaces: [String: String]) throws(HeadraceError) -> XMLPath {
        var parser = PathParser(text, namespaces: namespaces, option: "path")
        if text.hasPrefix("/"), !text.hasPrefix("//") { parser.skip(1) }
        let path = try parser.parse()
        guard path.levelsUp == 0, path.position == nil, !path.steps.isEmpty else {
            throw parser.refusal("it must start at the root", hint: "write /feed/next/@href")
        }
        return path
    }
}

/// Reads paths.
private struct PathParser {
    private let text: String
    private var rest: Substring
    private let namespaces: [String: String]
    private let option: String

    init(_ text: String, namespaces: [String: String], option: String) {
        self.text = text
        rest = text[...]
        self.namespaces = namespaces
        self.option = option
    }

    mutating func skip(_ count: Int) { rest = rest.dropFirst(count) }

    func refusal(_ reason: String, hint: String? = nil) -> HeadraceError {
        HeadraceError(.badOption, "the path \"\(text)\" cannot be read", because: reason, hint: hint)
    }

    mutating func parse() throws(HeadraceError) -> XMLPath {
        var path = XMLPath()
        if rest.hasSuffix("]"), let open = rest.lastIndex(of: "[") {
            guard let position = Int(rest[rest.index(after: open)...].dropLast()), position > 0 else {
                throw refusal(
                    "only a number from 1 can stand in brackets", hint: "for conditions use a validation rule")
            }
            path.position = position
            rest = rest[..<open]
        }
        guard !rest.isEmpty else { throw refusal("it has no steps") }
        while take("../") { path.levelsUp += 1 }
        if path.levelsUp == 0, rest == "." { return path }
        while true {
            let isDeep = take("//")
            if rest == "text()" {
                guard !isDeep else { throw refusal("text() follows a single /") }
                path.target = .text
                return path
            }
            if take("@") {
                let step = try self.step(isDeep: false)
                guard !isDeep, rest.isEmpty, step.name != nil else {
                    throw refusal("an attribute's name comes last, after a single /")
                }
                path.target = .attribute(step)
                return path
            }
            path.steps.append(try step(isDeep: isDeep))
            if rest.isEmpty { return path }
            if rest.hasPrefix("//") { continue }
            guard take("/"), !rest.isEmpty else {
                throw refusal("a step is a name, prefix:name or *", hint: "conditions in brackets are for HTML only")
            }
        }
    }

    private mutating func take(_ prefix: String) -> Bool {
        guard rest.hasPrefix(prefix) else { return false }
        rest = rest.dropFirst(prefix.count)
        return true
    }

    private mutating func step(isDeep: Bool) throws(HeadraceError) -> XMLPath.Step {
        let end = rest.firstIndex { "/[]()@=<> '\"".contains($0) } ?? rest.endIndex
        let name = rest[..<end]
        rest = rest[end...]
        let parts = name.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard (1...2).contains(parts.count), parts.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." }) else {
            throw refusal(
                name.isEmpty ? "a step is empty" : "\"\(name)\" is no step", hint: "a step is a name, prefix:name or *")
        }
        var step = XMLPath.Step(isDeep: isDeep)
        if parts.count == 2 {
            guard let namespace = namespaces[parts[0]] else {
                throw HeadraceError(
                    .badOption, "the path \"\(text)\" uses the prefix \"\(parts[0])\", which is not declared",
                    hint: "add the option ns.\(parts[0])=URI, or leave the prefix out to match any namespace")
            }
            step.namespace = namespace
        }
        if let last = parts.last, last != "*" { step.name = last }
        return step
    }
}
