import Headrace
import HeadraceCSV

let quantity = Column<Int64>("quantity")

func kept() -> Pipeline {
    let sales = Pipeline("sales", from: .csv(at: "sales.csv"))
    #if WRONG
        // A number is neither true nor false.
        return sales.filter(quantity + 1)  // wrong: expected argument type 'Expr<Bool>'
    #else
        return sales.filter(quantity > 1)
    #endif
}
