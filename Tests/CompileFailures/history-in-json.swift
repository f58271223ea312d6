import Headrace
import HeadraceCSV
import HeadraceJSON
import HeadraceSQLite

func job() -> Load {
    let prices = Pipeline("prices", from: .csv(at: "prices.csv"))
    #if WRONG
        // A version ends when the next one begins: a file cannot go back to it.
        return prices.loading(into: .json(at: "out.json"), mode: .history(on: "id"))  // wrong: conform to .HistorySink.
    #else
        return prices.loading(into: .sqlite(path: "warehouse.db", table: "prices"), mode: .upsert(on: "id"))
    #endif
}
