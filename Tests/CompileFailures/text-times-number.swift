import Headrace

let name = Column<String>("name")
let price = Column<DecimalValue>("price")

#if WRONG
    let total = name * 2  // wrong: operator
#else
    let total = price * 2
#endif
