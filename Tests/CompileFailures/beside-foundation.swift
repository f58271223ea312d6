import Foundation
import Headrace
import HeadraceCSV
import HeadraceSQLite

// A program that uses Foundation for its own purposes writes jobs as any other does.
let price = Column<DecimalValue>("price")
let today = Date()

func job() -> Load {
    let prices = Pipeline("prices", from: .csv(at: "prices.csv")).filter(price > 0)
    #if WRONG
        let limit: Decimal = 50_000
        return prices.filter(price < limit).loading(into: .csv(at: "out.csv"), mode: .replace)  // wrong: Decimal
    #else
        return prices.filter(price < 50_000).loading(into: .sqlite(path: "w.db", table: "t"), mode: .upsert(on: "id"))
    #endif
}
