public import HeadraceCore

extension Pipeline {
    /// Keeps the rows for which a Swift closure is true; the others count as filtered.
    ///
    /// For what no expression says: expressions run faster, can be pushed down and are read for lineage; a closure runs in
    /// process only. `rows` declares the columns that are read, which are checked when the plan is made, and gives the
    /// closure that is called a row:
    /// ```swift
    /// pipeline.filter(step: "plausible") { columns in
    ///     let price = try columns.read(Shop.price)
    ///     return { row in try row.required(price) < 10_000 }
    /// }
    /// ```
    /// A row for which it throws is a reject with its place and the error's text, not a failed run.
    ///
    /// - Parameter rows: called when the plan is made and once a worker, so that the closure it gives may have a state of its
    ///   own; as in every row-wise step, no row may depend on another.
    public func filter(
        step: String, rows: @escaping @Sendable (RowInputs) throws -> (borrowing Row) throws -> Bool
    ) -> Pipeline {
        Pipeline(name, .stage(RowFilter(step, rows), relation))
    }

    /// Makes one row of each row by a Swift closure; only columns that are declared come out.
    /// ```swift
    /// pipeline.map(step: "total") { columns in
    ///     let price = try columns.read(Shop.price)
    ///     let quantity = try columns.read(Shop.quantity)
    ///     columns.keepAll()
    ///     let total = try columns.write(Shop.total, precision: 14, scale: 2)
    ///     return { row, out in
    ///         guard let price = row[price], let quantity = row[quantity] else { return }
    ///         out.set(total, price.multiplied(by: DecimalValue(Int(quantity))))
    ///     }
    /// }
    /// ```
    /// A row for which it throws, or whose values do not fit their columns, is a reject. See `filter(step:rows:)`.
    public func map(
        step: String, rows: @escaping @Sendable (RowMapping) throws -> (borrowing Row, inout RowWriter) throws -> Void
    ) -> Pipeline {
        Pipeline(name, .stage(RowMap(step, rows), relation))
    }

    /// Makes any number of rows of each row by a Swift closure; each has the place of the row it was made of.
    ///
    /// A row's second and further rows count as added; a row of which none is made counts as filtered. A row for which the closure
    /// throws is a reject, and nothing that was made of it before comes out. See `map(step:rows:)`.
    /// ```swift
    /// pipeline.flatMap(step: "split tags") { columns in
    ///     let tags = try columns.read(Shop.tags)
    ///     try columns.keep("id")
    ///     let tag = columns.write(Shop.tag, nullable: false)
    ///     return { row, out in
    ///         for part in row[tags]?.string.split(separator: ",") ?? [] {
    ///             out.set(tag, String(part))
    ///             out.emit()
    ///         }
    ///     }
    /// }
    /// ```
    public func flatMap(
        step: String, rows: @escaping @Sendable (RowMapping) throws -> (borrowing Row, inout RowEmitter) throws -> Void
    ) -> Pipeline {
        Pipeline(name, .stage(RowFlatMap(step, rows), relation))
    }
}
