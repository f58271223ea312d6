import HeadraceCore
import Testing

@Suite struct JSONWriterTests {
    private func written(indentation: Int = 0, _ write: (inout JSONWriter) -> Void) -> String {
        var writer = JSONWriter(indentation: indentation)
        write(&writer)
        let buffer = writer.finish()
        return String(decoding: buffer.bytes, as: UTF8.self)
    }

    @Test func `commas and colons are put where they belong`() {
        let prepared = JSONWriter.prepared("k\"")
        let text = written { writer in
            for row in 0..<2 {
                writer.beginObject()
                writer.key("a")
                writer.integer(Int64(row))
                prepared.withUnsafeBytes { writer.key(prepared: $0) }
                writer.beginArray()
                writer.beginArray()
                writer.endArray()
                writer.null()
                writer.bool(true)
                writer.beginObject()
                writer.endObject()
                writer.endArray()
                writer.key("z")
                Array("[1, 2]".utf8).withUnsafeBytes { writer.json($0) }
                writer.key("p")
                Array("2024-01-01".utf8).withUnsafeBytes { writer.string(plain: $0) }
                writer.endObject()
                writer.endRecord()
            }
        }
        let line = { (row: Int) in #"{"a":\#(row),"k\"":[[],null,true,{}],"z":[1, 2],"p":"2024-01-01"}"# + "\n" }
        #expect(text == line(0) + line(1))
    }

    @Test func `every character that must be escaped is escaped, at every place in a word`() throws {
        for scalar in (0..<0x80).compactMap({ Unicode.Scalar($0) }) {
            for length in 0...17 {
                let text =
                    String(repeating: "é", count: length % 3) + String(repeating: "x", count: length)
                    + String(Character(scalar)) + String(repeating: "y", count: 17 - length)
                let json = written { $0.string(text) }
                #expect(try JSONValue.parse(json) == .string(text))
                let mustEscape = scalar.value < 0x20 || scalar == "\"" || scalar == "\\"
                #expect(json.contains("\\") == mustEscape)
            }
        }
        #expect(written { $0.string("\u{1}\u{8}\t\n\u{C}\r\u{1F}\"\\/") } == #""\u0001\b\t\n\f\r\u001f\"\\/""#)
    }

    @Test func `long strings full of escapes fit`() throws {
        let text = String(repeating: "\u{0}", count: 5000) + String(repeating: "ab\"", count: 3000)
        #expect(try JSONValue.parse(written { $0.string(text) }) == .string(text))
    }

    @Test func `integers of every length are right`() {
        var values: [Int64] = [0, .min, .max]
        var power: Int64 = 1
        for _ in 0..<18 {
            power *= 10
            values += [power - 1, power, power + 1, -power, 1 - power]
        }
        for value in values {
            #expect(written { $0.integer(value) } == String(value))
            #expect(written { $0.integer(value.magnitude) } == String(value.magnitude))
            for factor: Int128 in [1, 1_000_000_007, 10_000_000_000_000_000_000] {
                let wide = Int128(value) * factor
                #expect(written { $0.integer(wide) } == String(wide))
            }
        }
        #expect(written { $0.integer(UInt64.max) } == String(UInt64.max))
        #expect(written { $0.integer(Int128.min) } == String(Int128.min))
        #expect(written { $0.integer(Int128.max) } == String(Int128.max))
    }

    @Test(
        arguments: [
            (0, 0, "0"), (0, 2, "0.00"), (1, 2, "0.01"), (-1, 2, "-0.01"), (10, 2, "0.10"), (1250, 2, "12.50"),
            (5, 1, "0.5"),
            (-99, 2, "-0.99"), (100, 2, "1.00"), (12, 0, "12"), (12, -3, "12000"), (0, -3, "0"),
            (1, 12, "0.000000000001"),
            (.max, 18, "9.223372036854775807"), (.min, 19, "-0.9223372036854775808"),
        ] as [(Int64, Int, String)])
    func `decimals keep every digit of their scale`(unscaled: Int64, scale: Int, expected: String) {
        #expect(written { $0.decimal(unscaled: unscaled, scale: scale) } == expected)
        #expect(written { $0.decimal(unscaled: Int128(unscaled), scale: scale) } == expected)
        #expect(JSONNumber(expected) != nil)
    }

    @Test func `doubles are written shortest and read back the same`() throws {
        var random = JSONSeededGenerator(3)
        for _ in 0..<2000 {
            let value = Double(bitPattern: random.next())
            guard value.isFinite else { continue }
            let text = written { $0.double(value) }
            #expect(JSONNumber(text)?.double.bitPattern == value.bitPattern)
        }
        #expect(written { $0.double(-0.0) } == "-0.0")
        #expect(written { $0.float(0.1) } == "0.1")
        #expect(written { $0.double(.infinity) } == "null")
        for (policy, expected) in [
            (JSONWriter.NonFinite.string, #"["NaN","-Infinity","Infinity"]"#), (.literal, "[NaN,-Infinity,Infinity]"),
        ] {
            let text = written {
                $0.nonFinite = policy
                $0.beginArray()
                $0.double(.nan)
                $0.double(-.infinity)
                $0.float(.infinity)
                $0.endArray()
            }
            #expect(text == expected)
        }
    }

    @Test func `a buffer keeps its bytes when it grows, shrinks and moves`() {
        var buffer = JSONBuffer(capacity: 1)
        var expected: [UInt8] = []
        for k in 0..<1000 {
            buffer.append(UInt8(k & 255))
            expected.append(UInt8(k & 255))
        }
        buffer.append("é😀")
        expected += Array("é😀".utf8)
        buffer.removeFirst(10)
        #expect(Array(buffer.bytes) == Array(expected[10...]))
        buffer.truncate(to: 5)
        #expect(Array(buffer.bytes) == Array(expected[10..<15]))
        for scalar: UInt32 in [0x7F, 0x80, 0x7FF, 0x800, 0xFFFF, 0x10000, 0x10FFFF] {
            buffer.removeAll()
            buffer.appendUTF8(scalar)
            #expect(String(decoding: buffer.bytes, as: UTF8.self).unicodeScalars.map(\.value) == [scalar])
        }
        buffer.removeFirst(100)
        #expect(buffer.bytes.isEmpty)
    }
}
