import HeadraceColumnar

/// Makes fields of what rows were seen to hold.
///
/// Attributes and elements with text only are fields, elements around them are joined to their names by `_`. What is
/// repeated becomes a list: of values, or of JSON where there is more to it than text. An element with both text and
/// elements inside is one text.
struct FieldFinder {
    private let infersTypes: Bool
    private var fields: [Field] = []
    private var names: Set<String> = []

    /// The fields of the rows that `row` has seen, in the order in which they were met.
    static func fields(of row: SurveyNode, infersTypes: Bool) -> [Field] {
        var finder = FieldFinder(infersTypes: infersTypes)
        finder.add(inside: row, names: [], path: "")
        if row.hasText, row.elements.isEmpty {
            finder.add(["text"], path: ".", type: infersTypes ? row.guess.type : .utf8)
        }
        return finder.fields
    }

    private init(infersTypes: Bool) { self.infersTypes = infersTypes }

    private mutating func add(inside node: SurveyNode, names: [String], path: String) {
        for child in node.children {
            let inner = path.isEmpty ? "" : path + "/"
            let innerNames = names + [child.name]
            let type: DataType = infersTypes ? child.guess.type : .utf8
            if child.isAttribute {
                add(innerNames, path: inner + "@" + child.name, type: type)
                continue
            }
            let path = inner + child.name
            if child.mostInParent > 1 {
                let isPlain = child.children.isEmpty
                add(innerNames, path: path, type: .list(Field("item", isPlain ? type : .json)))
            } else if child.elements.isEmpty {
                if child.hasText || child.attributes.isEmpty { add(innerNames, path: path, type: type) }
                add(inside: child, names: innerNames, path: path)
            } else if child.hasText {
                add(innerNames, path: path, type: .utf8)
                for attribute in child.attributes {
                    let type: DataType = infersTypes ? attribute.guess.type : .utf8
                    add(innerNames + [attribute.name], path: path + "/@" + attribute.name, type: type)
                }
            } else {
                add(inside: child, names: innerNames, path: path)
            }
        }
    }

    private mutating func add(_ parts: [String], path: String, type: DataType) {
        let plain = parts.joined(separator: "_")
        var name = plain
        var number = 2
        while !names.insert(name).inserted {
            name = "\(plain)_\(number)"
            number += 1
        }
        fields.append(Field(name, type, metadata: [FieldPath.metadataKey: path]))
    }
}
