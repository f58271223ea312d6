import HeadraceCore

/// Owns one connection and runs everything that blocks on it on a thread of its own.
actor KeyValueFile {
    private let executor = BlockingExecutor()
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    private let path: String
    private let creates: Bool
    private var connection: KeyValueConnection?
    private var isClosed = false

    init(_ path: String, creates: Bool) {
        self.path = path
        self.creates = creates
    }

    /// Runs `body` with the connection, which the first call opens.
    func run<R: Sendable>(_ body: @Sendable (KeyValueConnection) throws -> R) throws -> R {
        guard !isClosed else { throw HeadraceError(.inputOutput, "the key-value store \(path) was closed") }
        if let connection { return try body(connection) }
        let opened = try KeyValueConnection(path, creates: creates)
        connection = opened
        return try body(opened)
    }

    func close() {
        isClosed = true
        connection = nil
    }
}
