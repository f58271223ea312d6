import Glibc
import HeadraceCore
import HeadraceTesting

// A FaultProxy for scripts: orders come by standard input, an answer a line goes to standard output. It ends with its input.
//
//     headrace-fault-proxy HOST:PORT | SOCKET
//     port 41234
//     > play reset@toServer:1000
//     ok
//     > wait fired 1 10000
//     connections=1 open=0 toServer=1000 toClient=326 fired=1 waiting=0

func say(_ line: String, to descriptor: Int32 = 1) {
    let bytes = Array((line + "\n").utf8)
    _ = write(descriptor, bytes, bytes.count)
}

func line(_ counts: FaultProxy.Counts) -> String {
    "connections=\(counts.connections) open=\(counts.open) toServer=\(counts.toServer) toClient=\(counts.toClient) "
        + "fired=\(counts.fired) waiting=\(counts.waiting)"
}

func answer(_ order: String, _ proxy: FaultProxy) throws -> String {
    let words = order.split(separator: " ").map(String.init)
    switch words.first {
    case "play": proxy.play(try FaultScript(words.dropFirst().joined(separator: " ")))
    case "release": proxy.release()
    case "cut": proxy.cut(isOrderly: words.dropFirst().first == "end")
    case "counts": return line(proxy.counts)
    case "wait" where words.count == 4:
        guard let least = Int(words[2]), let milliseconds = Int(words[3]) else { return "error: wait WHAT COUNT MS" }
        switch words[1] {
        case "fired": _ = proxy.wait(milliseconds: milliseconds) { $0.fired >= least }
        case "waiting": _ = proxy.wait(milliseconds: milliseconds) { $0.waiting >= least }
        default: return "error: wait for fired or waiting"
        }
        return line(proxy.counts)
    default: return "error: play, release, cut, counts or wait"
    }
    return "ok"
}

guard CommandLine.arguments.count == 2 else {
    say("usage: headrace-fault-proxy HOST:PORT | SOCKET", to: 2)
    exit(2)
}
let place = CommandLine.arguments[1]
let colon = place.lastIndex(of: ":")
let upstream: FaultProxy.Upstream =
    if let colon, let port = Int(place[place.index(after: colon)...]) {
        .tcp(host: String(place[..<colon]), port: port)
    } else {
        .unix(path: place)
    }
let proxy = try FaultProxy(to: upstream)
say("port \(proxy.port)")
while let order = readLine() {
    do { say(try answer(order, proxy)) } catch { say("error: \(error)".replacing("\n", with: " ")) }
}
