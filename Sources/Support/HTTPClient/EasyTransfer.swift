import Glibc
import HeadraceCCurl

/// The libcurl side of one exchange: its handle, its memory and its clock. Only the driver's thread touches it, libcurl's
/// callbacks included, which run on that thread inside the driver's calls.
final class EasyTransfer {
    let transfer: Transfer
    let easy: UnsafeMutableRawPointer
    var clock: TransferClock
    /// A failure found by a callback, which libcurl only knows as "the callback said no".
    private(set) var failure: HTTPClientError?

    private var hasNews = false
    private var headerList: UnsafeMutablePointer<curl_slist>?
    private let errorText: UnsafeMutablePointer<CChar>
    private var parser = ResponseHeadParser()
    private var sentCount = 0

    /// Makes a handle ready to be given to a multi handle; `nil` when libcurl has no memory.
    init?(_ transfer: Transfer) {
        guard let easy = curl_easy_init() else { return nil }
        self.easy = easy
        self.transfer = transfer
        clock = TransferClock(transfer.plan)
        errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        for line in transfer.plan.headerLines {
            guard let longer = curl_slist_append(headerList, line) else { return nil }
            headerList = longer
        }
        guard configure() else { return nil }
    }

    deinit {
        curl_easy_cleanup(easy)
        curl_slist_free_all(headerList)
        errorText.deallocate()
    }

    /// What libcurl says about the failure in its own words.
    var reason: String? {
        let text = String(cString: errorText)
        return text.isEmpty ? nil : text
    }

    var hasHead: Bool { parser.isComplete }
    /// Whether an HTTP/2 stream carries the answer.
    private(set) var isHTTP2 = false

    /// Lets a transfer go on that was told to wait. libcurl may call back at once with what it held.
    func resume() {
        guard clock.isPaused else { return }
        clock.resumed()
        curl_easy_pause(easy, CURLPAUSE_CONT)
    }

    /// Gives the task what came since the last call, and what comes when that makes room.
    func handOver() {
        while hasNews {
            hasNews = false
            if transfer.handOver() { resume() }
        }
    }

    // Callbacks.

    fileprivate func accept(header line: UnsafeRawBufferPointer) -> Int {
        clock.moved(line.count, isAnswer: true)
        do {
            if let head = try parser.accept(line) {
                isHTTP2 = head.version.hasPrefix("HTTP/2")
                transfer.deliver(Transfer.Head(head: head, timing: timing()))
            }
            return line.count
        } catch {
            failure = error
            return 0
        }
    }

    fileprivate func accept(body bytes: UnsafeRawBufferPointer) -> Int {
        clock.moved(bytes.count, isAnswer: true)
        switch transfer.receive(bytes) {
        case .taken:
            hasNews = true
            return bytes.count
        case .full:
            clock.paused()
            return Int(CURL_WRITEFUNC_PAUSE)
        case .refused: return 0
        }
    }

    fileprivate func send(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        guard let body = transfer.plan.body else { return 0 }
        let count = min(buffer.count, body.count - sentCount)
        body.withUnsafeBytes { bytes in
            buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[sentCount..<sentCount + count]))
        }
        sentCount += count
        clock.moved(count, isAnswer: false)
        clock.hasSentAll = sentCount == body.count
        return count
    }

    /// libcurl sends a body again when the server closed a kept connection before it saw the request.
    fileprivate func rewind(to offset: Int) -> Bool {
        guard let body = transfer.plan.body, (0...body.count).contains(offset) else { return false }
        sentCount = offset
        clock.hasSentAll = sentCount == body.count
        return true
    }

    private func timing() -> HTTPTiming {
        HTTPTiming(
            resolved: duration(CURLINFO_NAMELOOKUP_TIME_T), connected: duration(CURLINFO_CONNECT_TIME_T),
            secured: duration(CURLINFO_APPCONNECT_TIME_T), readyToSend: duration(CURLINFO_PRETRANSFER_TIME_T),
            firstByte: duration(CURLINFO_STARTTRANSFER_TIME_T))
    }

    private func duration(_ info: CURLINFO) -> Duration {
        var microseconds: curl_off_t = 0
        headrace_getinfo_offset(easy, info, &microseconds)
        return .microseconds(microseconds)
    }
}

// Options.

extension EasyTransfer {
    /// Sets every option; `false` when libcurl refuses one, which it does only for lack of memory or of a feature.
    private func configure() -> Bool {
        let user = Unmanaged.passUnretained(self).toOpaque()
        let callbacks = [
            headrace_setopt_bytes(
                easy, CURLOPT_HEADERFUNCTION, { EasyTransfer.from($3).accept(header: .init($0, $1, $2)) }),
            headrace_setopt_bytes(
                easy, CURLOPT_WRITEFUNCTION, { EasyTransfer.from($3).accept(body: .init($0, $1, $2)) }),
            headrace_setopt_bytes(easy, CURLOPT_READFUNCTION, { EasyTransfer.from($3).send(into: .init($0, $1, $2)) }),
            headrace_setopt_seek(
                easy,
                { user, offset, origin in
                    let isDone = origin == SEEK_SET && EasyTransfer.from(user).rewind(to: Int(offset))
                    return isDone ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL
                }),
            headrace_setopt_prereq(
                easy,
                { user, _, _, _, _ in
                    EasyTransfer.from(user).clock.connected()
                    return CURL_PREREQFUNC_OK
                }),
        ]
        let pointers = [
            CURLOPT_HEADERDATA, CURLOPT_WRITEDATA, CURLOPT_READDATA, CURLOPT_SEEKDATA, CURLOPT_PREREQDATA,
        ].map { headrace_setopt_pointer(easy, $0, user) }
        let memory = [
            headrace_setopt_private_sockets(easy),
            headrace_setopt_pointer(easy, CURLOPT_ERRORBUFFER, errorText),
            headrace_setopt_pointer(easy, CURLOPT_HTTPHEADER, headerList),
        ]
        let all = callbacks + pointers + memory + general() + request() + security()
        return all.allSatisfy { $0 == CURLE_OK }
    }

