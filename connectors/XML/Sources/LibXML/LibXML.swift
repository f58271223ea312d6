internal import HeadraceCXML2

/// What the whole process shares of libxml2.
enum LibXML {
    /// Sets libxml2 up, once; it is never torn down, because others in the process may use it too.
    static let ready: Void = xmlInitParser()

    /// The text behind a C string of libxml2, empty for none.
    static func text(_ pointer: UnsafePointer<xmlChar>?) -> String {
        pointer.map { String(decodingCString: $0, as: UTF8.self) } ?? ""
    }

    /// An error's message as half a sentence: one line, no full stop.
    static func message(_ error: xmlError) -> String {
        guard let message = error.message else { return "error \(error.code)" }
        let text = String(cString: message)
        let line = text.split(whereSeparator: \.isNewline).first.map(String.init) ?? "error \(error.code)"
        return String(line.reversed().drop { $0 == " " || $0 == "." }.reversed())
    }
}
