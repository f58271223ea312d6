import Headrace

let price = Column<DecimalValue>("price")
let name = Column<String>("name")

// A closure over rows sees each column as the type that its handle says, and a null as nil.
func plausible(_ pipeline: Pipeline) -> Pipeline {
    pipeline.filter(step: "plausible") { columns in
        let price = try columns.read(price)
        let name = try columns.read(name)
        return { row in
            guard let price = row[price], let name = row[name] else { return false }
            #if WRONG
                return price < name  // wrong: convert value of type .*TextSlice
            #else
                return price < 50_000 && name.hasPrefix("Lamp")
            #endif
        }
    }
}
