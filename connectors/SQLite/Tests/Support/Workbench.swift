import Foundation
import HeadraceColumnar
import HeadraceCore
import HeadraceTesting
import Synchronization
import Testing

@testable import HeadraceSQLite

/// A folder of its own for one test, and the `sqlite3` program as the independent client that reads what we wrote.
final class Workbench: Sendable {
    let folder: String

    init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("headrace-sqlite-\(UUID())").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    var path: String { folder + "/w.db" }
    var files: [String] { (try? FileManager.default.contentsOfDirectory(atPath: folder).sorted()) ?? [] }

    /// Runs SQL in the `sqlite3` program; values come back as SQL literals, one row a line, joined by commas, or plain and
    /// joined by bars with mode `-list`.
    @discardableResult
    func sqlite(_ sql: String, file: String? = nil, mode: String = "-quote") throws -> [String] {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["sqlite3", "-batch", "-bail", mode, file ?? path]
        let (input, output, errors) = (Pipe(), Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        input.fileHandleForWriting.write(Data((sql + ";\n").utf8))
        try input.fileHandleForWriting.close()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        let problems = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw ClientFailure(message: problems) }
        return text.split(separator: "\n").map(String.init)
    }

    struct ClientFailure: Error { let message: String }
}

extension Workbench: WarehouseHarness {
    func makeWarehouse() throws -> SQLiteSink { SQLiteSink(path: path) }
    func makeLookup() throws -> any TableLookup { SQLiteLookup(path: path) }
    var beforeCommit: String { "sqlite.beforeCommit" }

    func rows(of table: String, _ columns: [String]) throws -> [[String?]] {
        guard try sqlite("SELECT 1 FROM sqlite_schema WHERE name = '\(table)'") == ["1"] else { return [] }
        return try sqlite("SELECT \(columns.joined(separator: ", ")) FROM \"\(table)\" ORDER BY 1").map { line in
            line.split(separator: ",").map { $0 == "NULL" ? nil : String($0.drop { $0 == "'" }.prefix { $0 != "'" }) }
        }
    }
}

extension Workbench: ModeHarness {
    func makePeople() throws -> SQLiteSink { SQLiteSink(path: path, table: "people") }
    func run(_ sql: String) throws { try sqlite(sql) }

    func people(_ columns: [String]) throws -> [[String?]] {
        // Booleans as words, where sqlite3 prints a number.
        let list = columns.map {
            $0 == "is_current" ? "CASE is_current WHEN 1 THEN 'true' WHEN 0 THEN 'false' END" : $0
        }
        return try rows(of: "people", list)
    }

    func stages() throws -> [String] {
        try sqlite("SELECT name FROM sqlite_schema WHERE name LIKE '\\_headrace\\_seen%' ESCAPE '\\'", mode: "-list")
    }
}
