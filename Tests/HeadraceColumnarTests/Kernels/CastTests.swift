import HeadraceColumnar
import Testing

@Suite struct CastTests {
    static let numbers = RandomColumns.fixedTypes.filter(\.isNumeric) + [.decimal(precision: 4, scale: 1)]
    static let textual = RandomColumns.fixedTypes

    @Test(arguments: numbers, numbers)
    func `numbers cast exactly or fail`(_ source: DataType, _ target: DataType) throws {
        var random = SeededRandom(31)
        for shape in [Shape.sliced, .foreign] {
            let column = RandomColumns.column(source, count: 150, shape: shape, &random)
            let result = try Kernels.cast(column, to: target)
            #expect(result.column.type == target)
            expect(result, column, target) { Self.number($0, source, target) }
        }
    }

    /// The value as a column of `type` would hold it, floats by way of the shortest decimal that names them.
    private static func number(_ value: Scalar, _ source: DataType, _ type: DataType) -> (Scalar?, RowFailure.Reason) {
        let text: DecimalValue
        switch value {
        case .double(let double):
            if type == .float64 { return (value, .inexact) }
            if type == .float32 {
                let narrow = Float(double)
                if narrow.isInfinite && double.isFinite { return (nil, .outOfRange) }
                return (Double(narrow) == double || double.isNaN ? value : nil, .inexact)
            }
            if let range = type.integerRange, let whole = Int128(exactly: double) {
                return (range.lowest <= whole && whole <= range.highest ? .integer(whole) : nil, .outOfRange)
            }
            guard let parsed = DecimalValue(source == .float32 ? "\(Float(double))" : "\(double)") else {
                return (nil, .outOfRange)
            }
            text = parsed
        case .integer(let integer): text = DecimalValue(coefficient: integer, scale: 0)
        case .decimal(let decimal): text = decimal
        default: return (nil, .inexact)
        }
        switch type {
        case .float64:
            let double = Double(text.description) ?? .nan
            return (
                DecimalValue("\(double)") == text || (text.integer.map { Int128(exactly: double) == $0 } ?? false)
                    ? .double(double) : nil, .inexact
            )
        case .float32:
            let single = Float(text.description) ?? .nan
            let names =
                DecimalValue("\(single)") == text || (text.integer.map { Int128(exactly: single) == $0 } ?? false)
            return (names ? .double(Double(single)) : nil, .inexact)
        case .decimal(let precision, let scale):
            if let coefficient = text.exactCoefficient(precision: precision, scale: scale) {
                return (.decimal(DecimalValue(coefficient: coefficient, scale: scale)), .inexact)
            }
            let fits = text.rounded(toScale: scale, .down).map { $0.precision <= precision } ?? false
            return (nil, fits ? .inexact : .outOfRange)
        default:
            guard let range = type.integerRange else { return (nil, .inexact) }
            guard let whole = text.exactCoefficient(precision: 38, scale: 0) else {
                return (nil, text.rounded(toScale: 0, .down) == nil ? .outOfRange : .inexact)
            }
            return (range.lowest <= whole && whole <= range.highest ? .integer(whole) : nil, .outOfRange)
        }
    }

