package import HeadraceColumnar
import Synchronization

/// The dictionaries of one source's text columns, by name: shared by its files and all who decode them.
package final class TextDictionaries: Sendable {
    private let encodings = Mutex<[String: TextEncoding]>([:])

    private let share: Int

    /// - Parameter share: the most bytes of a column's dictionary, give or take the texts of one batch.
    package init(share: Int) { self.share = share }

    /// How the texts of a column are encoded.
    package func encoding(of column: String) -> TextEncoding {
        encodings.withLock { encodings in
            if let known = encodings[column] { return known }
            let fresh = TextEncoding(share: share)
            encodings[column] = fresh
            return fresh
        }
    }
}

/// Whether the texts of one column are numbered as they are read, and by what; decided by how many of them are new.
///
/// Columns whose texts hardly repeat are told by the first batch, others by later ones, up to a quarter of new texts after a
/// quarter of a million rows, or by a dictionary beyond its share of the memory. Once a column is plain it stays so.
package final class TextEncoding: Sendable {
    private let dictionary = GrowingDictionary(.utf8)
    private let rows = Atomic<Int>(0)
    private let isPlain = Atomic<Bool>(false)
    private let share: Int

    package init(share: Int) { self.share = share }

    /// The dictionary to encode the next batch by; nil when that is not worth it.
    package var current: GrowingDictionary? { isPlain.load(ordering: .relaxed) ? nil : dictionary }

    /// Takes account of `count` texts of a batch.
    package func note(_ count: Int) {
        let rows = rows.wrappingAdd(count, ordering: .relaxed).newValue
        let parts = rows < 512 ? 128 : rows < 16 << 10 ? 121 : rows < 64 << 10 ? 102 : rows < 256 << 10 ? 64 : 32
        if dictionary.count > rows / 128 * parts + 128 || dictionary.byteCount > share { giveUp() }
    }

    /// Reads the column as it is from now on: its dictionary is full.
    package func giveUp() { isPlain.store(true, ordering: .relaxed) }
}

extension RunContext {
    /// The same context for a source whose readers may number texts.
    package var encodingTexts: RunContext {
        var context = self
        // Small enough that those of a few columns, and of functions of them, leave most of the budget to the rows.
        context.dictionaries = TextDictionaries(share: memory.limit / 32)
        return context
    }
}
