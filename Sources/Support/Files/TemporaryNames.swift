import Glibc
import Synchronization

/// Names for hidden files of work that belongs to no run; unique by process and count.
enum TemporaryNames {
    private static let counter = Atomic<Int>(0)

    static func next() -> String {
        "headrace-\(getpid())-\(counter.wrappingAdd(1, ordering: .relaxed).newValue)"
    }
}
