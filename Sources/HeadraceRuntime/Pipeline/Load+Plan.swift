public import HeadraceCore

extension Load {
    /// What the load would do: every step with its fields, then the DDL, SQL or files of the sinks. Changes nothing.
    public func plan(in context: RunContext) async throws -> [String] {
        try await LoadExecution.plan(self, in: context)
    }
}
