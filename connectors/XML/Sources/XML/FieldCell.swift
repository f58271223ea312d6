import HeadraceColumnar

/// The value of one field in the record that is being read.
final class FieldCell {
    /// How many values a cell takes, and in which form.
    enum Form {
        /// One text.
        case text
        /// Any number of texts, as pieces.
        case texts
        /// Any number of JSON documents, as pieces.
        case json
    }

    let form: Form
    private let position: Int?
    private var matches = 0
    /// Whether the match that is open is wanted.
    private(set) var isOpen = false
    /// Whether the record has a value, be it empty.
    private(set) var isPresent = false
    /// Whether there was more than one value for a cell that takes one.
    private(set) var isRepeated = false
    private let text = ByteText()

    init(_ type: DataType, position: Int?) {
        self.position = position
        switch type {
        case .json: form = .json
        case .list(let element): form = element.type == .json ? .json : .texts
        default: form = .text
        }
    }

    /// The value; nil for null.
    var bytes: UnsafeRawBufferPointer? { isPresent ? text.bytes : nil }

    func clear() {
        text.clear()
        matches = 0
        isOpen = false
        isPresent = false
        isRepeated = false
    }

    /// Opens a value, to which `append` adds.
    func begin(isNull: Bool = false) {
        matches += 1
        isOpen = false
        if let position, matches != position { return }
        if position == nil, matches > 1, form == .text {
            isRepeated = true
            return
        }
        if isNull {
            if form != .text {
                text.append(Pieces.null)
                isPresent = true
            }
            return
        }
        isPresent = true
        isOpen = true
        if form != .text { text.append(Pieces.value) }
    }

    @inline(__always) func append(_ bytes: UnsafeRawBufferPointer) {
        if isOpen { text.append(bytes) }
    }

    func close() { isOpen = false }
}
