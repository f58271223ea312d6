import HeadraceCSV
public import HeadraceCore
import HeadraceFiles
import HeadraceHTTP
import HeadraceJSON
import HeadraceKeyValue
import HeadraceMySQL
import HeadracePostgreSQL
import HeadraceSQLite
import HeadraceXML

extension HeadraceTool {
    /// Every connector that Headrace ships.
    public static var standardConnectors: [any Connector] {
        [
            FileConnector(), HTTPConnector(), CSVConnector(), JSONConnector(), XMLConnector(), HTMLConnector(),
            SQLiteConnector(), PostgreSQLConnector(), MySQLConnector(), KeyValueConnector(),
        ]
    }

    /// The ledger in SQLite, in the state folder.
    public static func openStandardLedger(_ folder: String) async throws -> any LedgerStore {
        try await SQLiteLedger.open(at: folder + "/ledger.db")
    }
}
