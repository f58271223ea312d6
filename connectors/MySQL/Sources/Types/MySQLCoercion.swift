import HeadraceColumnar
import HeadraceCore

/// Which types of rows a column takes that is there already, and how values become the column's where no kernel says.
///
/// Nothing is rounded or cut: a value that the column's type does not hold exactly has no coercion.
enum MySQLCoercion {
    /// Whether values of `source` may go into a column of `target`, each that fits.
    static func isPossible(_ source: DataType, into target: DataType) -> Bool {
        if source == target || target == .utf8 { return true }
        switch (source, target) {
        case (.list, .json), (.struct, .json): return true
        case (.list, _), (.struct, _): return false
        // Text is read as the column's type; what cannot be read is refused row by row.
        case (.utf8, _): return true
        case (_, .json): return source == .bool || source.isNumeric
        case (.timestamp(let from), .timestamp(let into)): return (from == nil) == (into == nil)
        case (.date32, .timestamp(nil)): return true
        // Money never passes through a binary number.
        case (.decimal, .float32), (.decimal, .float64): return false
        default: return source.isNumeric && target.isNumeric
        }
    }

    /// A value that no kernel casts: what becomes JSON, and lists and structs that become text. Nil when it is not JSON.
    static func convert(_ value: Scalar, from source: DataType, into target: DataType) -> Scalar? {
        if value.isNull { return .null }
        guard target == .json, case .utf8(let text) = value else {
            return .utf8(RowText.value(value, source).compactText)
        }
        return (try? JSONValue.parse(text)) == nil ? nil : .utf8(text)
    }
}
