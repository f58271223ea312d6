import HeadraceColumnar

/// Why a cell has no value of its column's type.
enum CellProblem: Sendable, Hashable {
    case parse(ParseProblem)
    /// Null in a column that must not be.
    case missing
    case zoneMissing
    case zoneUnexpected
    case notJSON
    case notHexadecimal
}

/// A cell that failed.
struct CellFailure: Sendable {
    let row: Int32
    let problem: CellProblem
}

extension CellProblem {
    /// The stable code and the sentence of this problem in a column.
    func described(for field: Field) -> (code: String, message: String) {
        let column = "column \"\(field.name)\" (\(field.type))"
        switch self {
        case .missing: return ("missing", "\(column) is null and must not be")
        case .zoneMissing: return ("notATimestamp", "\(column) holds a time without a zone")
        case .zoneUnexpected: return ("notATimestamp", "\(column) holds a time with a zone, and its type has none")
        case .notJSON: return ("notJSON", "\(column) does not hold JSON")
        case .notHexadecimal: return ("notHexadecimal", "\(column) does not hold pairs of hexadecimal digits")
        case .parse(.outOfRange): return ("outOfRange", "\(column) cannot hold a value of this size")
        case .parse(.tooManyFractionDigits):
            return ("tooManyFractionDigits", "\(column) would have to be rounded: the text has more fraction digits")
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
