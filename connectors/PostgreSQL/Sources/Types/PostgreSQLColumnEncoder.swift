import HeadraceColumnar
import HeadraceCore

/// Turns one column of every batch into what the server takes for its column. Used by many workers at once.
///
/// What the server would refuse or cut is found here, value by value: nulls where none may be, numbers that lose digits,
/// text that is too long or holds a zero byte, words that are no label of an enum.
struct PostgreSQLColumnEncoder: Sendable {
    let source: DataType
    let type: PostgreSQLType
    let isNullable: Bool
    let writer: PostgreSQLColumnWriter
    /// The type that values are cast to before they are written; nil where the bytes are made value by value.
    private let castType: DataType?

    /// Nil where values of `source` can never be written as `type` by binary COPY: the target has no binary form here, or
    /// no value of the one means anything in the other.
    init?(_ source: DataType, into type: PostgreSQLType, isNullable: Bool = true) {
        guard Self.isPossible(source, into: type) else { return nil }
        self.source = source
        self.type = type
        self.isNullable = isNullable
        switch type.kind {
        case .bool: (writer, castType) = (.init(form: .bits), .bool)
        case .int2: (writer, castType) = (.init(form: .fixed(2)), .int16)
        case .int4: (writer, castType) = (.init(form: .fixed(4)), .int32)
        case .int8: (writer, castType) = (.init(form: .fixed(8)), .int64)
        case .oid: (writer, castType) = (.init(form: .fixed(4)), .uint32)
        case .float4: (writer, castType) = (.init(form: .fixed(4)), .float32)
        case .float8: (writer, castType) = (.init(form: .fixed(8)), .float64)
        case .bytea: (writer, castType) = (.init(form: .bytes(prefix: nil)), .binary)
        case .date: (writer, castType) = (.init(form: .moved32(-PostgreSQLDecoder.epochDays)), .date32)
        case .time: (writer, castType) = (.init(form: .fixed(8)), .time64)
        case .timestamp:
            (writer, castType) = (.init(form: .moved64(-PostgreSQLDecoder.epochMicroseconds)), .timestamp(zone: nil))
        case .timestampWithZone:
            (writer, castType) = (.init(form: .moved64(-PostgreSQLDecoder.epochMicroseconds)), .instant)
        case .numeric, .unboundedNumeric:
            let target = Self.decimalType(source, type)
            castType = target
            switch target {
            case .decimal(let precision, let scale)?:
                writer = .init(form: precision <= 18 ? .coefficient64(scale: scale) : .coefficient128(scale: scale))
            default: writer = .init(form: .bytes(prefix: nil))
            }
        case .text, .enumeration: (writer, castType) = (.init(form: .bytes(prefix: nil)), .utf8)
        case .json: (writer, castType) = (.init(form: .bytes(prefix: nil)), .json)
        case .jsonb: (writer, castType) = (.init(form: .bytes(prefix: 1)), .json)
        case .uuid, .interval, .array, .timeWithZone, .network, .macAddress, .other:
            (writer, castType) = (.init(form: .bytes(prefix: nil)), nil)
        }
    }

    /// Whether values of `source` go into a column of `type` as text only, which the server reads: the type has no binary
    /// form here.
    static func needsText(_ source: DataType, into type: PostgreSQLType) -> Bool {
        switch type.kind {
        case .other: source == .utf8 || type.name == "money" && source.isNumeric
        case .array: source == .utf8
        default: false
        }
    }

    /// Whether values of `source` may go into a column of `type`, each that fits.
    static func isPossible(_ source: DataType, into type: PostgreSQLType) -> Bool {
        switch type.kind {
        case .other: return false
        case .uuid, .interval, .network, .macAddress, .timeWithZone: return source == .utf8
        case .array(let element):
            guard case .list(let field) = source else { return false }
            return isPossible(field.type, into: element)
        default: break
        }
        let target = type.dataType
        if source == target { return true }
        switch (source, type.kind) {
        case (_, .text): return true
        case (.list, .json), (.struct, .json), (.list, .jsonb), (.struct, .jsonb): return true
        case (.list, _), (.struct, _): return false
        // Text is read as the column's type; what cannot be read is refused row by row.
        case (.utf8, .bytea): return false
        case (.utf8, _): return true
        case (.json, .jsonb), (.json, .json): return true
        case (_, .json), (_, .jsonb): return source == .bool || source.isNumeric
        case (_, .enumeration): return false
        case (_, .numeric), (_, .unboundedNumeric): return source.isNumeric
        case (.timestamp(let from), .timestamp): return from == nil
        case (.timestamp(let from), .timestampWithZone): return from != nil
        case (.date32, .timestamp): return true
        // Money never passes through a binary number.
        case (.decimal, .float4), (.decimal, .float8): return false
        default: return source.isNumeric && target.isNumeric
        }
    }

