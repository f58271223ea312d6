/// The vector functions over columns, one file a family.
///
/// All of them read slices, dictionary-encoded columns and nulls; a kernel that is handed two columns wants them equally
/// long. They choose one loop for the type once a call and touch no object a row. A kernel that can fail for a row reports
/// the row and puts null there; a kernel that cannot work on a type at all throws `KernelError` before it reads a row.
///
/// Floating point is ordered as in PostgreSQL everywhere (compare, sort, hash, minimum, maximum): NaN equals NaN and is greater
/// than all other values, and -0 equals 0. Text is ordered by its UTF-8 bytes, which is the order of Unicode scalars.
public enum Kernels {}

/// How the values of a type are read by loops: the machine type behind the logical one.
enum Physical: UInt8, Sendable {
    case bits
    case int8, int16, int32, int64, int128
    case uint8, uint16, uint32, uint64
    case float32, float64
    case bytes
    case list, structure
}

extension DataType {
    var physical: Physical {
        switch self {
        case .bool: .bits
        case .int8: .int8
        case .int16: .int16
        case .int32, .date32: .int32
        case .int64, .time64, .timestamp: .int64
        case .uint8: .uint8
        case .uint16: .uint16
        case .uint32: .uint32
        case .uint64: .uint64
        case .float32: .float32
        case .float64: .float64
        case .decimal(let precision, _): precision <= 18 ? .int64 : .int128
        case .utf8, .binary, .json: .bytes
        case .list: .list
        case .struct: .structure
        }
    }
}

extension MutableBuffer {
    /// The contents as values of `T`; invalid after the buffer grows.
    @inline(__always) borrowing func values<T: BitwiseCopyable>(as type: T.Type) -> UnsafeMutablePointer<T> {
        base.assumingMemoryBound(to: T.self)
    }
}
