extension ConnectorTemplate {
    static let contractTests = #"""
        import HeadraceAcme
        import HeadraceColumnar
        import HeadraceCore
        import HeadraceTesting
        import Testing

        /// Records that stand in Acme.
        private struct WrittenRecords: FlawedSourceHarness {
            let folder: TemporaryFolder

            /// WRITE HERE how the tests fill Acme: not by this package's own sink.
            init() throws {
                folder = try TemporaryFolder()
                try write(Self.records, to: "records")
            }

            private static let records = NamedRows.rows(0..<1000).map { row in
                "{\"id\": \(row[0])" + (row[1].isNull ? "}" : ", \"name\": \"\(row[1].description)\"}")
            }

            private func write(_ records: [String], to name: String) throws {
                try folder.write(records.map { "\($0)\n" }.joined(), to: name)
            }

            /// Small pages, so that reading crosses many of them.
            func makeSource() throws -> AcmeSource { AcmeSource(at: folder("records"), pageSize: 100) }
            var expectedSchema: Schema { Schema([Field("id", .int64), Field("name", .utf8)]) }
            var expectedRows: [[Scalar]] { NamedRows.rows(0..<1000) }

            /// WRITE HERE records that are no rows, as Acme may hold them. Where it cannot, make this a `SourceHarness`.
            var flaws: [Flaw] {
                [
                    Flaw(after: 0, "{\"id\": \"first\"}"), Flaw(after: 17, "{\"id\": 1"), Flaw(after: 17, "no record"),
                    Flaw(after: 1000, "[]"), Flaw(after: 1000, "{\"id\": 1}\0 and more"),
                ]
            }

            func makeFlawedSource() throws -> AcmeSource {
                try write(Flaw.mixing(flaws, into: Self.records), to: "flawed")
                return AcmeSource(at: folder("flawed"), schema: expectedSchema, pageSize: 100)
            }
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
            @Test(
                "What the engine demands of every source",
                arguments: SourceContract<WrittenRecords>.checks + SourceContract<WrittenRecords>.flawChecks)
            private func source(_ check: Check<WrittenRecords>) async throws { try await check.run(on: try WrittenRecords()) }

            @Test("What the engine demands of every sink", arguments: SinkContract<Target>.checks)
            private func sink(_ check: Check<Target>) async throws { try await check.run(on: try Target()) }
        }

        """#
}
