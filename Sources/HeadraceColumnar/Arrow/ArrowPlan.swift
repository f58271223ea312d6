import HeadraceCArrow

/// How arrays of one foreign field are read: the type that they become and the steps to it.
struct ArrowPlan {
    /// The field as our schema has it.
    let field: Field
    let reading: Reading
    /// The elements of a list, the fields of a struct.
    let children: [ArrowPlan]
    /// The values of a dictionary-encoded field, in the type that the field has.
    let dictionary: Dictionary?

    /// The physical layout on the foreign side.
    enum Reading: Hashable {
        case bits
        /// Buffers taken as they are.
        case fixed
        case float16
        case bytes(largeOffsets: Bool)
        case byteViews
        case fixedBytes(width: Int)
        /// Decimals stored in `bits` bits.
        case decimal(bits: Int)
        /// Integers of `width` bytes that become microseconds (or days, for dates) by this factor.
        case scaled(width: Int, multiply: Int64, divide: Int64)
        case list(largeOffsets: Bool)
        case fixedList(count: Int)
        case structure
    }

    final class Dictionary: Sendable {
        let values: ArrowPlan
        /// The foreign type of the indices: a format letter.
        let indexFormat: String
        init(values: ArrowPlan, indexFormat: String) {
            self.values = values
            self.indexFormat = indexFormat
        }
    }

    /// The plan for a foreign schema; reads it and leaves its release to the caller.
    init(_ schema: ArrowSchema, path: String) throws(ArrowError) {
        guard let format = schema.format.map({ String(cString: $0) }), schema.release != nil else {
            throw ArrowError(.malformed, "a schema without a format, or one that was released", column: path)
        }
        let name = schema.name.map { String(cString: $0) } ?? ""
        var metadata = ArrowMetadata.decode(schema.metadata)
        let isJSON = metadata[ArrowMetadata.extensionName] == ArrowMetadata.json
        if isJSON {
            metadata[ArrowMetadata.extensionName] = nil
            metadata[ArrowMetadata.extensionMetadata] = nil
        }
        let isNullable = schema.flags & Int64(ARROW_FLAG_NULLABLE) != 0
        if let values = schema.dictionary {
            let plan = try ArrowPlan(values.pointee, path: path)
            guard ["c", "C", "s", "S", "i", "I", "l", "L"].contains(format) else {
                throw ArrowError(.malformed, "a dictionary with indices of format \(format)", column: path)
            }
            let type: DataType = isJSON && plan.field.type == .utf8 ? .json : plan.field.type
            field = Field(name, type, nullable: isNullable, metadata: metadata)
            reading = plan.reading
            children = []
            dictionary = Dictionary(values: plan, indexFormat: format)
            return
        }
        var inner: [ArrowPlan] = []
        for index in 0..<Int(schema.n_children) {
            guard let child = schema.children?[index] else {
                throw ArrowError(.malformed, "a schema lacks child \(index)", column: path)
            }
            let childName = child.pointee.name.map { String(cString: $0) } ?? ""
            inner.append(try ArrowPlan(child.pointee, path: path.isEmpty ? childName : "\(path).\(childName)"))
        }
        let (type, reading) = try Self.parse(format, inner.map(\.field), path)
        field = Field(name, isJSON && type == .utf8 ? .json : type, nullable: isNullable, metadata: metadata)
        self.reading = reading
        children = inner
        dictionary = nil
    }

