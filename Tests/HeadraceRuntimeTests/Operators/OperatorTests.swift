import Testing

/// The suites of operators with state, one after the other: each test brings its own threads.
@Suite(.serialized) enum OperatorTests {}
