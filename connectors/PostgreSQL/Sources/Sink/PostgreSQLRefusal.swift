import HeadraceColumnar
import HeadraceCore

/// A row that the server refused, in its own words.
struct PostgreSQLRefusal: Sendable {
    /// The row of the batch.
    let row: Int
    let failure: PostgreSQLFailure

    func reject(of batch: Batch, plan: PostgreSQLTablePlan) -> Reject {
        let field = failure.column.map { plan.fieldName($0, of: batch.records.schema) }
        return batch.reject(
            row: row, rule: "table \(plan.table)", code: failure.refusalCode, field: field, message: failure.message)
    }
}

extension PostgreSQLFailure {
    /// Whether a row is to blame, so that the others may still arrive: a value, a constraint, a trigger that raises, a
    /// policy.
    var isRefusal: Bool { isAboutRows || stateClass == "P0" || stateClass == "44" || state == "42501" && isPolicy }

    private var isPolicy: Bool { message.contains("row-level security policy") }

    /// A stable word for programs.
    var refusalCode: String {
        switch state {
        case "23502": "missing"
        case "23503": "foreignKey"
        case "23505": "notUnique"
        case "23514": "check"
        case "23P01": "excluded"
        case "44000", "42501": "policy"
        default: stateClass == "22" ? "doesNotFit" : stateClass == "P0" ? "trigger" : "constraint"
        }
    }

    /// The line of a COPY that the server names, from 1; nil where it names none, or not in English.
    var copyLine: Int? {
        guard let line = context?.split(whereSeparator: \.isNewline).last(where: { $0.hasPrefix("COPY ") }) else {
            return nil
        }
        var rest = line
        var digits: Substring?
        while let comma = rest.firstIndex(of: ",") {
            rest = rest[rest.index(after: comma)...]
            if rest.hasPrefix(" line ") { digits = rest.dropFirst(6).prefix { ("0"..."9").contains($0) } }
        }
        return digits.flatMap { Int($0) }
    }
}
