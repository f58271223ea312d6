/// Asynchronous work on several things at once, for steps that wait for others: scrapes, requests.
public enum SideBySide {
    /// Runs `body` on every element at once and gives the outcomes in the order of the elements. One failure does not stop
    /// the others; cancelling the caller cancels all.
    public static func map<Element: Sendable, Value: Sendable>(
        _ elements: [Element], _ body: @escaping @Sendable (Element) async throws -> Value
    ) async -> [Result<Value, any Error>] {
        await withTaskGroup(of: (Int, Result<Value, any Error>).self) { group in
            for (index, element) in elements.enumerated() {
                group.addTask {
                    do { return (index, .success(try await body(element))) } catch { return (index, .failure(error)) }
                }
            }
            var outcomes: [Int: Result<Value, any Error>] = [:]
            for await (index, outcome) in group { outcomes[index] = outcome }
            return elements.indices.compactMap { outcomes[$0] }
        }
    }
}
