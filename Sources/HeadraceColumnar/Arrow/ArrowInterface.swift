import HeadraceCArrow

/// The Arrow C data and stream interfaces: batches to and from other libraries in the same process, without a copy where
/// the layouts agree.
///
/// Pointers are those of `struct ArrowSchema`, `struct ArrowArray` and `struct ArrowArrayStream` of the specification. An
/// export fills a structure that the consumer releases; an import takes a structure over and marks it released.
///
/// Exported: decimals up to 18 digits as decimal64, wider ones as decimal128; JSON as `utf8` with the extension `arrow.json`;
/// all other types as their Arrow counterparts. Imported besides: large and view layouts, fixed-size binary and lists, maps as
/// lists of structs, half floats, decimals of 32 to 256 bits up to 38 digits, other units of dates, times and timestamps where every
/// value is a whole microsecond, and dictionaries with any index type. Dictionaries of text and binary are kept, others decoded.
/// Types that would lose something are refused by name, as are null, durations, intervals, unions, list views and run-end encoding.
public enum ArrowInterface {
    /// Fills `pointer` with the schema of batches whose columns have no dictionary: a struct of the fields.
    /// - Parameter widensDecimals: announces decimal128 for all decimals, for consumers that do not know decimal64.
    public static func export(
        _ schema: Schema, to pointer: UnsafeMutableRawPointer, widensDecimals: Bool = false
    ) {
        ArrowSchemaExport(widensDecimals: widensDecimals).fill(
            pointer.assumingMemoryBound(to: ArrowSchema.self), schema, nil)
    }

    /// Fills `array` with the rows of a batch and `schema` with their schema, which tells the columns that have a dictionary.
    ///
    /// The memory of the columns is shared and stays as long as the consumer keeps the array. Text and binary columns keep their
    /// dictionary; JSON is decoded, because consumers do not take the extension over a dictionary.
    /// - Parameter widensDecimals: writes all decimals as decimal128, which copies those of up to 18 digits.
    public static func export(
        _ batch: RecordBatch, array: UnsafeMutableRawPointer, schema: UnsafeMutableRawPointer,
        widensDecimals: Bool = false
    ) {
        ArrowSchemaExport(widensDecimals: widensDecimals).fill(
            schema.assumingMemoryBound(to: ArrowSchema.self), batch.schema, batch.columns)
        ArrowArrayExport(widensDecimals: widensDecimals).fill(array.assumingMemoryBound(to: ArrowArray.self), batch)
    }

    /// The schema at `pointer`, which is released.
    /// - Throws: `ArrowError` for a type without a lossless counterpart or a malformed schema.
    public static func importSchema(from pointer: UnsafeMutableRawPointer) throws(ArrowError) -> Schema {
        try importPlan(pointer).schema
    }

    /// The rows of the array of structs at `array`, read by the schema at `schema`; both are taken over, on failure too.
    ///
    /// Offsets, UTF-8 and everything else that cannot be checked at once is trusted to be as the specification has it.
    /// - Throws: `ArrowError` for a type without a lossless counterpart, a value that is not exact, or a malformed structure.
    public static func importBatch(
        array: UnsafeMutableRawPointer, schema: UnsafeMutableRawPointer
    ) throws(ArrowError) -> RecordBatch {
        let owner = ForeignArray(moving: array.assumingMemoryBound(to: ArrowArray.self))
        let (plan, schema) = try importPlan(schema)
        guard owner.array.pointee.release != nil else {
            throw ArrowError(.malformed, "an array that was released before")
        }
        return try ArrowImport(owner: owner).batch(plan, schema)
    }

    /// The plan for the batches of a schema, which is released.
    static func importPlan(_ pointer: UnsafeMutableRawPointer) throws(ArrowError) -> (plan: ArrowPlan, schema: Schema) {
        let foreign = pointer.assumingMemoryBound(to: ArrowSchema.self)
        defer { foreign.pointee.release?(foreign) }
        let plan = try ArrowPlan(foreign.pointee, path: "")
        guard case .struct(let fields) = plan.field.type, plan.dictionary == nil else {
            throw ArrowError(.unsupportedType, "a batch is an array of structs, not of \(plan.field.type)")
        }
        return (plan, Schema(fields))
    }
}
