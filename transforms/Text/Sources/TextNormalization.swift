import HeadraceColumnar
public import HeadraceCore

/// Brings the text of a column into one form, so that names that mean the same compare equal.
public struct TextNormalization: Transform {
    /// One step of the normalization.
    public enum Operation: Sendable, Hashable {
        /// Leaves white space out at both ends.
        case trim
        /// Trims, and makes every run of white space one space.
        case collapseWhitespace
        /// Upper case by Unicode's full mapping, the same in every locale: `straße` becomes `STRASSE`.
        case uppercase
        /// Lower case by Unicode's full mapping, the same in every locale.
        case lowercase
        /// Puts one text in the place of another, wherever it occurs.
        case replace(String, with: String)
        /// Makes an empty text null.
        case emptyIsNull
    }

    public let name: String
    /// The text column that is read; null stays null through every operation.
    public let column: String
    /// The column that gets the result, added or replaced.
    public let target: String
    /// Applied in this order, each to the result of the one before.
    public let operations: [Operation]

    /// - Parameters:
    ///   - column: the text column.
    ///   - target: the column that gets the result; by default the column itself.
    ///   - operations: applied in this order.
    public init(_ column: String, into target: String? = nil, _ operations: [Operation], name: String = "normalize") {
        self.column = column
        self.target = target ?? column
        self.operations = operations
        self.name = name
    }

    public func apply(to input: Relation) throws -> Relation {
        let formula = operations.reduce(Formula.column(column)) { text, operation in
            switch operation {
            case .trim: .call(.trim, [text])
            case .collapseWhitespace: .call(.collapseWhitespace, [text])
            case .uppercase: .call(.upper, [text])
            case .lowercase: .call(.lower, [text])
            case .replace(let old, let new):
                .call(.replace, [text, .literal(.utf8(old), .utf8), .literal(.utf8(new), .utf8)])
            case .emptyIsNull:
                .choice(
                    [.init(when: .call(.notEqual, [text, .literal(.utf8(""), .utf8)]), then: text)],
                    otherwise: .literal(.null, .utf8))
            }
        }
        return .derive(step: name, [Projection(target, formula)], input)
    }
}

extension Transform where Self == TextNormalization {
    /// Brings text into one form; operations apply in the order given.
    public static func normalizeText(
        _ column: String, into target: String? = nil, _ operations: TextNormalization.Operation...
    ) -> TextNormalization {
        TextNormalization(column, into: target, operations)
    }
}
