import Headrace

let id = Column<Int64>("id")

// A row is the memory of a batch that goes on: it cannot be kept, only its values can.
func remembering(_ pipeline: Pipeline) -> Pipeline {
    pipeline.filter(step: "remember") { columns in
        let id = try columns.readFilled(id)
        #if WRONG
            var seen: [Row] = []  // wrong: Copyable
            return { row in seen.isEmpty && row[id] > 0 }
        #else
            var seen: Int64 = 0
            return { row in
                seen = row[id]
                return seen > 0
            }
        #endif
    }
}
