/// Why the text of a cell has no value of its column's type.
public enum CellProblem: Sendable, Hashable {
    /// The text does not read as the type.
    case parse(ParseProblem)
    /// Null in a column that must not be.
    case missing
    /// Text that is not UTF-8, nor of the encoding that was declared.
    case badUTF8
    /// A time without a zone in a column of instants.
    case zoneMissing
    /// A time with a zone in a column without one.
    case zoneUnexpected
    /// Something other than one JSON document in a column of documents, lists or structs.
    case notJSON
    /// JSON that a list or struct column does not take.
    case wrongShape
    /// Bytes that are not written as pairs of hexadecimal digits.
    case notHexadecimal
}

/// A cell that failed.
package struct CellFailure: Sendable {
    /// The row in its batch, from 0.
    package let row: Int32
    package let problem: CellProblem

    package init(row: Int32, problem: CellProblem) {
        self.row = row
        self.problem = problem
    }
}

extension CellProblem {
    /// The stable code and the sentence of this problem in a column, as rejects carry them; holds no value of the cell.
    public func described(for field: Field) -> (code: String, message: String) {
        let column = "column \"\(field.name)\" (\(field.type))"
        switch self {
        case .missing: return ("missing", "\(column) is null and must not be")
        case .badUTF8: return ("badUTF8", "\(column) holds bytes that are not UTF-8")
        case .zoneMissing: return ("notATimestamp", "\(column) holds a time without a zone")
        case .zoneUnexpected: return ("notATimestamp", "\(column) holds a time with a zone, and its type has none")
        case .notJSON: return ("notJSON", "\(column) does not hold JSON")
        case .wrongShape: return ("wrongShape", "\(column) holds JSON of another shape")
        case .notHexadecimal: return ("notHexadecimal", "\(column) does not hold pairs of hexadecimal digits")
        case .parse(.outOfRange): return ("outOfRange", "\(column) cannot hold a value of this size")
        case .parse(.tooManyFractionDigits):
            return ("tooManyFractionDigits", "\(column) would have to be rounded: the text has more fraction digits")
        case .parse(.malformed):
            return (Self.code(field.type), "column \"\(field.name)\": the text is not \(field.type.withArticle)")
        case .parse(let problem): return (Self.code(field.type), "\(column): the text \(problem)")
        }
    }

    private static func code(_ type: DataType) -> String {
        switch type {
        case .bool: "notABoolean"
        case .decimal: "notADecimal"
        case .date32: "notADate"
        case .time64: "notATime"
        case .timestamp: "notATimestamp"
        case .list(let element): code(element.type)
        default: type.isInteger ? "notAnInteger" : "notANumber"
        }
    }
}
