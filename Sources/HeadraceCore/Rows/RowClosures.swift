package import HeadraceColumnar

/// Keeps the rows for which a closure says so. In process only: a closure has no translation.
package struct RowFilter: RowTransform {
    /// Declares what is read, and gives the closure that is called a row.
    package typealias Make = @Sendable (RowInputs) throws -> (borrowing Row) throws -> Bool

    package let name: String
    private let make: Make

    package init(_ name: String, _ make: @escaping Make) {
        self.name = name
        self.make = make
    }

    package func schema(from input: Schema) throws -> Schema {
        _ = try make(RowInputs(input))
        return input
    }

    package func makeStage(for input: Schema, in context: RunContext) throws -> RowFilterStage {
        let inputs = RowInputs(input)
        let keep = try make(inputs)
        return RowFilterStage(name, RowBinding(inputs), keep)
    }
}

/// Makes one row of each row by a closure. In process only: a closure has no translation.
package struct RowMap: RowTransform {
    /// Declares what is read, written and kept, and gives the closure that is called a row.
    package typealias Make = @Sendable (RowMapping) throws -> (borrowing Row, inout RowWriter) throws -> Void

    package let name: String
    private let make: Make

    package init(_ name: String, _ make: @escaping Make) {
        self.name = name
        self.make = make
    }

    package func schema(from input: Schema) throws -> Schema {
        let mapping = RowMapping(input)
        _ = try make(mapping)
        return try mapping.outputSchema()
    }

    package func makeStage(for input: Schema, in context: RunContext) throws -> RowMapStage {
        let mapping = RowMapping(input)
        let change = try make(mapping)
        return RowMapStage(name, try RowAssembly(mapping), change)
    }
}

/// Makes any number of rows of each row by a closure. In process only: a closure has no translation.
package struct RowFlatMap: RowTransform {
    /// Declares what is read, written and kept, and gives the closure that is called a row.
    package typealias Make = @Sendable (RowMapping) throws -> (borrowing Row, inout RowEmitter) throws -> Void

    package let name: String
    private let make: Make

    package init(_ name: String, _ make: @escaping Make) {
        self.name = name
        self.make = make
    }

    package func schema(from input: Schema) throws -> Schema {
        let mapping = RowMapping(input)
        _ = try make(mapping)
        return try mapping.outputSchema()
    }

    package func makeStage(for input: Schema, in context: RunContext) throws -> RowFlatMapStage {
        let mapping = RowMapping(input)
        let expand = try make(mapping)
        return RowFlatMapStage(name, try RowAssembly(mapping), expand)
    }
}
