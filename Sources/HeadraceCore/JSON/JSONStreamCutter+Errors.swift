extension JSONChunk {
    /// How a message names the byte at an index; a character that the chunk cuts is named by its first byte.
    func found(at index: Int) -> String {
        JSONError.found(at: index, in: UnsafeRawBufferPointer(start: base, count: count))
    }
}

extension JSONStreamCutter {
    @inline(never)
    func fail(_ chunk: JSONChunk, _ index: Int, expected: String) -> JSONError {
        failure(.unexpectedByte, "expected \(expected), found \(chunk.found(at: index))", chunk, index)
    }

    /// An error at a byte of the chunk; the column is known when the line or the stream begins in the chunk.
    @inline(never)
    func failure(_ code: JSONError.Code, _ message: String, _ chunk: JSONChunk, _ index: Int) -> JSONError {
        var counted = self
        counted.countLines(chunk, upTo: chunk.start &+ index)
        let place = JSONError.place(of: index, in: UnsafeRawBufferPointer(start: chunk.base, count: chunk.count))
        let isWhole = chunk.start == 0 || place.line > 1
        return JSONError(
            code, message, offset: chunk.start &+ index, line: counted.line, column: isWhole ? place.column : nil)
    }

    /// The error of a stream that stops inside something.
    @inline(never)
    func failEnd() -> JSONError {
        let place: String
        if recordStart >= 0 {
            place = "inside record \(recordCount + 1), which begins at byte \(recordStart)"
        } else if phase == .records {
            place = "inside the array of records, after record \(recordCount)"
        } else if frames.isEmpty, phase == .value || phase == .byteOrderMark {
            place = "before it holds a value"
        } else {
            place = "inside the document, on the way to the records"
        }
        return JSONError(.unexpectedEnd, "the stream ends \(place)", offset: offset, line: line, column: nil)
    }
}