    /// The decimal that values go through on their way into a numeric column; nil where they go as text.
    private static func decimalType(_ source: DataType, _ type: PostgreSQLType) -> DataType? {
        if case .numeric(let precision, let scale) = type.kind {
            // Beside these a decimal of as many digits holds more than the column.
            return precision <= 38 && scale >= 0 && scale <= precision ? type.dataType : nil
        }
        switch source {
        case .decimal: return source
        case .int8, .int16, .int32, .uint8, .uint16, .uint32: return .decimal(precision: 18, scale: 0)
        case .int64, .uint64: return .decimal(precision: 20, scale: 0)
        default: return nil
        }
    }

    /// The column as the writer takes it; rows that do not fit are added to `misfits` and hold null.
    func prepare(_ column: ColumnVector, misfits: inout [PostgreSQLMisfit]) -> ColumnVector {
        var result = column
        if let castType {
            if column.type != castType { result = cast(column, to: castType, &misfits) }
            result = checked(result, &misfits)
        } else {
            result = converted(column, &misfits)
        }
        if !isNullable, column.nullCount > 0 {
            for row in 0..<column.count where !column.isValid(row) {
                misfits.append(
                    PostgreSQLMisfit(row: row, code: "nullInRequiredColumn", message: "the column takes no null"))
            }
        }
        return result
    }

    // MARK: - Casts

    private func cast(_ column: ColumnVector, to target: DataType, _ misfits: inout [PostgreSQLMisfit]) -> ColumnVector
    {
        if let result = try? Kernels.cast(column, to: target) {
            for failure in result.failures { misfits.append(doesNotFit(column, Int(failure.row))) }
            return result.column
        }
        let builder = makeBuilder(for: target, capacity: column.count)
        for row in 0..<column.count {
            let value = column.scalar(at: row)
            if value.isNull {
                builder.appendNull()
                continue
            }
            let text = RowText.value(value, source).compactText
            let isRight = target != .json || source != .utf8 || (try? JSONValue.parse(value.description)) != nil
            let scalar: Scalar = .utf8(target == .json && source == .utf8 ? value.description : text)
            if isRight, builder.append(scalar) { continue }
            builder.appendNull()
            misfits.append(doesNotFit(column, row))
        }
        return builder.finish()
    }

    private func doesNotFit(_ column: ColumnVector, _ row: Int) -> PostgreSQLMisfit {
        let value = column.scalar(at: row).description
        return PostgreSQLMisfit(
            row: row, code: "doesNotFit", message: "the value does not fit \(type.name)", value: value)
    }

    // MARK: - What the server would refuse

    private func checked(_ column: ColumnVector, _ misfits: inout [PostgreSQLMisfit]) -> ColumnVector {
        switch type.kind {
        case .text(let limit): refuse(column, &misfits) { Self.textProblem($0, limit: limit) }
        case .enumeration(let labels): enumerated(column, Set(labels), &misfits)
        case .json, .jsonb: refuse(column, &misfits) { Self.textProblem($0, limit: nil) }
        case .date: outside(column, Int32.self, -2_440_588, 2_145_042_905, &misfits)
        case .time: tooFine(outside(column, Int64.self, 0, 86_400_000_000, &misfits), &misfits)
        case .timestamp, .timestampWithZone:
            tooFine(outside(column, Int64.self, -210_866_803_200_000_000, .max, &misfits), &misfits)
        case .unboundedNumeric, .numeric: writer.form == .bytes(prefix: nil) ? wideNumbers(column, &misfits) : column
        default: column
        }
    }

    /// Why text cannot be stored; whole columns are looked at for zero bytes and lengths before single values are.
    private static func textProblem(_ bytes: UnsafeRawBufferPointer, limit: Int?) -> (String, String)? {
        if bytes.contains(0) { return ("zeroByte", "the text holds a zero byte, which PostgreSQL does not store") }
        guard let limit, bytes.count > limit else { return nil }
        let characters = bytes.reduce(0) { $0 + ($1 & 0xC0 == 0x80 ? 0 : 1) }
        return characters > limit ? ("tooLong", "\(characters) characters, the column takes \(limit)") : nil
    }

