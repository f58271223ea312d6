import Headrace
import HeadraceCSV

func job() -> Load {
    let prices = Pipeline("prices", from: .csv(at: "prices.csv"))
    #if WRONG
        // A file holds no keys to look rows up by.
        return prices.loading(into: .csv(at: "out.csv"), mode: .upsert(on: "id"))  // wrong: conform to .UpsertingSink.
    #else
        return prices.loading(into: .csv(at: "out.csv"), mode: .replace)
    #endif
}
