import Headrace
import HeadraceCSV

func job() -> Load {
    let prices = Pipeline("prices", from: .csv(at: "prices.csv"))
    #if WRONG
        // A file has no rows that could be deleted one by one: it is replaced whole.
        return prices.loading(into: .csv(at: "out.csv"), mode: .mirror(on: "id"))  // wrong: conform to .MirroringSink.
    #else
        return prices.loading(into: .csv(at: "out.csv"), mode: .replace)
    #endif
}
