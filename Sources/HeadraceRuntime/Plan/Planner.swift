import HeadraceColumnar
import HeadraceCore

/// Resolves schemas from the sources up and checks every step against them, before any row moves.
///
/// - Invariant (`@unchecked Sendable`): used by one task.
final class Planner: @unchecked Sendable {
    private let context: RunContext
    private var shared: [ObjectIdentifier: PlannedNode] = [:]

    init(_ context: RunContext) { self.context = context }

    func plan(_ relation: Relation) async throws -> PlannedNode {
        switch relation {
        case .scan(let step, let source): return try await scan(step, source)
        case .shared(let box):
            if let known = shared[ObjectIdentifier(box)] { return known }
            let node = try await plan(box.relation)
            shared[ObjectIdentifier(box)] = node
            return node
        case .stage(let transform, let input): return try await stage(transform, over: input)
        case .project(let step, let projections, let input):
            return try project(
                step, projections, try await plan(input), "compute \(projections.map(\.name).joined(separator: ", "))")
        case .derive(let step, let projections, let input):
            let below = try await plan(input)
            let kept = below.schema.fields.map { field in
                projections.first { $0.name == field.name } ?? Projection(field.name, .column(field.name))
            }
            let added = projections.filter { below.schema[$0.name] == nil }
            return try project(step, kept + added, below, "compute \(projections.map(\.name).joined(separator: ", "))")
        case .drop(let step, let names, let input):
            let below = try await plan(input)
            try located(step) { try Self.require(names, in: below.schema) }
            let kept = below.schema.names.filter { !names.contains($0) }
            return try project(
                step, kept.map { Projection($0, .column($0)) }, below, "drop \(names.joined(separator: ", "))")
        case .rename(let step, let names, let input):
            let below = try await plan(input)
            try located(step) { try Self.require(names.map(\.from), in: below.schema) }
            let columns = below.schema.names.map { name in
                Projection(names.first { $0.from == name }?.to ?? name, .column(name))
            }
            return try project(
                step, columns, below, "rename \(names.map { "\($0.from) to \($0.to)" }.joined(separator: ", "))")
        case .filter(let step, let condition, let input):
            let below = try await plan(input)
            let program = try located(step) { try FilterProgram(condition, over: below.schema) }
            return PlannedNode(
                step: step, schema: below.schema, kind: .rows { _ in FilterStage(program) }, inputs: [below],
                summary: "keep rows where \(condition)")
        case .lookup(let specification, let input):
            let below = try await plan(input)
            let program = try located(specification.step) { try LookupProgram(specification, over: below.schema) }
            return PlannedNode(
                step: specification.step, schema: program.schema,
                kind: .rows { context in LookupStage(program, in: context) }, inputs: [below],
                summary: "look up \(specification.keys.joined(separator: ", ")) in \(specification.table)")
        case .union(let step, let relations): return try await union(step, relations)
        case .distinct(let specification, let input):
            return try await breaker(
                specification.step, [input], "keep one row a \(specification.keys.joined(separator: ", "))"
            ) { try DistinctBreaker(specification, input: $0[0], context: $1) }
        case .aggregate(let specification, let input):
            return try await breaker(
                specification.step, [input],
                "compute \(specification.aggregates.map(\.name).joined(separator: ", "))"
                    + (specification.keys.isEmpty ? "" : " a \(specification.keys.joined(separator: ", "))")
            ) { try AggregateBreaker(specification, input: $0[0], context: $1) }
        case .join(let specification, let left, let right):
            return try await breaker(
                specification.step, [left, right],
                "\(specification.kind) join on \(specification.leftKeys.joined(separator: ", "))"
            ) { try JoinBreaker(specification, left: $0[0], right: $0[1], context: $1) }
        case .sort(let step, let keys, let limit, let input):
            let columns = keys.map { $0.isAscending ? $0.column : "\($0.column) descending" }
            return try await breaker(
                step, [input],
                "sort by \(columns.joined(separator: ", "))" + (limit.map { ", keep the first \($0)" } ?? "")
            ) { try SortBreaker(step: step, keys: keys, limit: limit, input: $0[0], context: $1) }
        case .window(let specification, let input):
            let place =
                specification.partition.isEmpty ? "" : " a \(specification.partition.joined(separator: ", "))"
            return try await breaker(
                specification.step, [input],
                "compute \(specification.columns.map(\.name).joined(separator: ", ")) over rows in order\(place)"
            ) { try WindowBreaker(specification, input: $0[0], context: $1) }
        }
    }

