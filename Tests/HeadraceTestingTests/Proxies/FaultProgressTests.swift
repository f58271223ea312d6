import Testing

@testable import HeadraceTesting

struct FaultProgressTests {
    /// Passes `text` in pieces of `size` and returns what had passed when a rule acted, nil when none did.
    private func passed(_ text: String, inPiecesOf size: Int, _ moment: FaultScript.Moment) -> String? {
        var progress = FaultProgress(FaultScript([.init(at: moment, .reset)]))
        var matches = progress.start
        var passed: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let piece = rest.prefix(size)
            rest = rest.dropFirst(size)
            let (count, action) = progress.pass(piece, .toServer, &matches)
            passed += piece.prefix(count)
            if action != nil {
                #expect(progress.fired == 1)
                #expect(progress.toServer == passed.count)
                return String(decoding: passed, as: UTF8.self)
            }
        }
        #expect(progress.toServer == text.utf8.count)
        return nil
    }

    @Test("A text is found however it is cut into pieces", arguments: 1...9)
    func texts(size: Int) {
        let text = Array("aabaac".utf8)
        let stream = "aabaabaacaabaac"
        #expect(passed(stream, inPiecesOf: size, .after(text, .toServer)) == "aabaabaac")
        #expect(passed(stream, inPiecesOf: size, .before(text, .toServer)) == "aabaabaa")
        #expect(passed(stream, inPiecesOf: size, .after(text, .toClient)) == nil)
        #expect(passed(stream, inPiecesOf: size, .after(Array("aac".utf8) + [0], .toServer)) == nil)
    }

    @Test("A number of bytes is met to the byte", arguments: 1...9)
    func bytes(size: Int) {
        for count in 0...12 {
            #expect(
                passed("twelve bytes", inPiecesOf: size, .bytes(count, .toServer))
                    == String("twelve bytes".prefix(count)))
        }
        #expect(passed("twelve bytes", inPiecesOf: size, .bytes(13, .toServer)) == nil)
        #expect(passed("twelve bytes", inPiecesOf: size, .bytes(1, .toClient)) == nil)
    }

    @Test("Several rules act in the order of their bytes, each once, and a text may straddle the act of another")
    func order() {
        let script = FaultScript([
            .init(at: .after(Array("cde".utf8), .toServer), .hold), .init(at: .bytes(4, .toServer), .stall),
            .init(at: .bytes(2, .toServer), .end),
        ])
        var progress = FaultProgress(script)
        var matches = progress.start
        var rest = Array("abcdefcde".utf8)[...]
        var acts: [String] = []
        while !rest.isEmpty {
            let (count, action) = progress.pass(rest, .toServer, &matches)
            rest = rest.dropFirst(count)
            acts.append("\(count) \(action.map { "\($0)" } ?? "all")")
        }
        #expect(acts == ["2 end", "2 stall", "1 hold", "4 all"])
        #expect(progress.fired == 3)
    }

    @Test("A text that was noted is waited for again by the next rule")
    func repeats() {
        let text = Array("ab".utf8)
        var progress = FaultProgress(
            FaultScript([.init(at: .after(text, .toServer), .note), .init(at: .after(text, .toServer), .reset)]))
        var matches = progress.start
        var rest = Array("ab ab ab".utf8)[...]
        var counts: [Int] = []
        while !rest.isEmpty {
            let (count, _) = progress.pass(rest, .toServer, &matches)
            rest = rest.dropFirst(count)
            counts.append(count)
        }
        #expect(counts == [2, 3, 3])
        #expect(progress.fired == 2)
    }
}
