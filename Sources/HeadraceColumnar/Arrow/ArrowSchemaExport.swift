import Glibc
import HeadraceCArrow

/// Fills C schema structures, each of which owns its memory until its consumer releases it.
struct ArrowSchemaExport {
    let widensDecimals: Bool

    /// The schema of a batch: a struct of its fields. `columns` tells which of them have a dictionary.
    func fill(_ target: UnsafeMutablePointer<ArrowSchema>, _ schema: Schema, _ columns: [ColumnVector]?) {
        fill(
            target, Field("", .struct(schema.fields), nullable: false),
            columns.map { columns in
                ColumnVector(type: .struct(schema.fields), count: 0, nullCount: 0, children: columns)
            })
    }

    /// The schema of a field; with a column, as that column is laid out.
    func fill(_ target: UnsafeMutablePointer<ArrowSchema>, _ field: Field, _ column: ColumnVector?) {
        var metadata = field.metadata
        if field.type == .json {
            metadata[ArrowMetadata.extensionName] = ArrowMetadata.json
            metadata[ArrowMetadata.extensionMetadata] = ""
        }
        let values = ArrowArrayExport.keepsDictionary(field.type) ? column?.dictionary : nil
        let format = ArrowFormat.string(of: field.type, widensDecimals: widensDecimals)
        let memory = ArrowSchemaMemory(
            format: values == nil ? format : "i", name: field.name, metadata: ArrowMetadata.encode(metadata),
            children: children(of: field.type).count, hasDictionary: values != nil)
        for (index, child) in children(of: field.type).enumerated() {
            fill(memory.child(index), child, column?.children[index])
        }
        if let dictionary = memory.dictionary {
            fill(dictionary, Field("", field.type), values)
        }
        target.initialize(
            to: ArrowSchema(
                format: memory.format, name: memory.name, metadata: memory.metadata,
                flags: field.isNullable ? Int64(ARROW_FLAG_NULLABLE) : 0, n_children: Int64(memory.childCount),
                children: memory.children, dictionary: memory.dictionary, release: Self.release,
                private_data: Unmanaged.passRetained(memory).toOpaque()))
    }

    private func children(of type: DataType) -> [Field] {
        switch type {
        case .list(let element): [element]
        case .struct(let fields): fields
        default: []
        }
    }

    private static let release: @convention(c) (UnsafeMutablePointer<ArrowSchema>?) -> Void = { schema in
        guard let schema, let memory = schema.pointee.private_data else { return }
        schema.pointee.release = nil
        schema.pointee.private_data = nil
        Unmanaged<ArrowSchemaMemory>.fromOpaque(memory).release()
    }
}

/// What an exported schema points to; gone when its consumer releases it.
private final class ArrowSchemaMemory {
    let format: UnsafeMutablePointer<CChar>?
    let name: UnsafeMutablePointer<CChar>?
    let metadata: UnsafeMutablePointer<CChar>?
    let childCount: Int
    let children: UnsafeMutablePointer<UnsafeMutablePointer<ArrowSchema>?>?
    let dictionary: UnsafeMutablePointer<ArrowSchema>?

    init(format: String, name: String, metadata: [UInt8]?, children count: Int, hasDictionary: Bool) {
        self.format = strdup(format)
        self.name = strdup(name)
        self.metadata = metadata.map { bytes in
            let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count)
            for (index, byte) in bytes.enumerated() { copy[index] = CChar(bitPattern: byte) }
            return copy
        }
        childCount = count
        children = count == 0 ? nil : .allocate(capacity: count)
        for index in 0..<count { children?[index] = .allocate(capacity: 1) }
        dictionary = hasDictionary ? .allocate(capacity: 1) : nil
    }

    func child(_ index: Int) -> UnsafeMutablePointer<ArrowSchema> {
        guard let child = children?[index] else { preconditionFailure("an exported schema has no child \(index)") }
        return child
    }

    deinit {
        for index in 0..<childCount {
            // A consumer may have moved a child away; then its release is gone.
            child(index).pointee.release?(child(index))
            child(index).deallocate()
        }
        children?.deallocate()
        if let dictionary {
            dictionary.pointee.release?(dictionary)
            dictionary.deallocate()
        }
        free(format)
        free(name)
        metadata?.deallocate()
    }
}
