import Testing

@testable import HeadraceColumnar

@Suite struct CommonTypeTests {
    private static let decimal = DataType.decimal(precision: 10, scale: 2)

    @Test(
        "Two types have the narrowest type in common that holds both, whichever comes first",
        arguments: [
            (DataType.int8, DataType.int32, DataType.int32), (.uint8, .int8, .int16), (.uint32, .int8, .int64),
            (.uint64, .uint8, .uint64), (.uint64, .int64, .decimal(precision: 20, scale: 0)),
            (decimal, .decimal(precision: 1, scale: 0), decimal),
            (decimal, .decimal(precision: 6, scale: 5), .decimal(precision: 13, scale: 5)),
            (decimal, .int32, .decimal(precision: 12, scale: 2)), (decimal, .float64, .float64),
            (.float32, .float64, .float64), (.float32, .int8, .float64), (.json, .utf8, .utf8),
            (.decimal(precision: 38, scale: 38), .decimal(precision: 38, scale: 0), .decimal(precision: 38, scale: 6)),
            (.list(Field("item", .int8, nullable: false)), .list(Field("item", .int16)), .list(Field("item", .int16))),
            (
                .struct([Field("a", .int8), Field("b", .utf8)]), .struct([Field("a", decimal), Field("b", .utf8)]),
                .struct([Field("a", decimal), Field("b", .utf8)])
            ),
        ])
    func finds(left: DataType, right: DataType, common: DataType) {
        #expect(Kernels.commonType(left, right) == common)
        #expect(Kernels.commonType(right, left) == common)
        #expect(Kernels.canCast(left, to: common) && Kernels.canCast(right, to: common))
    }

    @Test("Instants stay instants, shown in the zone of the first")
    func zones() {
        let berlin = DataType.timestamp(zone: "Europe/Berlin")
        #expect(Kernels.commonType(berlin, .instant) == berlin)
        #expect(Kernels.commonType(.instant, berlin) == .instant)
    }

    @Test(
        "Types of different kinds have none in common",
        arguments: [
            (DataType.utf8, DataType.int64), (.bool, .int8), (.date32, .instant), (.timestamp(zone: nil), .instant),
            (.binary, .utf8), (.list(Field("item", .bool)), .list(Field("item", .utf8))), (.date32, .int32),
            (.struct([Field("a", .int8)]), .struct([Field("b", .int8)])),
            (.struct([Field("a", .int8)]), .struct([Field("a", .int8), Field("b", .int8)])),
        ])
    func findsNone(left: DataType, right: DataType) {
        #expect(Kernels.commonType(left, right) == nil && Kernels.commonType(right, left) == nil)
    }

    @Test("Decimals have 1 to 38 digits, no more of them after the point")
    func wellFormed() {
        #expect(DataType.decimal(precision: 38, scale: 38).isWellFormed && DataType.struct([]).isWellFormed)
        for type: DataType in [
            .decimal(precision: 0, scale: 0), .decimal(precision: 39, scale: 2), .decimal(precision: 5, scale: 6),
            .decimal(precision: 5, scale: -1), .list(Field("item", .decimal(precision: 40, scale: 0))),
            .struct([Field("a", .list(Field("item", .decimal(precision: 2, scale: 3))))]),
        ] { #expect(!type.isWellFormed, "\(type)") }
    }
}
