import Glibc
import HeadraceColumnar
import HeadraceCore
import HeadraceFiles
import Testing

@testable import HeadraceCSV

/// The files of the csv-spectrum suite, read as text and compared with the rows that the suite says they hold.
@Suite struct CSVSpectrumTests {
    /// The suite's folder: below `HEADRACE_SUITES`, or below `shared/suites` beside the checkout or above it.
    static let folder: String? = {
        if let named = getenv("HEADRACE_SUITES") { return String(cString: named) + "/csv-spectrum" }
        var path = "\(#filePath)"
        while let slash = path.lastIndex(of: "/") {
            path = String(path[..<slash])
            let candidate = path + "/shared/suites/csv-spectrum"
            if access(candidate, R_OK) == 0 { return candidate }
        }
        return nil
    }()

    static let names = [
        "comma_in_quotes", "empty", "empty_crlf", "escaped_quotes", "json", "location_coordinates", "newlines",
        "newlines_crlf", "quotes_and_newlines", "simple", "simple_crlf", "utf8",
    ]

    private func rows(_ folder: String, _ name: String) async throws -> [[String: String]] {
        var bytes = try FileContents.read("\(folder)/csvs/\(name).csv")
        // The suite's way through version control may have cost these files the line ends that they are named for.
        if name.hasSuffix("_crlf"), !bytes.contains(0x0D) {
            bytes = bytes.flatMap { $0 == 0x0A ? [0x0D, 0x0A] : [$0] }
        }
        let options = CSVOptions(header: .present, infersTypes: false)
        let read = try await csv([("\(name).csv", bytes)], options).contents()
        #expect(read.rejects.isEmpty)
        return read.rows.map { row in
            Dictionary(zip(read.schema.names, row).map { ($0, $1.isNull ? "" : $1.description) }) { $1 }
        }
    }

    private func expected(_ folder: String, _ name: String) throws -> [[String: String]] {
        let json = try JSONValue.parse(try FileContents.read("\(folder)/json/\(name).json"))
        return (json.arrayValue ?? [json]).map { row in
            Dictionary((row.objectValue?.members ?? []).map { ($0.name, $0.value.stringValue ?? "") }) { $1 }
        }
    }

    @Test(.enabled(if: folder != nil, "the csv-spectrum suite is not there; set HEADRACE_SUITES"), arguments: names)
    func `a file holds the rows that the suite says`(name: String) async throws {
        let folder = try #require(Self.folder)
        var found = try await rows(folder, name)
        var expected = try expected(folder, name)
        if name == "location_coordinates" {
            // The suite's CSV and JSON name different telephone numbers; everything else must still be equal.
            withKnownIssue("the suite's two files disagree about the telephone number") {
                #expect(found == expected)
            }
            #expect(found[0].removeValue(forKey: "Contact Phone Number") == "2095257564")
            expected[0].removeValue(forKey: "Contact Phone Number")
        }
        #expect(found == expected)
    }
}
