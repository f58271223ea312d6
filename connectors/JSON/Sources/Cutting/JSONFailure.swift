import HeadraceCore

/// Tells a reader's failure as the error of an object.
enum JSONFailure {
    /// The error of an object whose document is broken at a place.
    static func error(_ error: JSONError, in object: String) -> HeadraceError {
        let place = error.column.map { "line \(error.line), column \($0)" } ?? "line \(error.line)"
        return HeadraceError(
            .malformedInput, error.message,
            fields: [("problem", error.code.rawValue), ("line", "\(error.line)"), ("byte", "\(error.offset)")],
            trail: ["\(object) \(place) (byte \(error.offset))"], hint: hint(error.code))
    }

    private static func hint(_ code: JSONError.Code) -> String? {
        switch code {
        case .unexpectedEnd: "fetch or copy the input again, its end is missing"
        case .wrongEncoding: "convert the input to UTF-8"
        case .recordPathNotFound, .recordPathNotRecords: "name the way to the rows by rows=/name/name"
        case .trailingContent: "use layout=documents where documents follow one another, layout=lines for one a line"
        case .unexpectedByte, .invalidLiteral:
            "allow comments=true, trailingCommas=true or allowNaN=true where the input has these"
        default: nil
        }
    }

    /// The path to the records that an option or a job's author gave.
    static func path(_ text: String?) throws(HeadraceError) -> JSONRecordPath {
        guard let text else { return .root }
        do {
            return try JSONRecordPath(text)
        } catch {
            throw HeadraceError(
                .badOption, "\"\(text)\" is no way to rows: \(error.message)",
                hint: "write a pointer such as rows=/data/items, where * is every element, or a path such as $.data[*]")
        }
    }
}
