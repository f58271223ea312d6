import HeadraceColumnar
import HeadraceCore
import HeadraceTesting
import Testing

@testable import HeadraceMySQL

@Suite struct MySQLSkippedRowsTests {
    /// What the server must do with a row, by rules written a second time.
    private struct Model {
        var stored: [Int: Int] = [:]
        var refused: [(row: Int, code: String)] = []

        mutating func take(_ row: Int, id: Int, n: Int, parent: Int?) {
            if n == 7 {
                refused.append((row, "check"))
            } else if stored[id] != nil {
                refused.append((row, "notUnique"))
            } else if let parent, parent != 1 {
                refused.append((row, "foreignKey"))
            } else {
                stored[id] = n
            }
        }
    }

    @Test(
        "Of rows that a load skips, each is told with its own reason, wherever it stands",
        arguments: 1...4 as ClosedRange<UInt64>)
    func tellsSkippedRows(seed: UInt64) async throws {
        let bench = try Bench()
        try bench.mariadb(
            """
            CREATE TABLE parents (id INT PRIMARY KEY) ENGINE=InnoDB; INSERT INTO parents VALUES (1);
            CREATE TABLE t (id BIGINT PRIMARY KEY, n INT NOT NULL, p INT, CONSTRAINT not_seven CHECK (n <> 7),
              FOREIGN KEY (p) REFERENCES parents (id)) ENGINE=InnoDB
            """)
        let schema = Schema([Field("id", .int64), Field("n", .int64), Field("p", .int64)])
        var state = seed
        func random(_ limit: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % limit
        }
        var model = Model()
        var batches: [RecordBatch] = []
        var row = 0
        for _ in 0..<3 {
            var data: [[Scalar]] = []
            for _ in 0..<400 {
                // Of a row that was refused, a later one of its key may be told in its place.
                let earlier = random(row + 1)
                let id = random(30) == 0 && model.stored[earlier] != nil ? earlier : row
                let n = random(25) == 0 ? 7 : random(5)
                // A row that breaks two rules may be told either.
                let isOrphan = random(40) == 0 && id == row
                let parent: Int? = isOrphan ? 9 : random(3) == 0 ? 1 : nil
                model.take(row, id: id, n: n, parent: parent)
                data.append([
                    .integer(Int128(id)), .integer(Int128(n)), parent.map { .integer(Int128($0)) } ?? .null,
                ])
                row += 1
            }
            batches.append(try .of(schema, data))
        }
        let result = try await bench.sink("t").load(batches, schema: schema, mode: .append)
        #expect(result.counts == WriteCounts(inserted: model.stored.count))
        #expect(result.rejects.map(\.place.row) == model.refused.map { $0.row % 400 + 1 })
        #expect(result.rejects.map(\.code) == model.refused.map(\.code))
        let stored = model.stored.sorted { $0.key < $1.key }.map { "\($0.key)\t\($0.value)" }
        #expect(try bench.mariadb("SELECT id, n FROM t ORDER BY id") == stored)
    }
}
