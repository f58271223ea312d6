import HeadraceCore

/// The files of a connector package to begin with: they build, pass the contracts, and say where to write what.
///
/// The texts are written for a connector called Acme; its name and the way to Headrace are put in.
struct ConnectorTemplate {
    /// A name in upper camel case, such as `Acme`.
    let name: String
    /// How the package names Headrace: a line of `dependencies` in Package.swift.
    let dependency: String
    /// The identity of Headrace among the package's dependencies.
    let package: String

    /// The scheme of its locations, and the end of its program's name.
    var scheme: String { name.lowercased() }

    /// Every file by its path in the package.
    var files: [(path: String, text: String)] {
        [
            ("Package.swift", Self.manifest), ("README.md", Self.readme), (".gitignore", Self.ignored),
            ("Sources/HeadraceAcme/AcmeSystem.swift", Self.system),
            ("Sources/HeadraceAcme/AcmeSource.swift", Self.source),
            ("Sources/HeadraceAcme/AcmeSink.swift", Self.sink),
            ("Sources/HeadraceAcme/AcmeConnector.swift", Self.connector),
            ("Sources/headrace-acme/Main.swift", Self.main),
            ("Tests/HeadraceAcmeTests/AcmeContractTests.swift", Self.contractTests),
        ].map { (filled($0), filled($1)) }
    }

    private func filled(_ text: String) -> String {
        [
            ("DEPENDENCY", dependency), ("PACKAGE", package), ("Acme", name), ("acme", scheme),
        ].reduce(text) { Self.replace($1.0, by: $1.1, in: $0) }
    }

    private static func replace(_ word: String, by other: String, in text: String) -> String {
        let (word, text) = (Array(word.utf8), Array(text.utf8))
        var result: [UInt8] = []
        var start = 0
        while start < text.count {
            if text[start...].starts(with: word) {
                result += other.utf8
                start += word.count
            } else {
                result.append(text[start])
                start += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}

extension ConnectorTemplate {
    fileprivate static let manifest = #"""
        // swift-tools-version: 6.2
        import PackageDescription

        let package = Package(
            name: "HeadraceAcme",
            products: [
                .library(name: "HeadraceAcme", targets: ["HeadraceAcme"]),
                .executable(name: "headrace-acme", targets: ["headrace-acme"]),
            ],
            dependencies: [DEPENDENCY],
            targets: [
                .target(
                    name: "HeadraceAcme",
                    dependencies: [
                        .product(name: "HeadraceColumnar", package: "PACKAGE"),
                        .product(name: "HeadraceCore", package: "PACKAGE"),
                        .product(name: "HeadraceFiles", package: "PACKAGE"),
                    ]),
                .executableTarget(
                    name: "headrace-acme",
                    dependencies: ["HeadraceAcme", .product(name: "HeadraceCommand", package: "PACKAGE")]),
                .testTarget(
                    name: "HeadraceAcmeTests",
                    dependencies: ["HeadraceAcme", .product(name: "HeadraceTesting", package: "PACKAGE")]),
            ]
        )

        """#

    fileprivate static let readme = #"""
        # Acme for Headrace

        ```
        swift test --disable-xctest         # holds source and sink to what Headrace demands of them
        swift run headrace-acme copy rows.csv acme:records
        swift run headrace-acme preview acme:records
        ```

        It works as it stands: a file with a record of JSON in each line takes the place of Acme. What to write, in this order,
        with the tests passing after each step:

        1. [AcmeSystem.swift](Sources/HeadraceAcme/AcmeSystem.swift): how Acme is asked and told.
        2. [AcmeSource.swift](Sources/HeadraceAcme/AcmeSource.swift): how its records become rows, and where reading goes on.
        3. [AcmeSink.swift](Sources/HeadraceAcme/AcmeSink.swift): which ways to write it can honestly keep, and how it commits.
        4. [AcmeConnector.swift](Sources/HeadraceAcme/AcmeConnector.swift): its locations, options and check.
        5. [AcmeContractTests.swift](Tests/HeadraceAcmeTests/AcmeContractTests.swift): how the tests fill Acme, and read it back by
           another way than this package. A promise that Acme cannot keep goes into `gaps`, with the reason.

        A connector that only reads or only writes leaves the other half out. Headrace's guide *How to write a connector*
        (docs/writing-a-connector.md) explains every part on a finished example.

        """#

    fileprivate static let ignored = """
        .build/

        """

    fileprivate static let main = #"""
        import HeadraceAcme
        import HeadraceCommand

        @main struct Main {
            static func main() async {
                await HeadraceTool(connectors: HeadraceTool.standardConnectors + [AcmeConnector()]).run()
            }
        }

        """#

    fileprivate static let connector = #"""
        import HeadraceColumnar
        import HeadraceCore
        import HeadraceFiles

        /// Acme for the command line: `acme:ADDRESS`.
        public struct AcmeConnector: RowConnector {
            /// As `headrace-acme options` lists it.
            public let name = "acme"
            /// What a location begins with.
            public let schemes = ["acme"]
            /// Every option that a location may have; others are refused by name before a row moves.
            public let options = [
                ConnectorOption("schema", "FILE", "fields and types, as `headrace schema --json` prints them (source)")
            ]

            /// A connector without state.
            public init() {}

            /// The records at the location. Throw `badOption` for a value that an option does not take.
            public func source(at location: Location) throws -> any Source {
                AcmeSource(at: location.address, schema: try location["schema"].map(SchemaFile.read))
            }

            /// The same as a sink. Throw `unsupported` where there is nothing to write to.
            public func sink(at location: Location) throws -> any Sink { AcmeSink(at: location.address) }

            /// Whether the system is there and lets us in: asks as little of it as will tell, within seconds.
            public func check(_ location: Location, in context: RunContext) async throws -> String {
                let schema = try await source(at: location).schema(in: context)
                return "\(location.address): records of \(schema.names.joined(separator: ", "))"
            }
        }

        """#
}
