import Headrace
import HeadraceCSV
import HeadraceFactTable
import HeadraceJSON
import HeadraceSQLite

func job(_ facts: FactLoad) -> Load {
    let sales = Pipeline("sales", from: .csv(at: "sales.csv"))
    #if WRONG
        // Facts need keys and a transaction.
        return sales.loading(into: .json(at: "out.json"), mode: .facts(facts))  // wrong: conform to .TransactionalSink.
    #else
        return sales.loading(into: .sqlite(path: "warehouse.db"), mode: .facts(facts))
    #endif
}