    private static func parse(
        _ format: String, _ children: [Field], _ path: String
    ) throws(ArrowError) -> (DataType, Reading) {
        switch format {
        case "b": return (.bool, .bits)
        case "c": return (.int8, .fixed)
        case "C": return (.uint8, .fixed)
        case "s": return (.int16, .fixed)
        case "S": return (.uint16, .fixed)
        case "i": return (.int32, .fixed)
        case "I": return (.uint32, .fixed)
        case "l": return (.int64, .fixed)
        case "L": return (.uint64, .fixed)
        case "e": return (.float32, .float16)
        case "f": return (.float32, .fixed)
        case "g": return (.float64, .fixed)
        case "u": return (.utf8, .bytes(largeOffsets: false))
        case "U": return (.utf8, .bytes(largeOffsets: true))
        case "z": return (.binary, .bytes(largeOffsets: false))
        case "Z": return (.binary, .bytes(largeOffsets: true))
        case "vu": return (.utf8, .byteViews)
        case "vz": return (.binary, .byteViews)
        case "tdD": return (.date32, .fixed)
        case "tdm": return (.date32, .scaled(width: 8, multiply: 1, divide: 86_400_000))
        case "tts": return (.time64, .scaled(width: 4, multiply: 1_000_000, divide: 1))
        case "ttm": return (.time64, .scaled(width: 4, multiply: 1000, divide: 1))
        case "ttu": return (.time64, .fixed)
        case "ttn": return (.time64, .scaled(width: 8, multiply: 1, divide: 1000))
        case "+s":
            guard Schema(unique: children) != nil else {
                throw ArrowError(.malformed, "a struct names a field twice", column: path)
            }
            return (.struct(children), .structure)
        case "+l", "+L", "+m":
            guard children.count == 1 else { throw ArrowError(.malformed, "a list has one child", column: path) }
            return (.list(children[0]), .list(largeOffsets: format == "+L"))
        default: return try parseParameters(format, children, path)
        }
    }

    private static func parseParameters(
        _ format: String, _ children: [Field], _ path: String
    ) throws(ArrowError) -> (DataType, Reading) {
        let numbers = format.drop { $0 != ":" }.dropFirst().split(separator: ",").map { Int($0) ?? -1 }
        if format.hasPrefix("d:"), (2...3).contains(numbers.count) {
            let bits = numbers.count == 3 ? numbers[2] : 128
            guard [32, 64, 128, 256].contains(bits), (1...38).contains(numbers[0]),
                (0...numbers[0]).contains(numbers[1])
            else { throw refusal(format, path) }
            return (.decimal(precision: numbers[0], scale: numbers[1]), .decimal(bits: bits))
        }
        if format.hasPrefix("w:"), numbers.count == 1, numbers[0] >= 0 {
            return (.binary, .fixedBytes(width: numbers[0]))
        }
        if format.hasPrefix("+w:"), numbers.count == 1, numbers[0] >= 0, children.count == 1 {
            return (.list(children[0]), .fixedList(count: numbers[0]))
        }
        if format.hasPrefix("ts"), format.utf8.count >= 4, Array(format.utf8)[3] == UInt8(ascii: ":") {
            let zone = String(format.dropFirst(4))
            let type = DataType.timestamp(zone: zone.isEmpty ? nil : zone)
            switch format.dropFirst(2).first {
            case "s": return (type, .scaled(width: 8, multiply: 1_000_000, divide: 1))
            case "m": return (type, .scaled(width: 8, multiply: 1000, divide: 1))
            case "u": return (type, .fixed)
            case "n": return (type, .scaled(width: 8, multiply: 1, divide: 1000))
            default: break
            }
        }
        throw refusal(format, path)
    }

    private static func refusal(_ format: String, _ path: String) -> ArrowError {
        ArrowError(.unsupportedType, "the Arrow type \(name(of: format)) has no lossless counterpart", column: path)
    }

    /// The name of a type that is refused, as its users know it.
    private static func name(of format: String) -> String {
        let names = [
            ("n", "null"), ("d:", "decimal of more than 38 digits or of negative scale"), ("tD", "duration"),
            ("ti", "interval"), ("+vl", "list view"), ("+vL", "large list view"), ("+ud", "dense union"),
            ("+us", "sparse union"), ("+r", "run-end encoded"),
        ]
        let name = names.first { format.hasPrefix($0.0) }?.1 ?? "of unknown kind"
        return "\(name) (\(format))"
    }
}
