import HeadraceColumnar

/// The text of a cell that holds any number of values: each begins with a control character, which neither XML nor
/// HTML text can contain.
enum Pieces {
    /// Begins a value.
    static let value: UInt8 = 0x01
    /// Stands for a null.
    static let null: UInt8 = 0x02

    /// Calls `body` with the bytes of every piece, nil for a null.
    static func forEach(in text: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer?) throws -> Void) rethrows {
        var place = 0
        while place < text.count {
            let mark = text[place]
            place += 1
            let start = place
            while place < text.count, text[place] != value, text[place] != null { place += 1 }
            try body(mark == null ? nil : UnsafeRawBufferPointer(rebasing: text[start..<place]))
        }
    }
}