    private func scan(_ step: String, _ source: any Source) async throws -> PlannedNode {
        let schema: Schema
        do { schema = try await source.schema(in: context) } catch {
            throw HeadraceError.wrapping(error, "\(source.name) cannot be read").at("step \(step)")
        }
        for field in schema.fields where !field.type.isWellFormed {
            throw HeadraceError(
                .schemaMismatch, "column \"\(field.name)\" of \(source.name) has a type that cannot be: \(field.type)",
                trail: ["step \(step)"],
                hint: "a decimal has 1 to 38 digits, no more of them after the point than there are")
        }
        return PlannedNode(step: step, schema: schema, kind: .scan(source), inputs: [], summary: "read \(source.name)")
    }

    private func project(
        _ step: String, _ projections: [Projection], _ below: PlannedNode, _ summary: String
    ) throws -> PlannedNode {
        let program = try located(step) { try ProjectProgram(projections, over: below.schema) }
        return PlannedNode(
            step: step, schema: program.schema, kind: .rows { _ in ProjectStage(program) }, inputs: [below],
            summary: summary)
    }

    private static func require(_ names: [String], in schema: Schema) throws {
        for name in names where schema[name] == nil {
            throw HeadraceError(
                .schemaMismatch, "there is no column \"\(name)\"",
                fields: [("columns", schema.names.joined(separator: ", "))])
        }
    }

    private func stage(_ transform: any RowTransform, over input: Relation) async throws -> PlannedNode {
        let below = try await plan(input)
        let schema = try located(transform.name) { try transform.schema(from: below.schema) }
        return PlannedNode(
            step: transform.name, schema: schema,
            kind: .rows { context in try transform.makeStage(for: below.schema, in: context) }, inputs: [below],
            summary: transform.name)
    }

    private func union(_ step: String, _ relations: [Relation]) async throws -> PlannedNode {
        var inputs: [PlannedNode] = []
        for relation in relations { inputs.append(try await plan(relation)) }
        guard let first = inputs.first else {
            throw HeadraceError(.schemaMismatch, "a union has no inputs", trail: ["step \(step)"])
        }
        for other in inputs.dropFirst() where !Self.agrees(first.schema, other.schema) {
            throw HeadraceError(
                .schemaMismatch, "the inputs of a union have different fields",
                fields: [("first", "\(first.schema)"), ("other", "\(other.schema)")], trail: ["step \(step)"],
                hint: "select and cast the columns of each input to the same names and types")
        }
        return PlannedNode(
            step: step, schema: first.schema, kind: .union, inputs: inputs, summary: "merge \(inputs.count) inputs")
    }

    private static func agrees(_ left: Schema, _ right: Schema) -> Bool {
        left.count == right.count
            && zip(left.fields, right.fields).allSatisfy { $0.name == $1.name && $0.type == $1.type }
    }

    private func breaker(
        _ step: String, _ relations: [Relation], _ summary: String,
        _ make: @escaping @Sendable ([Schema], RunContext) throws -> any Breaker
    ) async throws -> PlannedNode {
        var inputs: [PlannedNode] = []
        for relation in relations { inputs.append(try await plan(relation)) }
        let schemas = inputs.map(\.schema)
        // A first instance checks the columns and tells the schema; the run makes its own.
        let probe = try located(step) { try make(schemas, context) }
        defer { probe.discard() }
        return PlannedNode(
            step: step, schema: probe.schema, kind: .breaker { try make(schemas, $0) }, inputs: inputs, summary: summary
        )
    }

    private func located<R>(_ step: String, _ body: () throws -> R) throws -> R {
        do { return try body() } catch {
            throw HeadraceError.wrapping(error, "step \(step) does not fit its input").at("step \(step)")
        }
    }
}
