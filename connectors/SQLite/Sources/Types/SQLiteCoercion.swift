import HeadraceColumnar
import HeadraceCore

/// Which types of rows a column takes that is there already, and how a value becomes one of the column's.
///
/// Nothing is rounded or cut: a value that the column's type does not hold exactly has no coercion.
enum SQLiteCoercion {
    /// Whether values of `source` may go into a column of `target`, each that fits.
    static func isPossible(_ source: DataType, into target: DataType) -> Bool {
        if source == target || target == .utf8 { return true }
        switch (source, target) {
        case (.list, .json), (.struct, .json), (.json, .json): return true
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

    /// The value as one of `target`, nil when it does not fit exactly.
    static func convert(_ value: Scalar, from source: DataType, into target: DataType) -> Scalar? {
        if value.isNull { return .null }
        let converted: Scalar? =
            switch target {
            case .utf8: .utf8(text(value, source))
            case .json: json(value, source)
            case .float32, .float64: double(value)
            case .decimal: decimal(value)
            case .timestamp: timestamp(value, target)
            default: target.isInteger ? integer(value) : other(value, target)
            }
        guard let converted, converted.fits(target) else { return nil }
        return converted
    }

    // MARK: - Kinds

    private static func text(_ value: Scalar, _ type: DataType) -> String {
        switch (value, type) {
        case (.timestamp(let instant), .timestamp(let zone)):
            return Temporal.formatTimestamp(instant, hasZone: zone != nil)
        case (.utf8(let text), _): return text
        case (.list, _), (.struct, _): return RowText.value(value, type).compactText
        default: return value.description
        }
    }

    private static func json(_ value: Scalar, _ type: DataType) -> Scalar? {
        guard case .utf8(let text) = value else { return .utf8(RowText.value(value, type).compactText) }
        return (try? JSONValue.parse(text)) == nil ? nil : .utf8(text)
    }

    private static func double(_ value: Scalar) -> Scalar? {
        switch value {
        case .double: return value
        case .integer(let number):
            let double = Double(number)
            return Int128(exactly: double) == number ? .double(double) : nil
        case .utf8(let text):
            return withBytes(text) { DoubleText.parse($0, count: $1, allowsNonFinite: true).valid }
                .map(Scalar.double)
        default: return nil
        }
    }

    private static func decimal(_ value: Scalar) -> Scalar? {
        switch value {
        case .integer, .decimal: value
        case .double(let number): DecimalValue(shortest: number).map(Scalar.decimal)
        case .utf8(let text): DecimalValue(text).map(Scalar.decimal)
        default: nil
        }
    }

    private static func integer(_ value: Scalar) -> Scalar? {
        switch value {
        case .integer: return value
        case .double(let number): return Int128(exactly: number).map(Scalar.integer)
        case .decimal(let number):
            return number.exactCoefficient(precision: 38, scale: 0).map(Scalar.integer)
        case .utf8(let text):
            return DecimalValue(text).flatMap { $0.scale == 0 ? Scalar.integer($0.coefficient) : nil }
        default: return nil
        }
    }

    private static func timestamp(_ value: Scalar, _ target: DataType) -> Scalar? {
        switch value {
        case .timestamp: return value
        case .date(let days): return Temporal.timestamp(ofDay: days).map(Scalar.timestamp)
        case .utf8(let text):
            let parsed = withBytes(text) { TimestampText.parse($0, count: $1) }
            guard let parsed, parsed.isValid, parsed.hasZone == (target != .timestamp(zone: nil)) else { return nil }
            return .timestamp(parsed.microseconds)
        default: return nil
        }
    }

    private static func other(_ value: Scalar, _ target: DataType) -> Scalar? {
        guard case .utf8(let text) = value else { return value }
        switch target {
        case .bool: return withBytes(text) { BooleanText.parse($0, count: $1).valid }.map(Scalar.bool)
        case .date32: return withBytes(text) { DateText.parse($0, count: $1).valid }.map(Scalar.date)
        case .time64: return withBytes(text) { TimeText.parse($0, count: $1).valid }.map(Scalar.time)
        case .binary: return .binary(Array(text.utf8))
        default: return value
        }
    }

    private static func withBytes<R>(_ text: String, _ body: (UnsafeRawPointer, Int) -> R?) -> R? {
        var text = text
        return text.withUTF8 { bytes in bytes.baseAddress.flatMap { body(UnsafeRawPointer($0), bytes.count) } }
    }
}
