import HeadraceCore
import HeadraceRuntime
import Synchronization
import Testing

@testable import HeadraceCommand

struct ProgressLineTests {
    /// Stands still until it is moved.
    private final class HandClock: RunClock {
        private let nanoseconds = Mutex<Int64>(0)
        func now() -> Int64 { monotonic() / 1_000 }
        func monotonic() -> Int64 { nanoseconds.withLock { $0 } }
        func sleep(for duration: Duration) async throws {}
        func advance(seconds: Int64) { nanoseconds.withLock { $0 += seconds * 1_000_000_000 } }
    }

    private final class Printed: Sendable {
        private let texts = Mutex<[String]>([])
        var all: [String] { texts.withLock { $0 } }
        func add(_ text: String) { texts.withLock { $0.append(text) } }
    }

    @Test func `a line says step, share, rows, speed and what is left`() {
        #expect(
            ProgressLine.line(
                "read", rows: 1_200_000, bytes: 50_000_000, total: 100_000_000, nanoseconds: 2_000_000_000)
                == "read  [##########          ]  50 %  1,200,000 rows  600,000 rows/s  50 MB  2 s left")
        #expect(
            ProgressLine.line("read", rows: 10, bytes: 0, total: nil, nanoseconds: 0)
                == "read  10 rows  10,000 rows/s  0 MB")
    }

    @Test func `lines come every five seconds, however often there is news`() {
        let (clock, printed) = (HandClock(), Printed())
        let progress = ProgressLine(clock: clock, form: .lines) { printed.add($0) }
        progress.report(.stepStarted(step: "read"))
        for second in 1...11 {
            clock.advance(seconds: 1)
            progress.report(.read(step: "read", rows: second * 10, bytes: 0, totalBytes: nil))
        }
        progress.finish()
        #expect(printed.all == ["read  50 rows  10 rows/s  0 MB\n", "read  100 rows  10 rows/s  0 MB\n"])
    }

    @Test func `on a terminal the line is rewritten and taken away at the end`() {
        let (clock, printed) = (HandClock(), Printed())
        let progress = ProgressLine(clock: clock, form: .terminal) { printed.add($0) }
        progress.report(.read(step: "read", rows: 1, bytes: 0, totalBytes: nil))
        progress.report(.read(step: "read", rows: 2, bytes: 0, totalBytes: nil))
        progress.finish()
        progress.finish()
        #expect(printed.all.count == 2)
        #expect(printed.all.allSatisfy { $0.hasPrefix("\r\u{1b}[K") })
        #expect(printed.all.last == "\r\u{1b}[K")
    }

    @Test func `a log gets the figures as fields`() {
        let (clock, printed) = (HandClock(), Printed())
        let log = EventLog { _, message, fields in
            printed.add(message + " " + fields.map { "\($0.name)=\($0.value)" }.joined(separator: " "))
        }
        let progress = ProgressLine(clock: clock, form: .log(log))
        clock.advance(seconds: 6)
        progress.report(.read(step: "read", rows: 7, bytes: 3, totalBytes: 9))
        #expect(printed.all == ["progress step= rows=7 bytes=3 bytes_total=9"])
    }

    @Test func `once all is read, the line says what is written`() {
        let (clock, printed) = (HandClock(), Printed())
        let progress = ProgressLine(clock: clock, form: .lines) { printed.add($0) }
        progress.report(.stepStarted(step: "read"))
        clock.advance(seconds: 6)
        progress.report(.written(step: "load", rows: 5))
        #expect(printed.all.isEmpty, "while rows are read, that is what is told")
        progress.report(.stepFinished(step: "read", error: nil))
        progress.report(.written(step: "load", rows: 1200))
        progress.report(.written(step: "load", rows: 1300))
        #expect(printed.all == ["load  1,200 rows written\n"])
        progress.report(.stepStarted(step: "read b"))
        clock.advance(seconds: 5)
        progress.report(.read(step: "read b", rows: 5, bytes: 0, totalBytes: nil))
        #expect(printed.all.last == "read b  5 rows  1 rows/s  0 MB\n")
    }

    @Test func `a log gets what is written once all is read`() {
        let (clock, printed) = (HandClock(), Printed())
        let log = EventLog { _, message, fields in
            printed.add(message + " " + fields.map { "\($0.name)=\($0.value)" }.joined(separator: " "))
        }
        let progress = ProgressLine(clock: clock, form: .log(log))
        progress.report(.stepFinished(step: "read", error: nil))
        clock.advance(seconds: 6)
        progress.report(.written(step: "load", rows: 7))
        #expect(printed.all == ["progress step=load rows_written=7"])
    }

    @Test(arguments: [
        (0, "0.00 s"), (423_000, "0.42 s"), (1_050_000, "1.05 s"), (12_900_000, "12 s"), (200_000_000, "3 min 20 s"),
    ])
    func `durations are short`(microseconds: Int64, text: String) {
        #expect(ProgressLine.duration(microseconds: microseconds) == text)
    }
}