    private func refuse(
        _ column: ColumnVector, _ misfits: inout [PostgreSQLMisfit],
        _ problem: (UnsafeRawBufferPointer) -> (String, String)?
    ) -> ColumnVector {
        if column.dictionary == nil, !mayHoldProblem(column) { return column }
        let view = column.unsafeView
        let words = (column.dictionary ?? column).unsafeView
        var rows: [Int] = []
        for row in 0..<column.count where view.isValid(row) {
            let bytes = column.dictionary == nil ? view.bytes(row) : words.bytes(view.key(row))
            guard let (code, message) = problem(bytes) else { continue }
            rows.append(row)
            misfits.append(
                PostgreSQLMisfit(row: row, code: code, message: message, value: String(decoding: bytes, as: UTF8.self)))
        }
        withExtendedLifetime(column) {}
        return column.copyNulling(rows)
    }

    /// A quick look at plain text: a zero byte anywhere, or a value of more bytes than the column takes characters.
    private func mayHoldProblem(_ column: ColumnVector) -> Bool {
        guard column.count > 0 else { return false }
        let view = column.unsafeView
        return withExtendedLifetime(column) {
            let (start, end) = (Int(view.textOffset(0)), Int(view.textOffset(column.count)))
            if UnsafeRawBufferPointer(start: view.textBase + start, count: end - start).contains(0) { return true }
            guard case .text(let limit?) = type.kind else { return false }
            var longest: Int32 = 0
            for row in 0..<column.count { longest = max(longest, view.textOffset(row &+ 1) &- view.textOffset(row)) }
            return Int(longest) > limit
        }
    }

    private func enumerated(
        _ column: ColumnVector, _ labels: Set<String>, _ misfits: inout [PostgreSQLMisfit]
    ) -> ColumnVector {
        var rows: [Int] = []
        for row in 0..<column.count {
            guard case .utf8(let word) = column.scalar(at: row), !labels.contains(word) else { continue }
            rows.append(row)
            misfits.append(
                PostgreSQLMisfit(row: row, code: "unknownLabel", message: "\(type.name) has no such label", value: word)
            )
        }
        return column.copyNulling(rows)
    }

    /// The ends of the type stand for the infinities and pass.
    private func outside<Value: FixedWidthInteger & BitwiseCopyable>(
        _ column: ColumnVector, _: Value.Type, _ lowest: Value, _ highest: Value, _ misfits: inout [PostgreSQLMisfit]
    ) -> ColumnVector {
        let values = column.unsafeView.values(as: Value.self)
        var rows: [Int] = []
        for row in 0..<column.count where values[row] < lowest || values[row] > highest {
            let isInfinite = type.kind != .time && (values[row] == .min || values[row] == .max)
            guard column.isValid(row), !isInfinite else { continue }
            rows.append(row)
            misfits.append(
                PostgreSQLMisfit(
                    row: row, code: "outOfRange", message: "the value is outside what \(type.name) holds",
                    value: column.scalar(at: row).description))
        }
        return column.copyNulling(rows)
    }

    /// Refuses times that the server would round.
    private func tooFine(_ column: ColumnVector, _ misfits: inout [PostgreSQLMisfit]) -> ColumnVector {
        guard let digits = type.secondDigits else { return column }
        let unit = (digits..<6).reduce(Int64(1)) { unit, _ in unit * 10 }
        let values = column.unsafeView.values(as: Int64.self)
        var rows: [Int] = []
        for row in 0..<column.count where values[row] % unit != 0 && column.isValid(row) {
            guard values[row] != .min, values[row] != .max else { continue }
            rows.append(row)
            misfits.append(
                PostgreSQLMisfit(
                    row: row, code: "doesNotFit", message: "the value has more digits of a second than \(type.name)",
                    value: column.scalar(at: row).description))
        }
        return column.copyNulling(rows)
    }

    // MARK: - Values made one by one

    private func wideNumbers(_ column: ColumnVector, _ misfits: inout [PostgreSQLMisfit]) -> ColumnVector {
        var limits: (digits: Int, scale: Int)?
        if case .numeric(let precision, let scale) = type.kind { limits = (precision, scale) }
        let text = column.type == .utf8 ? column : (try? Kernels.cast(column, to: .utf8).column) ?? column
        return wire(text, &misfits) { PostgreSQLWireText.numeric($0, limits: limits) }
    }

