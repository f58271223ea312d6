import HeadraceCodecs
import Synchronization

/// The body of a response, read piece by piece while it arrives. A reader that is slow makes the server wait; one that
/// goes away without having read to the end closes the connection.
public final class HTTPBody: Sendable {
    private struct Decoding: ~Copyable {
        var decompressor: Decompressor?
        var packed: [UInt8] = []
        var offset = 0
        var delivered = 0
        var received = 0
        var hasMore = false
        var failure: HTTPClientError?
    }

    private enum Coding {
        case none
        case packed(CompressionFormat)
        /// What HTTP calls deflate: the zlib wrapper by the standard, none by some servers.
        case deflate
    }

    private static let pieceByteCount = 128 << 10

    private let transfer: Transfer
    private let owner: DriverOwner
    private let request: HTTPRequest
    private let coding: Coding
    private let decoding = Mutex(Decoding())

    init(
        _ transfer: Transfer, owner: DriverOwner, request: HTTPRequest, headers: HTTPHeaders
    ) throws(HTTPClientError) {
        self.transfer = transfer
        self.owner = owner
        self.request = request
        coding = request.decoding == .none ? .none : try Self.coding(headers)
        guard let limit = request.maxBodyBytes, request.method != "HEAD", case .none = coding else { return }
        if let length = headers["Content-Length"].flatMap({ Int($0) }), length > limit {
            throw tooLarge(limit)
        }
    }

    deinit {
        transfer.cancel()
    }

    /// Bytes of the body that have been read from the connection, before unpacking.
    public var receivedBytes: Int { decoding.withLock { $0.received } }

    /// The next bytes, never none; waits until some arrive; `nil` at the end of the body. One caller at a time.
    ///
    /// - Throws: ``HTTPClientError`` when the body cannot be had to its end: cut, too late, too large, damaged, cancelled. Every
    ///   further call throws the same.
    public func next() async throws -> [UInt8]? {
        do {
            while true {
                if let piece = try takeUnpacked() { return piece }
                guard let bytes = try await transfer.next() else {
                    try finish()
                    return nil
                }
                if let piece = try add(bytes) { return piece }
            }
        } catch let error as HTTPClientError {
            let error = error.at(request.url)
            decoding.withLock { $0.failure = $0.failure ?? error }
            transfer.cancel(error)
            throw error
        }
    }

    /// The rest of the body in one array.
    ///
    /// - Parameter limit: most bytes to accept.
    /// - Throws: ``HTTPClientError`` as ``next()`` does, with the code `tooLarge` beyond the limit.
    public func collect(upTo limit: Int) async throws -> [UInt8] {
        var all: [UInt8] = []
        while let piece = try await next() {
            guard all.count + piece.count <= limit else {
                let error = tooLarge(limit).at(request.url)
                transfer.cancel(error)
                throw error
            }
            if all.isEmpty { all = piece } else { all.append(contentsOf: piece) }
        }
        return all
    }

    /// Reads a short rest of the body and drops it, so that the connection can serve another request; gives up, and closes the
    /// connection, beyond the limit.
    public func discard(upTo limit: Int = 64 << 10) async {
        await transfer.discard(upTo: limit)
    }

    /// Gives the body up: the connection is closed, and whoever waits in ``next()`` gets an error with the code `cancelled`.
    public func cancel() {
        transfer.cancel()
    }

    /// Hands raw bytes on, or puts them where they are unpacked from.
    private func add(_ bytes: [UInt8]) throws -> [UInt8]? {
        try decoding.withLock { state in
            state.received += bytes.count
            let format: CompressionFormat
            switch coding {
            case .none:
                state.delivered += bytes.count
                if let limit = request.maxBodyBytes, state.delivered > limit { throw tooLarge(limit) }
                return bytes
            case .packed(let packed): format = packed
            // No sane raw deflate stream begins with a byte whose low half is 8, and every zlib stream does.
            case .deflate: format = bytes.first.map { $0 & 0x0F == 8 } ?? true ? .zlib : .deflate
            }
            if state.decompressor == nil {
                var limit = request.expansion
                limit.bytes = [limit.bytes, request.maxBodyBytes].compactMap { $0 }.min()
                do throws(CodecError) {
                    state.decompressor = try Decompressor(format, limit: limit)
                } catch {
                    throw Self.failure(error)
                }
            }
            state.packed = bytes
            state.offset = 0
            state.hasMore = true
            return nil
        }
    }

    /// Unpacks up to one piece of what was added; `nil` when it is used up.
    private func takeUnpacked() throws -> [UInt8]? {
        try decoding.withLock { state in
            if let failure = state.failure { throw failure }
            while state.hasMore {
                let piece = try unpack(&state)
                if !piece.isEmpty {
                    state.delivered += piece.count
                    return piece
                }
            }
            return nil
        }
    }

    private func unpack(_ state: inout Decoding) throws -> [UInt8] {
        var result: Result<CodecStatus, CodecError> = .success(.needsInput)
        var consumed = 0
        let piece = [UInt8](unsafeUninitializedCapacity: Self.pieceByteCount) { room, produced in
            state.packed.withUnsafeBytes { packed in
                let rest = UnsafeRawBufferPointer(rebasing: packed[state.offset...])
                do throws(CodecError) {
                    let status = try state.decompressor?.decompress(
                        rest, consumed: &consumed, into: UnsafeMutableRawBufferPointer(room), produced: &produced)
                    result = .success(status ?? .needsInput)
                } catch {
                    result = .failure(error)
                }
            }
        }
        state.offset += consumed
        switch result {
        case .success(let status):
            state.hasMore = status == .needsOutput
        case .failure(let error):
            // What was unpacked before the failure is good: it goes first, the failure with the next call.
            state.hasMore = false
            let failure = Self.failure(error).at(request.url).after(state.received)
            guard !piece.isEmpty, error.code != .expandsTooMuch else { throw failure }
            state.failure = failure
        }
        return piece
    }

    private func finish() throws {
        try decoding.withLock { state in
            do throws(CodecError) {
                try state.decompressor?.finish()
            } catch {
                throw Self.failure(error).after(state.received)
            }
        }
    }

    private func tooLarge(_ limit: Int) -> HTTPClientError {
        HTTPClientError(.tooLarge, "the body is larger than the \(limit) bytes allowed")
    }

    private static func failure(_ error: CodecError) -> HTTPClientError {
        switch error.code {
        case .expandsTooMuch: HTTPClientError(.tooLarge, error.message)
        case .outOfMemory: HTTPClientError(.outOfResources, error.message)
        default: HTTPClientError(.badEncoding, error.message)
        }
    }

    private static func coding(_ headers: HTTPHeaders) throws(HTTPClientError) -> Coding {
        let codings = headers.list("Content-Encoding").map { $0.lowercased() }.filter { $0 != "identity" }
        guard codings.count <= 1 else {
            throw HTTPClientError(.badEncoding, "the body is packed several times over", isRetryable: false)
        }
        switch codings.first {
        case nil: return .none
        case "gzip", "x-gzip": return .packed(.gzip)
        case "zstd": return .packed(.zstd)
        case "deflate": return .deflate
        case .some(let name):
            throw HTTPClientError(.badEncoding, "the body is packed as \(name), which is not known", isRetryable: false)
        }
    }
}
