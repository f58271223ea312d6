internal import Glibc
import HeadraceColumnar
import HeadraceCore

/// What the values at one place of the records have in common.
final class Shape {
    /// How many values of each kind there were.
    private(set) var nulls = 0
    private(set) var bools = 0
    private(set) var numbers = 0
    private(set) var strings = 0
    private(set) var arrays = 0
    private(set) var objects = 0

    /// The numbers, those in binary left out.
    private(set) var seen = SeenNumbers()
    private(set) var isBinary = false

    /// What all strings are so far.
    private(set) var areDates = true
    private(set) var areZonedTimes = true
    private(set) var areLocalTimes = true
    /// Strings that spell NaN or an infinity as our writers do.
    private(set) var nonFiniteStrings = 0

    /// The members of the objects in the order they were met.
    private(set) var members: [(name: [UInt8], shape: Shape)] = []
    private var places: [[UInt8]: Int] = [:]
    private(set) var elements: Shape?
    /// Whether there was more inside than is looked at: too many names, or too deep.
    private(set) var isCutOff = false

    /// Values that are not null.
    var values: Int { bools + numbers + strings + arrays + objects }

    /// How deep values are looked into.
    private static let deepest = 16

    /// Takes account of the value whose first token has been read, and passes it.
    ///
    /// - Parameter names: how many more names may be met in all.
    func observe(
        _ token: JSONToken, _ tokenizer: inout JSONTokenizer, _ text: inout JSONBuffer, names: inout Int
    ) throws(JSONError) {
        switch token {
        case .null: nulls += 1
        case .true, .false: bools += 1
        case .number:
            numbers += 1
            observeNumber(tokenizer.tokenBytes, tokenizer.numberShape)
        case .string:
            strings += 1
            text.removeAll()
            tokenizer.appendText(to: &text)
            observeString(text.bytes)
        case .arrayStart:
            arrays += 1
            guard tokenizer.depth <= Self.deepest else { return try cutOff(token, &tokenizer) }
            let elements = self.elements ?? Shape()
            self.elements = elements
            while true {
                let next = try tokenizer.next()
                if case .arrayEnd = next { return }
                try elements.observe(next, &tokenizer, &text, names: &names)
            }
        case .objectStart:
            objects += 1
            guard tokenizer.depth <= Self.deepest else { return try cutOff(token, &tokenizer) }
            try observeMembers(&tokenizer, &text, &names)
        case .key, .objectEnd, .arrayEnd, .end: return
        }
    }

    private func cutOff(_ token: JSONToken, _ tokenizer: inout JSONTokenizer) throws(JSONError) {
        isCutOff = true
        _ = try tokenizer.validate(token)
    }

    private func observeMembers(
        _ tokenizer: inout JSONTokenizer, _ text: inout JSONBuffer, _ names: inout Int
    ) throws(JSONError) {
        var expected = 0
        while case .key = try tokenizer.next() {
            text.removeAll()
            tokenizer.appendText(to: &text)
            let place = place(of: text.bytes, expected: expected, &names)
            let token = try tokenizer.next()
            guard let place else {
                try cutOff(token, &tokenizer)
                continue
            }
            expected = place + 1
            try members[place].shape.observe(token, &tokenizer, &text, names: &names)
        }
    }

    private func place(of name: UnsafeRawBufferPointer, expected: Int, _ names: inout Int) -> Int? {
        if expected < members.count, Self.equal(members[expected].name, name) { return expected }
        let name = Array(name)
        if let known = places[name] { return known }
        guard names > 0 else { return nil }
        names -= 1
        members.append((name, Shape()))
        places[name] = members.count - 1
        return members.count - 1
    }

    private static func equal(_ name: [UInt8], _ text: UnsafeRawBufferPointer) -> Bool {
        guard name.count == text.count else { return false }
        return name.withUnsafeBytes { bytes in
            guard let left = bytes.baseAddress, let right = text.baseAddress else { return true }
            return memcmp(left, right, bytes.count) == 0
        }
    }

    private static func spellsNonFinite(_ text: UnsafeRawBufferPointer) -> Bool {
        guard text.count == 3 || text.count == 8 || text.count == 9, let last = text.last, last == 0x4E || last == 0x79
        else { return false }
        let word = String(decoding: text, as: UTF8.self)
        return word == "NaN" || word == "Infinity" || word == "-Infinity"
    }

    private func observeNumber(_ text: UnsafeRawBufferPointer, _ shape: JSONNumberShape) {
        switch shape {
        case .exponent, .nonFinite: isBinary = true
        case .integer:
            guard let base = text.baseAddress else { return }
            seen.seeWhole(base, count: text.count, digits: text.count - (text.first == 0x2D ? 1 : 0))
        case .fraction:
            let point = text.firstIndex(of: 0x2E) ?? text.count
            seen.seeFraction(digits: point - (text.first == 0x2D ? 1 : 0), scale: text.count - point - 1)
        }
    }

    private func observeString(_ text: UnsafeRawBufferPointer) {
        if Self.spellsNonFinite(text) { nonFiniteStrings += 1 }
        guard areDates || areZonedTimes || areLocalTimes else { return }
        guard let base = text.baseAddress, text.count >= 10 else {
            (areDates, areZonedTimes, areLocalTimes) = (false, false, false)
            return
        }
        if areDates { areDates = DateText.parse(base, count: text.count).isValid }
        if areZonedTimes || areLocalTimes {
            let time = TimestampText.parse(base, count: text.count)
            areZonedTimes = areZonedTimes && time.isValid && time.hasZone
            areLocalTimes = areLocalTimes && time.isValid && !time.hasZone
        }
    }
}
