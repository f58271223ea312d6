/// Named objects with whole contents: a local folder or a bucket. Keys use `/` and never begin with it.
public protocol ObjectStore: Sendable {
    /// The store's name in messages, such as its folder or bucket; never holds a secret.
    var name: String { get }
    /// Writes an object, at once or not at all, durably; replaces an object of that key.
    func put(_ key: String, _ bytes: [UInt8]) async throws
    /// The whole object; throws `notFound`.
    func get(_ key: String) async throws -> [UInt8]
    /// The keys that begin with `prefix`, in byte order.
    func list(prefix: String) async throws -> [String]
    /// Removes an object; does nothing when it is not there.
    func delete(_ key: String) async throws
    /// The objects as a byte source, in the order of `keys`.
    func byteSource(for keys: [String]) -> any ByteSource
}
