import HeadraceCore
import HeadraceTesting
import Testing

@testable import HeadracePostgreSQL

@Suite struct SQLTests {
    @Test("A table's name is read with and without schema and quotes, and printed so that it reads back")
    func tableNames() throws {
        #expect(try PostgreSQLTableName("t").quoted == "\"t\"")
        #expect(try PostgreSQLTableName("s.t").quoted == "\"s\".\"t\"")
        #expect(try PostgreSQLTableName("\"a.b\".\"c\"\"d\"").quoted == "\"a.b\".\"c\"\"d\"")
        #expect(try PostgreSQLTableName("Mixed").quoted == "\"Mixed\"")
        for text in ["t", "s.t", "\"a.b\".\"c\"\"d\""] {
            let name = try PostgreSQLTableName(text)
            #expect(try PostgreSQLTableName(name.description) == name)
        }
    }

    @Test("What names no table is refused", arguments: ["", ".", "a.", ".b", "a.b.c", "\"a", "a\0b"])
    func badNames(text: String) {
        #expect(throws: HeadraceError.self) { _ = try PostgreSQLTableName(text) }
    }

    @Test("A name that the server would cut is refused")
    func longNames() throws {
        #expect(try PostgreSQLName(String(repeating: "n", count: 63)).text.count == 63)
        #expect(throws: HeadraceError.self) { _ = try PostgreSQLName(String(repeating: "ž", count: 32)) }
    }

    @Test("Quotes and backslashes in values and names stay what they are")
    func quoting() throws {
        let sql: SQL = "SELECT \(try PostgreSQLName("a\"b")) = \(try PostgreSQLLiteral(#"it's \ "x""#)), \(7)"
        #expect(sql.text == #"SELECT "a""b" =  E'it''s \\ "x"', 7"#)
    }
}
