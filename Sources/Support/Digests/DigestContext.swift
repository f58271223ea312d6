import HeadraceCCrypto
import Synchronization

/// An algorithm fetched from libcrypto once per process: fetching it for every message would cost more than hashing
/// a short one.
struct DigestAlgorithm: @unchecked Sendable {
    // Invariant: the EVP_MD is immutable after the fetch, shared by all threads and kept for the process's life.
    let handle: OpaquePointer?
    let name: String
    let byteCount: Int

    private static let fetched = Mutex<[String: DigestAlgorithm]>([:])

    /// The algorithm of a function, fetched the first time that it is asked for.
    static func of(_ function: (some DigestFunction).Type) -> DigestAlgorithm {
        fetched.withLock { known in
            if let algorithm = known[function.name] { return algorithm }
            let algorithm = DigestAlgorithm(name: function.name, byteCount: function.byteCount)
            known[function.name] = algorithm
            return algorithm
        }
    }

    private init(name: String, byteCount: Int) {
        self.name = name
        self.byteCount = byteCount
        handle = EVP_MD_fetch(nil, name, nil)
    }
}

/// One EVP context: owned by one value, ready for a message at all times, freed once.
struct DigestContext: ~Copyable, @unchecked Sendable {
    // Invariant: the handle is never handed out, and a value that cannot be copied has one user at a time.
    private let handle: OpaquePointer
    private let byteCount: Int

    init(_ algorithm: DigestAlgorithm) throws(DigestError) {
        guard let digest = algorithm.handle else { throw .unavailable(algorithm.name) }
        guard let context = EVP_MD_CTX_new() else { throw .outOfMemory(algorithm.name) }
        guard EVP_DigestInit_ex(context, digest, nil) == 1 else {
            EVP_MD_CTX_free(context)
            throw .unavailable(algorithm.name)
        }
        handle = context
        byteCount = algorithm.byteCount
    }

    deinit {
        EVP_MD_CTX_free(handle)
    }

    mutating func update(_ bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress, !bytes.isEmpty else { return }
        let accepted = EVP_DigestUpdate(handle, base, bytes.count)
        precondition(accepted == 1, "libcrypto refused bytes for an initialised digest")
    }

    /// Writes the digest of the message so far and starts the next message.
    mutating func finish(into output: UnsafeMutableRawPointer) {
        var written: UInt32 = 0
        let finished = EVP_DigestFinal_ex(handle, output.assumingMemoryBound(to: UInt8.self), &written)
        let restarted = EVP_DigestInit_ex(handle, nil, nil)
        precondition(finished == 1 && restarted == 1 && Int(written) == byteCount, "libcrypto lost a digest context")
    }

    mutating func finish() -> [UInt8] {
        let count = byteCount
        return [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            if let base = buffer.baseAddress { finish(into: base) }
            initialized = count
        }
    }
}
