import Glibc
public import HeadraceCore

extension HeadraceError.Code {
    /// A folder where a file was named, or the other way round.
    public static let wrongKindOfFile = Self("wrongKindOfFile")
    /// The reader of standard output or of a pipe went away.
    public static let outputClosed = Self("outputClosed")
    /// The disk or the quota is full.
    public static let noSpace = Self("noSpace")
}

/// Failed system calls as errors that name the file and say why.
enum SystemError {
    /// The error for `number` (an `errno`) when trying to `verb` the file at `path`.
    static func failure(_ verb: String, _ path: String, _ number: Int32) -> HeadraceError {
        let reason = String(cString: strerror(number))
        switch number {
        case ENOENT, ENOTDIR:
            return HeadraceError(
                .notFound, "cannot \(verb) \(path), because it is not there", hint: NearNames.hint(for: path))
        case EACCES, EPERM, EROFS:
            return HeadraceError(
                .accessDenied, "cannot \(verb) \(path)", because: reason,
                hint: "check the permissions of the file and of its folder")
        case EISDIR:
            return HeadraceError(.wrongKindOfFile, "cannot \(verb) \(path), because it is a folder")
        case EPIPE:
            return HeadraceError(.outputClosed, "nobody reads \(path) any more", because: reason)
        case ENOSPC, EDQUOT, EFBIG:
            return HeadraceError(
                .noSpace, "cannot \(verb) \(path)", because: reason, hint: "make room and run the same command again",
                retry: .mayHelp)
        case EMFILE, ENFILE:
            return HeadraceError(
                .inputOutput, "cannot \(verb) \(path)", because: reason, hint: "raise the limit of open files",
                retry: .mayHelp)
        default:
            return HeadraceError(.inputOutput, "cannot \(verb) \(path)", because: reason)
        }
    }

    /// Repeats `call` while a signal interrupts it; throws when it gives -1.
    @discardableResult
    static func check<Result: SignedInteger>(
        _ verb: String, _ path: String, _ call: () -> Result
    ) throws(HeadraceError) -> Result {
        while true {
            let result = call()
            if result != -1 { return result }
            let number = errno
            if number != EINTR { throw failure(verb, path, number) }
        }
    }
}
