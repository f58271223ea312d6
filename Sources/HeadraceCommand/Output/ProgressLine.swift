import HeadraceCore
import HeadraceRuntime
import Synchronization

/// Shows a run's progress on standard error: a line that is rewritten on a terminal, else a line every few seconds, as text
/// or through the log.
final class ProgressLine: ProgressReporter {
    /// Where and how the progress is told.
    enum Form {
        case terminal, lines
        case log(EventLog)
    }

    private struct State {
        var step = ""
        var rows = 0
        var bytes = 0
        var total: Int?
        /// What a sink has taken, once all is read; before that rows are written as they are read.
        var written: (step: String, rows: Int)?
        var began: Int64
        var shown: Int64 = 0
        var isReading = true
        var isOpen = false
    }

    private let state: Mutex<State>
    private let clock: any RunClock
    private let form: Form
    private let print: @Sendable (String) -> Void
    /// Nanoseconds between two lines.
    private let interval: Int64

    init(
        clock: any RunClock, form: Form = StandardStreams.errorIsTerminal ? .terminal : .lines,
        print: @escaping @Sendable (String) -> Void = StandardStreams.error
    ) {
        self.clock = clock
        self.form = form
        self.print = print
        let now = clock.monotonic()
        if case .terminal = form {
            interval = 100_000_000
            state = Mutex(State(began: now, shown: now - interval))
        } else {
            interval = 5_000_000_000
            state = Mutex(State(began: now, shown: now))
        }
    }

    func report(_ event: ProgressEvent) {
        state.withLock { state in
            switch event {
            case .stepStarted(let step):
                state.written = nil
                state.isReading = true
                state.step = step
                state.rows = 0
                state.bytes = 0
                state.total = nil
                state.began = clock.monotonic()
            case .read(_, let rows, let bytes, let total):
                state.written = nil
                state.isReading = true
                state.rows = rows
                state.bytes = bytes
                state.total = total ?? state.total
                show(&state)
            case .stepFinished: state.isReading = false
            case .written(let step, let rows):
                guard !state.isReading else { break }
                state.written = (step, rows)
                show(&state)
            case .committed: break
            }
        }
    }

    private func show(_ state: inout State) {
        let now = clock.monotonic()
        guard now - state.shown >= interval else { return }
        state.shown = now
        let line =
            if let written = state.written {
                "\(written.step)  \(Self.grouped(written.rows)) rows written"
            } else {
                Self.line(
                    state.step, rows: state.rows, bytes: state.bytes, total: state.total,
                    nanoseconds: now - state.began)
            }
        switch form {
        case .terminal:
            print("\r\u{1b}[K" + String(line.prefix(StandardStreams.terminalWidth - 1)))
            state.isOpen = true
        case .lines: print(line + "\n")
        case .log(let log):
            if let written = state.written {
                log.info("progress", [("step", written.step), ("rows_written", "\(written.rows)")])
                return
            }
            let total = state.total.map { [("bytes_total", "\($0)")] } ?? []
            log.info(
                "progress", [("step", state.step), ("rows", "\(state.rows)"), ("bytes", "\(state.bytes)")] + total)
        }
    }

    /// Ends the line that is being rewritten.
    func finish() {
        state.withLock { state in
            if state.isOpen { print("\r\u{1b}[K") }
            state.isOpen = false
        }
    }

    /// `read prices  [#####     ]  52 %  1,200,000 rows  400,000 rows/s  120 MB  3 s left`
    static func line(_ step: String, rows: Int, bytes: Int, total: Int?, nanoseconds: Int64) -> String {
        let seconds = max(Double(nanoseconds) / 1e9, 0.001)
        var parts = [step]
        if let total, total > 0 {
            let share = min(1, Double(bytes) / Double(total))
            let filled = Int(share * 20)
            parts.append("[" + String(repeating: "#", count: filled) + String(repeating: " ", count: 20 - filled) + "]")
            parts.append("\(Int(share * 100)) %")
        }
        parts.append("\(grouped(rows)) rows")
        parts.append("\(grouped(Int(Double(rows) / seconds))) rows/s")
        parts.append("\(grouped(bytes / 1_000_000)) MB")
        if let total, bytes > 0, total > bytes {
            parts.append("\(Int((Double(total - bytes) / (Double(bytes) / seconds)).rounded(.up))) s left")
        }
        return parts.joined(separator: "  ")
    }

    /// `0.42 s`, `12 s`, `3 min 20 s`
    static func duration(microseconds: Int64) -> String {
        let hundredths = microseconds / 10_000
        if hundredths < 1_000 {
            let fraction = hundredths % 100
            return "\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction) s"
        }
        let seconds = hundredths / 100
        return seconds < 60 ? "\(seconds) s" : "\(seconds / 60) min \(seconds % 60) s"
    }

    /// `1234567` as `1,234,567`.
    static func grouped(_ number: Int) -> String {
        let digits = String(number.magnitude)
        var result = ""
        for (index, digit) in digits.enumerated() {
            if index > 0 && (digits.count - index) % 3 == 0 { result.append(",") }
            result.append(digit)
        }
        return number < 0 ? "-" + result : result
    }
}
