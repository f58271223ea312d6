public import HeadraceCore

extension HeadraceError.Code {
    /// An item or key that no key-value store takes: an attribute of the wrong type, an empty key, an empty set.
    public static let invalidItem = Self("invalidItem")
    /// An item of more than 400 KB.
    public static let itemTooLarge = Self("itemTooLarge")
    /// A batch of no writes, of more than 25, or with a key twice.
    public static let invalidBatch = Self("invalidBatch")
    /// A table of a key-value store that is not there.
    public static let tableNotFound = Self("tableNotFound")
    /// A store that kept refusing part of a batch.
    public static let throttled = Self("throttled")
}

extension HeadraceError {
    static func invalidItem(_ message: String, attribute: String? = nil, hint: String? = nil) -> HeadraceError {
        HeadraceError(.invalidItem, message, fields: attribute.map { [("attribute", $0)] } ?? [], hint: hint)
    }
}