    @Test(arguments: RoundingMode.allCases)
    func `a rounding mode lets digits go`(_ mode: RoundingMode) throws {
        let values: [Int128] = [25, -25, 35, 24, 26, -26, 0, 10, 49, -51, 9949, 9950]
        let column = try #require(
            ColumnVector.of(
                .decimal(precision: 6, scale: 1), values.map { .decimal(DecimalValue(coefficient: $0, scale: 1)) }))
        let rounded = values.map { DecimalValue(coefficient: $0, scale: 1).rounded(toScale: 0, mode)?.coefficient ?? 0 }
        #expect(try Kernels.cast(column, to: .int32, rounding: mode).column.scalars == rounded.map { .integer($0) })
        let small = try Kernels.cast(column, to: .int8, rounding: mode)
        #expect(small.column.scalars == rounded.map { (-128...127).contains($0) ? .integer($0) : .null })
        #expect(small.failures.map(\.row) == [10, 11])
        #expect(
            try Kernels.cast(column, to: .decimal(precision: 38, scale: 0), rounding: mode).column.scalars
                == rounded.map { .decimal(DecimalValue(coefficient: $0, scale: 0)) })
        let doubles = try #require(ColumnVector.of(.float64, values.map { .double(Double($0) / 10) }))
        #expect(try Kernels.cast(doubles, to: .int64, rounding: mode).column.scalars == rounded.map { .integer($0) })
        #expect(
            try Kernels.cast(doubles, to: .decimal(precision: 4, scale: 0), rounding: mode).column.scalars
                == rounded.map { .decimal(DecimalValue(coefficient: $0, scale: 0)) })
        let fine = try #require(
            ColumnVector.of(.decimal(precision: 20, scale: 19), [.decimal(DecimalValue(coefficient: 1, scale: 19))]))
        #expect(try Kernels.cast(fine, to: .float32, rounding: mode).column.scalars == [.double(Double(Float(1e-19)))])
    }

    @Test(arguments: textual, Shape.allCases)
    func `text of every type reads back`(_ type: DataType, _ shape: Shape) throws {
        var random = SeededRandom(32)
        let column = RandomColumns.column(type, count: 150, shape: shape, &random)
        let text = try Kernels.cast(column, to: .utf8)
        #expect(text.failures.isEmpty)
        #expect(text.column.nullCount == column.nullCount)
        for (value, written) in zip(column.scalars, text.column.scalars) {
            switch value {
            case .null: #expect(written == .null)
            case .bool, .integer, .decimal, .date, .time: #expect(written == .utf8(value.description))
            case .timestamp(let micros):
                #expect(written == .utf8(Temporal.formatTimestamp(micros, hasZone: type == .instant)))
            case .double(let double):
                guard case .utf8(let digits) = written else {
                    Issue.record("\(written) is no text")
                    continue
                }
                #expect(
                    type == .float32
                        ? Float(digits) == Float(double) || double.isNaN : Double(digits) == double || double.isNaN)
            default: Issue.record("\(value)")
            }
        }
        let encoded = try #require(Kernels.dictionaryEncoded(text.column, limit: .max))
        let wide = try #require(Kernels.dictionaryEncoded(Kernels.concat([text.column, text.column]), limit: .max))
        for form in [text.column, encoded, wide.slice(from: 150, count: 150), wide.slice(from: 149, count: 2)] {
            let back = try Kernels.cast(form, to: type)
            #expect(back.failures.isEmpty)
            let expected = form.count == 2 ? [column.scalar(at: 149), column.scalar(at: 0)] : column.scalars
            #expect(Reference.equal(back.column.scalars, expected))
            #expect(back.column.type == type)
        }
    }

    @Test(arguments: textual)
    func `text that is no value fails with the parser's reason`(_ type: DataType) throws {
        let column = try #require(
            ColumnVector.of(
                .utf8, [.utf8(""), .utf8("zebra"), .null, .utf8("1e999999999999"), .utf8(" 1"), .utf8("zebra")]))
        for form in [column, try #require(Kernels.dictionaryEncoded(column, limit: .max))] {
            let result = try Kernels.cast(form, to: type)
            #expect(result.column.nullCount == 6)
            #expect(result.failures.map(\.row) == [0, 1, 3, 4, 5])
            #expect(result.failures[0].reason == .text(.empty))
            #expect(result.failures[4].reason == .text(.malformed))
        }
    }

    @Test func `range and zone of text are checked`() throws {
        let text = try #require(ColumnVector.of(.utf8, [.utf8("300"), .utf8("-1"), .utf8("255")]))
        let bytes = try Kernels.cast(text, to: .uint8)
        #expect(bytes.column.scalars == [.null, .null, .integer(255)])
        #expect(bytes.failures.map(\.reason) == [.text(.outOfRange), .text(.outOfRange)])
        let decimals = try #require(ColumnVector.of(.utf8, [.utf8("1.25"), .utf8("1.2"), .utf8("100")]))
        let cast = try Kernels.cast(decimals, to: .decimal(precision: 3, scale: 1))
        #expect(cast.column.scalars == [.null, .decimal(DecimalValue(coefficient: 12, scale: 1)), .null])
        #expect(cast.failures.map(\.reason) == [.text(.tooManyFractionDigits), .text(.outOfRange)])
        let times = try #require(
            ColumnVector.of(
                .utf8,
                [.utf8("1970-01-01T00:00:01"), .utf8("1970-01-01T00:00:01Z"), .utf8("1970-01-01T01:00:01+01:00")]))
        let wall = try Kernels.cast(times, to: .timestamp(zone: nil))
        #expect(wall.column.scalars == [.timestamp(1_000_000), .null, .null])
        #expect(wall.failures.map(\.reason) == [.zone, .zone])
        let instants = try Kernels.cast(times, to: .instant)
        #expect(instants.column.scalars == [.null, .timestamp(1_000_000), .timestamp(1_000_000)])
        let single = try #require(ColumnVector.of(.utf8, [.utf8("1e39"), .utf8("0.1")]))
        #expect(try Kernels.cast(single, to: .float32).column.scalars == [.null, .double(Double(Float(0.1)))])
    }

    @Test func `dates are the timestamps at midnight`() throws {
        let dates = try #require(ColumnVector.of(.date32, [.date(1), .null, .date(-1), .date(.max)]))
        let midnights = try Kernels.cast(dates, to: .instant)
        #expect(midnights.column.scalars == [.timestamp(86_400_000_000), .null, .timestamp(-86_400_000_000), .null])
        #expect(midnights.failures == [RowFailure(row: 3, reason: .outOfRange)])
        let times = try #require(
            ColumnVector.of(.timestamp(zone: nil), [.timestamp(86_400_000_000), .timestamp(-1), .null]))
        let days = try Kernels.cast(times, to: .date32)
        #expect(days.column.scalars == [.date(1), .null, .null])
        #expect(days.failures == [RowFailure(row: 1, reason: .inexact)])
        #expect(try Kernels.cast(times, to: .date32, rounding: .down).column.scalars == [.date(1), .date(-1), .null])
        #expect(try Kernels.cast(times, to: .instant).column.scalars == times.scalars)
        #expect(!Kernels.canCast(.timestamp(zone: nil), to: .timestamp(zone: "Europe/Berlin")))
        #expect(Kernels.canCast(.instant, to: .timestamp(zone: "Europe/Berlin")))
    }

    @Test func `booleans are zero and one`() throws {
        let numbers = try #require(
            ColumnVector.of(.int8, [.integer(0), .integer(1), .null, .integer(2), .integer(-1)]))
        let cast = try Kernels.cast(numbers, to: .bool)
        #expect(cast.column.scalars == [.bool(false), .bool(true), .null, .null, .null])
        #expect(cast.failures.map(\.row) == [3, 4])
        #expect(
            try Kernels.cast(cast.column, to: .uint64).column.scalars == [
                .integer(0), .integer(1), .null, .null, .null,
            ])
        #expect(!Kernels.canCast(.bool, to: .float64))
    }

    @Test func `binary becomes text where it is UTF-8`() throws {
        let good: [[UInt8]] = [
            [], [0x41], [0xc3, 0xa9], [0xe2, 0x82, 0xac], [0xf0, 0x9f, 0x98, 0x80], [0xef, 0xbf, 0xbf],
        ]
        let bad: [[UInt8]] = [
            [0x80], [0xc0, 0x80], [0xc3], [0xe0, 0x80, 0x80], [0xed, 0xa0, 0x80], [0xf0, 0x80, 0x80, 0x80],
            [0xf4, 0x90, 0x80, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xe2, 0x82], Array("12345678".utf8) + [0xff],
        ]
        let column = try #require(ColumnVector.of(.binary, (good + bad).map { .binary($0) } + [.null]))
        let text = try Kernels.cast(column, to: .utf8)
        let expected = good.map { Scalar.utf8(String(decoding: $0, as: UTF8.self)) } + bad.map { _ in .null } + [.null]
        #expect(text.column.scalars == expected)
        #expect(text.failures.map(\.row) == (0..<Int32(bad.count)).map { $0 + Int32(good.count) })
        #expect(text.column.values?.byteCount == good.joined().count)
        #expect(try Kernels.cast(text.column, to: .binary).column.scalars.first == .binary([]))
        #expect(try Kernels.cast(column.slice(from: 0, count: 4), to: .utf8).column.values === column.values)
    }

    @Test func `lists and structs fail as a whole`() throws {
        let lists = try #require(
            ColumnVector.of(
                .list(Field("item", .int64)),
                [
                    .list([.integer(9)]), .list([.integer(1), .null]), .null,
                    .list([.integer(500), .integer(2), .integer(700)]),
                    .list([]), .list([.integer(4)]),
                ]))
        let narrow = try Kernels.cast(lists.slice(from: 1, count: 5), to: .list(Field("item", .uint8)))
        #expect(
            narrow.column.scalars == [
                .list([.integer(1), .null]), .null, .null, .list([]), .list([.integer(4)]),
            ])
        #expect(narrow.failures == [RowFailure(row: 2, reason: .outOfRange)])
        let structs = try #require(
            ColumnVector.of(
                .struct([Field("a", .utf8), Field("b", .int64)]),
                [
                    .struct([.utf8("0"), .integer(1)]), .struct([.utf8("1"), .integer(2)]),
                    .struct([.utf8("x"), .null]), .null,
                ]))
        let cast = try Kernels.cast(
            structs.slice(from: 1, count: 3), to: .struct([Field("a", .int32), Field("b", .utf8)]))
        #expect(cast.column.scalars == [.struct([.integer(1), .utf8("2")]), .null, .null])
        #expect(cast.failures == [RowFailure(row: 1, reason: .text(.malformed))])
        let whole = try Kernels.cast(lists.slice(from: 4, count: 2), to: .list(Field("element", .int8)))
        #expect(whole.column.scalars == [.list([]), .list([.integer(4)])])
        #expect(!Kernels.canCast(.list(Field("item", .json)), to: .utf8))
    }

    @Test func `text keeps its dictionary as binary and back`() throws {
        let text = try #require(ColumnVector.of(.json, [.utf8("1"), .utf8("1"), .null]))
        let encoded = try #require(Kernels.dictionaryEncoded(text, limit: .max))
        let binary = try Kernels.cast(encoded, to: .binary).column
        #expect(binary.dictionary?.type == .binary)
        #expect(binary.scalars == [.binary([0x31]), .binary([0x31]), .null])
        #expect(try Kernels.cast(encoded, to: .utf8).column.dictionary?.type == .utf8)
        #expect(!Kernels.canCast(.utf8, to: .json))
        let error = #expect(throws: KernelError.self) { try Kernels.cast(encoded, to: .int64) }
        #expect(error?.types == [.json, .int64])
    }

    private func expect(
        _ result: KernelResult, _ column: ColumnVector, _ type: DataType,
        _ expected: (Scalar) -> (Scalar?, RowFailure.Reason), _ location: SourceLocation = #_sourceLocation
    ) {
        var values: [Scalar] = []
        var failures: [RowFailure] = []
        for (row, value) in column.scalars.enumerated() {
            if value.isNull {
                values.append(.null)
                continue
            }
            let (cast, reason) = expected(value)
            values.append(cast ?? .null)
            if cast == nil { failures.append(RowFailure(row: Int32(row), reason: reason)) }
        }
        #expect(Reference.equal(result.column.scalars, values), "\(column.type) to \(type)", sourceLocation: location)
        #expect(result.failures == failures, "\(column.type) to \(type)", sourceLocation: location)
        #expect(result.column.nullCount == values.count { $0.isNull }, sourceLocation: location)
    }
}

extension DecimalValue {
    /// The value as an integer, nil when it has digits after the point.
    fileprivate var integer: Int128? { exactCoefficient(precision: 38, scale: 0) }
}
