import Headrace

let price = Column<DecimalValue>("price")
let name = Column<String>("name")

#if WRONG
    let dear = price > "x"  // wrong: operator
#else
    let dear = price > 50_000
#endif