    private func converted(_ column: ColumnVector, _ misfits: inout [PostgreSQLMisfit]) -> ColumnVector {
        switch type.kind {
        case .uuid: wire(column, &misfits, PostgreSQLWireText.uuid)
        case .interval: wire(column, &misfits, PostgreSQLWireText.interval)
        case .timeWithZone: wire(column, &misfits, PostgreSQLWireText.timeWithZone)
        case .network(let isCIDR): wire(column, &misfits) { PostgreSQLWireText.network($0, isCIDR: isCIDR) }
        case .macAddress(let bytes): wire(column, &misfits) { PostgreSQLWireText.macAddress($0, bytes: bytes) }
        case .unboundedNumeric, .numeric: wideNumbers(column, &misfits)
        case .array(let element): arrays(column, element, &misfits)
        default: column
        }
    }

    /// The bytes that `convert` makes of each text.
    private func wire(
        _ column: ColumnVector, _ misfits: inout [PostgreSQLMisfit], _ convert: (UnsafeRawBufferPointer) -> [UInt8]?
    ) -> ColumnVector {
        let view = column.unsafeView
        let words = (column.dictionary ?? column).unsafeView
        let builder = BytesBuilder(.binary, capacity: column.count)
        for row in 0..<column.count {
            guard view.isValid(row) else {
                builder.appendNull()
                continue
            }
            let bytes = column.dictionary == nil ? view.bytes(row) : words.bytes(view.key(row))
            if let made = convert(bytes) {
                made.withUnsafeBytes { builder.append($0) }
            } else {
                builder.appendNull()
                misfits.append(doesNotFit(column, row))
            }
        }
        return withExtendedLifetime(column) { builder.finish() }
    }

    private func arrays(
        _ column: ColumnVector, _ element: PostgreSQLType, _ misfits: inout [PostgreSQLMisfit]
    ) -> ColumnVector {
        guard let child = column.children.first, let encoder = PostgreSQLColumnEncoder(child.type, into: element) else {
            preconditionFailure("an array of \(element.name) was planned for \(source)")
        }
        let view = column.unsafeView
        let first = Int(view.textOffset(0))
        let elements = child.slice(from: first, count: Int(view.textOffset(column.count)) - first)
        var inner: [PostgreSQLMisfit] = []
        let encoded = PostgreSQLEncodedValues(encoder, elements, misfits: &inner)
        let bad = Dictionary(inner.map { ($0.row, $0) }) { first, _ in first }
        let builder = BytesBuilder(.binary, capacity: column.count, bytesPerValue: 64)
        for row in 0..<column.count {
            guard view.isValid(row) else {
                builder.appendNull()
                continue
            }
            let range = Int(view.textOffset(row)) - first..<Int(view.textOffset(row + 1)) - first
            if !bad.isEmpty, let misfit = range.lazy.compactMap({ bad[$0] }).first {
                builder.appendNull()
                misfits.append(
                    PostgreSQLMisfit(
                        row: row, code: misfit.code, message: "an element: \(misfit.message)", value: misfit.value))
                continue
            }
            let hasNull = range.contains { !elements.isValid($0) }
            var bytes: [UInt8] = []
            for word in [range.isEmpty ? 0 : 1, hasNull ? 1 : 0, Int(element.oid)] {
                PostgreSQLWireText.append(UInt32(truncatingIfNeeded: word), to: &bytes)
            }
            if !range.isEmpty {
                PostgreSQLWireText.append(Int32(truncatingIfNeeded: range.count), to: &bytes)
                PostgreSQLWireText.append(1 as Int32, to: &bytes)
                bytes += encoded.bytes(of: range)
            }
            bytes.withUnsafeBytes { builder.append($0) }
        }
        return withExtendedLifetime(column) { builder.finish() }
    }
}

extension ColumnVector {
    /// As `nulling`, for a window or a column with a dictionary.
    fileprivate func copyNulling(_ rows: [Int]) -> ColumnVector {
        guard !rows.isEmpty else { return self }
        let bits = MutableBuffer(capacity: Bitmap.byteCount(offset + count))
        bits.base.initializeMemory(as: UInt8.self, repeating: 0, count: Bitmap.byteCount(offset + count))
        for row in 0..<count where isValid(row) { Bitmap.set(bits.base, offset + row, true) }
        for row in rows { Bitmap.set(bits.base, offset + row, false) }
        return ColumnVector(
            type: type, count: count, offset: offset,
            validity: bits.finish(byteCount: Bitmap.byteCount(offset + count)),
            values: values, offsets: offsets, children: children, dictionary: dictionary)
    }
}
