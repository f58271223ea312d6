import HeadraceColumnar
import HeadraceCore
import HeadraceFiles
import Testing

@Suite struct SchemaFileTests {
    let folder = TemporaryFolder()

    @Test func `fields, types and nullability are read`() throws {
        let path = try folder.file(
            "schema.json",
            """
            {"format": "csv", "fields": [
              {"name": "id", "type": "int64", "nullable": false}, {"name": "price", "type": "decimal(12,2)"},
              {"name": "at", "type": "timestamp(UTC)"}, {"name": "tags", "type": {"list": "utf8"}},
              {"name": "size", "type": {"struct": [{"name": "w", "type": "int32"}]}}
            ]}
            """)
        #expect(
            try SchemaFile.read(path)
                == Schema([
                    Field("id", .int64, nullable: false), Field("price", .decimal(precision: 12, scale: 2)),
                    Field("at", .instant), Field("tags", .list(Field("item", .utf8))),
                    Field("size", .struct([Field("w", .int32)])),
                ]))
    }

    @Test(arguments: [
        "not json", "3", "[1]", #"[{"name": "a"}]"#, #"[{"name": "a", "type": "integer"}]"#,
        #"[{"name": "a", "type": "utf8"}, {"name": "a", "type": "utf8"}]"#,
    ])
    func `what is no schema is refused with the file's name`(text: String) throws {
        let path = try folder.file("schema.json", text)
        let error = #expect(throws: HeadraceError.self) { try SchemaFile.read(path) }
        #expect(error?.code == .badOption)
        #expect(error?.description.contains(path) == true)
    }
}
