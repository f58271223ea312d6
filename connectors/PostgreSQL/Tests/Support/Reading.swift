import HeadraceColumnar
import HeadraceCore
import HeadraceTesting

extension [Batch] {
    /// The values of the first column.
    var identifiers: [Int] { rows.map { if case .integer(let id) = $0[0] { Int(id) } else { -1 } } }
}
