import HeadraceCommand
import HeadraceLTSV

@main struct Main {
    static func main() async {
        await HeadraceTool(connectors: HeadraceTool.standardConnectors + [LTSVConnector()]).run()
    }
}
