import HeadraceCommand

@main struct Main {
    static func main() async { await HeadraceTool().run() }
}
