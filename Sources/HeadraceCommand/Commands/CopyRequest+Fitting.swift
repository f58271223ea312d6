import HeadraceColumnar
import HeadraceCore

extension CopyRequest {
    /// The rows of the source in the types of the target where it exists: its columns decide, by name.
    static func fitted(
        _ source: any Source, to sink: any Sink, _ mode: SinkMode, in context: RunContext
    ) async throws -> Relation {
        let found = try await source.schema(in: context)
        // An empty CSV file says so by itself; an empty array has no fields, and a target without columns is of no use.
        guard !found.fields.isEmpty else {
            throw HeadraceError(
                .malformedInput, "there is no row with fields to tell the fields of \(source.name) by",
                hint: source is any DescribableSource
                    ? "declare a schema with --from-schema FILE if the source may be empty" : nil)
        }
        guard let target = try await sink.targetSchema(in: context) else { return .scan(step: "read", source) }
        let fitting = Fitting(target: target, mode: mode, isText: source is any DescribableSource)
        var wanted = found.fields.map(fitting.kept)
        if (sink as? any SchemaPolicySink)?.schemaPolicy == .evolve {
            let narrow = found.fields.filter { fitting.widened($0, nil) != nil }.map(\.name)
            let numbers =
                narrow.isEmpty
                ? [:] : try await (source as? any NumberSurveyingSource)?.numbers(in: narrow, context: context) ?? [:]
            wanted = found.fields.map { fitting.widened($0, numbers[$0.name]) ?? fitting.kept($0) }
        }
        if wanted == found.fields { return .scan(step: "read", source) }
        guard let text = source as? any DescribableSource else { return casting(found, wanted, source) }
        // A day names no instant in text; as a value it is its midnight.
        let declared = zip(found.fields, wanted).map { $0.type == .date32 && fitting.dates($0) ? $0 : $1 }
        let read = text.declaring(Schema(declared))
        return declared == wanted ? .scan(step: "read", read) : casting(Schema(declared), wanted, read)
    }

    private static func casting(_ schema: Schema, _ wanted: [Field], _ source: any Source) -> Relation {
        .project(
            step: "cast",
            zip(schema.fields, wanted).map { have, want in
                Projection(
                    have.name, have.type == want.type ? .column(have.name) : .cast(.column(have.name), want.type))
            }, .scan(step: "read", source))
    }
}

/// How fields of rows go into the columns of a target.
private struct Fitting {
    let target: Schema
    let mode: SinkMode
    /// Whether the types of the rows are guessed from text.
    let isText: Bool

    /// Whether a field says since when a history's row holds.
    func dates(_ field: Field) -> Bool { mode.history?.effective == field.name }

    /// The column of a field; what dates a history's versions goes by another name there.
    private func column(of field: Field) -> Field? {
        if let history = mode.history, history.effective == field.name { return target[history.from] }
        return target[field.name]
    }

    /// The field in the type of its column.
    func kept(_ field: Field) -> Field { column(of: field).map { self.field(field, as: $0.type) } ?? field }

    /// The field in the type that its column is widened to; nil where the column stays as it is.
    /// - Parameter seen: the numbers that stand in the field, where they are known. They count, and no guessed type.
    func widened(_ field: Field, _ seen: SeenNumbers?) -> Field? {
        guard let column = column(of: field) else { return nil }
        if let seen, seen.fit(in: column.type) { return nil }
        return SchemaFit.widening(column.type, toHold: seen?.type ?? field.type).map { self.field(field, as: $0) }
    }

    private func field(_ field: Field, as type: DataType) -> Field {
        Field(field.name, type, nullable: field.isNullable, metadata: field.metadata)
    }
}

extension SinkMode {
    fileprivate var history: HistoryColumns? { if case .history(_, let columns) = self { columns } else { nil } }
}
