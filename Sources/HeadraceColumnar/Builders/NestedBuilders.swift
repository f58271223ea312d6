/// Collects lists: append the elements to `elements`, then close the list.
public final class ListBuilder: ColumnBuilder {
    /// A list of the element field.
    public let type: DataType
    /// The builder of the elements of all lists.
    public let elements: any ColumnBuilder
    private let offsets = PrimitiveBuilder<Int32>(.int32)
    private var validity = ValidityBuilder()
    private var length = 0

    /// A builder of lists whose elements are as `element` says.
    public init(_ element: Field) {
        type = .list(element)
        elements = makeBuilder(for: element.type)
        offsets.append(0)
    }

    public var count: Int { length }

    /// Closes a list that ends with the last element appended.
    public func closeList() {
        precondition(elements.count <= Int(Int32.max), "a list column passed 2^31 elements")
        offsets.append(Int32(truncatingIfNeeded: elements.count))
        length += 1
    }

    /// Appends a null list; no element may have been appended for it.
    public func appendNull() {
        closeList()
        validity.setNull(length - 1)
    }

    public func append(_ value: Scalar) -> Bool {
        switch value {
        case .null: appendNull()
        case .list(let values):
            guard case .list(let element) = type, values.allSatisfy({ $0.fits(element.type) }) else { return false }
            for value in values { _ = elements.append(value) }
            closeList()
        default: return false
        }
        return true
    }

    public func finish() -> ColumnVector {
        let count = length
        let (bits, nulls) = validity.finish(count: count)
        let ends = offsets.finish()
        offsets.append(0)
        length = 0
        return ColumnVector(
            type: type, count: count, nullCount: nulls, validity: bits, offsets: ends.values,
            children: [elements.finish()])
    }
}

/// Collects structs: append one value to each of `fields`, then close the row.
public final class StructBuilder: ColumnBuilder {
    /// A struct of the fields.
    public let type: DataType
    /// The builders of the fields, in order.
    public let fields: [any ColumnBuilder]
    private let names: [Field]
    private var validity = ValidityBuilder()
    private var length = 0

    /// A builder of structs of `fields`.
    public init(_ fields: [Field]) {
        type = .struct(fields)
        names = fields
        self.fields = fields.map { makeBuilder(for: $0.type) }
    }

    public var count: Int { length }

    /// Closes a struct to which every field has got its value.
    public func closeStruct() { length += 1 }

    /// Appends a null struct, with null in every field.
    public func appendNull() {
        for field in fields { field.appendNull() }
        length += 1
        validity.setNull(length - 1)
    }

    public func append(_ value: Scalar) -> Bool {
        switch value {
        case .null: appendNull()
        case .struct(let members):
            guard members.count == names.count, zip(members, names).allSatisfy({ $0.fits($1.type) }) else {
                return false
            }
            for (builder, member) in zip(fields, members) { _ = builder.append(member) }
            closeStruct()
        default: return false
        }
        return true
    }

    public func finish() -> ColumnVector {
        let count = length
        let (bits, nulls) = validity.finish(count: count)
        length = 0
        return ColumnVector(
            type: type, count: count, nullCount: nulls, validity: bits, children: fields.map { $0.finish() })
    }
}
