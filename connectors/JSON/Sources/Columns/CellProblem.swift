import HeadraceColumnar

/// Why a value cannot be held by its column.
enum CellProblem: String, Sendable, Hashable, CaseIterable {
    case notAnInteger, notADecimal, notANumber, notABoolean
    case tooManyFractionDigits, outOfRange
    case notADate, notATime, notATimestamp
    case zoneMissing, zoneUnexpected
    case notBase64
    /// A kind of JSON value that the column does not take.
    case wrongKind
    /// Null, or no member, where the field must not be null.
    case missing

    /// The reject's code.
    var code: String { self == .zoneMissing || self == .zoneUnexpected ? Self.notATimestamp.rawValue : rawValue }
}

/// The first value of a row that its column does not take.
struct CellFailure: Sendable {
    let problem: CellProblem
    /// The column's name.
    let column: String
    /// The way to the value from the record: `offer.amount`, `sizes[].width`.
    let path: String
    /// Nil where an object is taken apart into columns.
    let type: DataType?
    /// What stands there, as text; nil for a missing member.
    let value: String?
    /// What was found, for the sentence: "an object", "is not well formed".
    let found: String

    /// One sentence for people, without the value.
    var message: String {
        let place = path == column ? "\"\(column)\"" : "\"\(column)\" at \(path)"
        guard let type else { return "the members of \"\(path)\" are columns and \(found) has none" }
        switch problem {
        case .missing: return "column \(place) must not be null and has no value"
        case .wrongKind: return "column \(place) holds \(type) and does not take \(found)"
        case .zoneMissing: return "column \(place) holds instants and the time names no zone"
        case .zoneUnexpected: return "column \(place) holds times without a zone and the time names one"
        case .tooManyFractionDigits:
            return "column \(place) holds \(type) and the number has more fraction digits, which are never rounded away"
        default:
            if found == ParseProblem.malformed.description {
                return "column \(place): the value is not \(type.withArticle)"
            }
            return "column \(place) holds \(type) and the value \(found)"
        }
    }
}
