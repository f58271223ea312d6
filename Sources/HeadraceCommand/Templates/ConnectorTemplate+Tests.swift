extension ConnectorTemplate {
    static let contractTests = #"""
        import HeadraceAcme
        import HeadraceColumnar
        import HeadraceCore
        import HeadraceTesting
        import Testing

        /// Records that stand in Acme.
        private struct WrittenRecords: SourceHarness {
            let folder: TemporaryFolder

            /// WRITE HERE how the tests fill Acme: not by this package's own sink.
            init() throws {
                folder = try TemporaryFolder()
                let lines = NamedRows.rows(0..<1000).map { row in
                    "{\"id\": \(row[0])" + (row[1].isNull ? "}\n" : ", \"name\": \"\(row[1].description)\"}\n")
                }
                try folder.write(lines.joined(), to: "records")
            }

            /// Small pages, so that reading crosses many of them.
            func makeSource() throws -> AcmeSource { AcmeSource(at: folder("records"), pageSize: 100) }
            var expectedSchema: Schema { Schema([Field("id", .int64), Field("name", .utf8)]) }
            var expectedRows: [[Scalar]] { NamedRows.rows(0..<1000) }
        }

        /// An empty Acme to write to.
        private struct Target: SinkHarness {
            let folder: TemporaryFolder

            init() throws { folder = try TemporaryFolder() }

            func makeSink() throws -> AcmeSink { AcmeSink(at: folder("records")) }

            /// WRITE HERE how another program reads Acme: not by this package's own source.
            func rows(_ columns: [String]) async throws -> [[String?]] {
                guard try folder.names().contains("records") else { return [] }
                let program = """
                    import json, sys
                    rows = [json.loads(line) for line in open(sys.argv[1], encoding="utf-8")]
                    print(json.dumps([[row.get(name) for name in sys.argv[2:]] for row in rows]))
                    """
                let read = try ChildProcess.run(["python3", "-c", program, folder("records")] + columns)
                try #require(read.status == 0, "\(read.errors)")
                return (try JSONValue.parse(read.output).arrayValue ?? []).map { row in
                    (row.arrayValue ?? []).map { $0.isNull ? nil : $0.stringValue ?? $0.compactText }
                }
            }

            /// WRITE HERE what loads must not leave behind: temporary tables, files, open connections.
            func leftovers() async throws -> [String] { try folder.names().filter { $0 != "records" } }

            /// Promises that Acme cannot keep, by the check's sentence, with the reason. A gap that has closed is an error.
            static var gaps: [String: String] { [:] }
        }

        @Suite struct AcmeContractTests {
            @Test("What the engine demands of every source", arguments: SourceContract<WrittenRecords>.checks)
            private func source(_ check: Check<WrittenRecords>) async throws { try await check.run(on: try WrittenRecords()) }

            @Test("What the engine demands of every sink", arguments: SinkContract<Target>.checks)
            private func sink(_ check: Check<Target>) async throws { try await check.run(on: try Target()) }
        }

        """#

    static let sourceTests = #"""
        import HeadraceAcme
        import HeadraceColumnar
        import HeadraceCore
        import HeadraceTesting
        import Testing

        @Suite struct AcmeSourceTests {
            @Test(
                "A record that is no row is refused with its place and its words, and the others arrive",
                arguments: [("{\"id\": \"x\"}", "malformed"), ("{\"id\"", "malformed"), ("{}", "missing")])
            func refuses(record: String, code: String) async throws {
                let folder = try TemporaryFolder()
                try folder.write("{\"id\": 1}\n\(record)\n{\"id\": 3}\n", to: "records")
                let schema = Schema([Field("id", .int64, nullable: false)])
                let batches = try await AcmeSource(at: folder("records"), schema: schema).readAll().batches
                #expect(batches.identifiers == [1, 3])
                let reject = try #require(batches.rejects.first)
                #expect(batches.rejects.count == 1)
                #expect(reject.code == code)
                #expect(reject.place.row == 2)
                #expect(reject.original == Array(record.utf8))
            }
        }

        """#
}
