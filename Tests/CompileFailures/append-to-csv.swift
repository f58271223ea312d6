import Headrace
import HeadraceCSV

func job() -> Load {
    let prices = Pipeline("prices", from: .csv(at: "prices.csv"))
    #if WRONG
        // A file appears whole or not at all: half an append could not be taken back.
        return prices.loading(into: .csv(at: "out.csv"), mode: .append)  // wrong: conform to .AppendingSink.
    #else
        return prices.loading(into: .csv(at: "out.csv"), mode: .replace)
    #endif
}