    private func general() -> [CURLcode] {
        let plan = transfer.plan
        let connect = plan.timeouts.connect.map { Int(min($0.clampedNanoseconds / 1_000_000, 2_000_000_000)) }
        var results = [
            text(CURLOPT_URL, plan.url),
            text(CURLOPT_PROTOCOLS_STR, "http,https"),
            long(CURLOPT_FOLLOWLOCATION, 0),
            long(CURLOPT_DISALLOW_USERNAME_IN_URL, 1),
            // The path is sent as written: an object's key may have ".." in it.
            long(CURLOPT_PATH_AS_IS, 1),
            long(CURLOPT_HTTP_VERSION, Int(plan.configuration.version.curlValue)),
            long(CURLOPT_PIPEWAIT, plan.configuration.version == .http2 ? 1 : 0),
            long(CURLOPT_CONNECTTIMEOUT_MS, max(1, connect ?? 2_000_000_000)),
            long(CURLOPT_BUFFERSIZE, 64 << 10),
            long(CURLOPT_TCP_KEEPALIVE, 1),
            long(CURLOPT_MAXAGE_CONN, 60),
            long(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1),
            long(CURLOPT_HEADEROPT, Int(CURLHEADER_SEPARATE)),
            // Signals are not ours to change, and ending a transfer must not wait for a slow name server.
            long(CURLOPT_NOSIGNAL, 1),
            long(CURLOPT_QUICK_EXIT, 1),
        ]
        if !plan.hasUserAgent { results.append(text(CURLOPT_USERAGENT, plan.configuration.userAgent)) }
        switch plan.configuration.proxy {
        case .environment: break
        case .none: results.append(text(CURLOPT_PROXY, ""))
        case .url(let url): results.append(text(CURLOPT_PROXY, url))
        }
        return results
    }

    private func request() -> [CURLcode] {
        let plan = transfer.plan
        if plan.method == "HEAD" { return [long(CURLOPT_NOBODY, 1)] }
        var results = [long(CURLOPT_HTTPGET, 1)]
        if let body = plan.body {
            clock.hasSentAll = body.isEmpty
            results = [
                long(CURLOPT_POST, 1),
                headrace_setopt_offset(easy, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(body.count)),
            ]
        } else if ["POST", "PUT", "PATCH"].contains(plan.method) {
            results = [
                long(CURLOPT_POST, 1), headrace_setopt_offset(easy, CURLOPT_POSTFIELDSIZE_LARGE, 0),
                text(CURLOPT_COPYPOSTFIELDS, ""),
            ]
        }
        return results + [text(CURLOPT_CUSTOMREQUEST, plan.method)]
    }

    private func security() -> [CURLcode] {
        let tls = transfer.plan.configuration.tls
        let files: [(CURLoption, String?)] = [
            (CURLOPT_CAINFO, tls.authorityFile), (CURLOPT_SSLCERT, tls.certificateFile), (CURLOPT_SSLKEY, tls.keyFile),
            (CURLOPT_KEYPASSWD, tls.keyPassword),
        ]
        return [
            long(CURLOPT_SSL_VERIFYPEER, tls.verifies ? 1 : 0),
            long(CURLOPT_SSL_VERIFYHOST, tls.verifies ? 2 : 0),
            long(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2)),
        ] + files.compactMap { option, file in file.map { text(option, $0) } }
    }

    private func long(_ option: CURLoption, _ value: Int) -> CURLcode {
        headrace_setopt_long(easy, option, value)
    }

    private func text(_ option: CURLoption, _ value: String) -> CURLcode {
        headrace_setopt_text(easy, option, value)
    }

    fileprivate static func from(_ user: UnsafeMutableRawPointer?) -> EasyTransfer {
        guard let user else { preconditionFailure("libcurl lost the user pointer of a callback") }
        return Unmanaged<EasyTransfer>.fromOpaque(user).takeUnretainedValue()
    }
}

extension HTTPClientConfiguration.Version {
    fileprivate var curlValue: Int {
        switch self {
        case .http1: Int(CURL_HTTP_VERSION_1_1)
        case .http2: Int(CURL_HTTP_VERSION_2TLS)
        }
    }
}

extension UnsafeRawBufferPointer {
    fileprivate init(_ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int) {
        self.init(start: bytes, count: size * count)
    }
}

extension UnsafeMutableRawBufferPointer {
    fileprivate init(_ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int) {
        self.init(start: bytes, count: size * count)
    }
}
