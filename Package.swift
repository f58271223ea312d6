// swift-tools-version: 6.2
import PackageDescription

// MARK: - One line per plugin

/// A connector: `connectors/<name>/{Sources,Tests}` becomes the module and product `Headrace<name>`.
///
/// `testing` names what only its tests need.
func connector(_ name: String, c: String? = nil, support: [String] = [], testing: [String] = []) -> [Target] {
    plugin("connectors", name, dependencies: (c.map { [$0] } ?? []) + support, testing: testing)
}

/// A transform: `transforms/<name>/{Sources,Tests}` becomes the module and product `Headrace<name>`.
func transform(_ name: String, support: [String] = []) -> [Target] {
    plugin("transforms", name, dependencies: support)
}

/// A C library of the system: a module map and a header with the inline shims that Swift needs.
///
/// `<path>/<name>` becomes the module `Headrace<name>`: a package that uses Headrace may have a `CZlib` of its own.
func clibrary(_ name: String, path: String, pkgConfig: String? = nil, apt: String) -> Target {
    .systemLibrary(name: "Headrace\(name)", path: "\(path)/\(name)", pkgConfig: pkgConfig, providers: [.apt([apt])])
}

func plugin(_ folder: String, _ name: String, dependencies: [String], testing: [String] = []) -> [Target] {
    let module = "Headrace\(name)"
    return [
        .target(
            name: module,
            dependencies: (["HeadraceCore", "HeadraceColumnar"] + dependencies).map { .init(stringLiteral: $0) },
            path: "\(folder)/\(name)/Sources"),
        .testTarget(
            name: "\(module)Tests",
            dependencies: [
                .init(stringLiteral: module), "HeadraceCore", "HeadraceColumnar", "HeadraceRuntime", "HeadraceTesting",
                "HeadraceFiles",
            ] + (dependencies.filter { $0 != "HeadraceFiles" } + testing).map { .init(stringLiteral: $0) },
            path: "\(folder)/\(name)/Tests"),
    ]
}

func module(
    _ name: String, _ dependencies: [Target.Dependency], path: String? = nil, tests: Bool = true,
    testing: [Target.Dependency] = []
) -> [Target] {
    let target = Target.target(name: name, dependencies: dependencies, path: path ?? "Sources/\(name)")
    let test = Target.testTarget(
        name: "\(name)Tests", dependencies: [.init(stringLiteral: name)] + dependencies + testing,
        path: "Tests/\(name)Tests")
    return tests ? [target, test] : [target]
}

/// An example: `examples/<name>/Sources` becomes the program `<name>Example`.
func example(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(
        name: "\(name)Example", dependencies: ["Headrace"] + dependencies, path: "examples/\(name)/Sources")
}

let connectors: [[Target]] = [
    connector("CSV", support: ["HeadraceFiles"]),
    connector("JSON", support: ["HeadraceFiles", "HeadraceCodecs"]),
    connector("XML", c: "HeadraceCXML2", support: ["HeadraceFiles"]),
    connector("HTTP", support: ["HeadraceHTTPClient", "HeadraceCodecs"], testing: ["HeadraceLoopback"]),
    connector("SQLite", c: "HeadraceCSQLite"),
    connector("PostgreSQL", c: "HeadraceCPQ"),
    connector("MySQL", c: "HeadraceCMariaDB"),
    connector("Landing", support: ["HeadraceFiles", "HeadraceDigests"]),
    connector("KeyValue", c: "HeadraceCSQLite", support: ["HeadraceCodecs"]),
]

let transforms: [[Target]] = [
    transform("Validation"),
    transform("Deduplication"),
    transform("Currency"),
    transform("Text"),
    transform("FactTable", support: ["HeadraceDigests"]),
]

let clibraries: [Target] = [
    clibrary("CCurl", path: "Sources/Support", pkgConfig: "libcurl", apt: "libcurl4-openssl-dev"),
    clibrary("CZlib", path: "Sources/Support", pkgConfig: "zlib", apt: "zlib1g-dev"),
    clibrary("CZstd", path: "Sources/Support", pkgConfig: "libzstd", apt: "libzstd-dev"),
    clibrary("CBzip2", path: "Sources/Support", apt: "libbz2-dev"),
    clibrary("CLZMA", path: "Sources/Support", pkgConfig: "liblzma", apt: "liblzma-dev"),
    clibrary("CCrypto", path: "Sources/Support", pkgConfig: "libcrypto", apt: "libssl-dev"),
    clibrary("CXML2", path: "connectors/XML", pkgConfig: "libxml-2.0", apt: "libxml2-dev"),
    clibrary("CSQLite", path: "connectors/SQLite", pkgConfig: "sqlite3", apt: "libsqlite3-dev"),
    clibrary("CMariaDB", path: "connectors/MySQL", pkgConfig: "libmariadb", apt: "libmariadb-dev"),
    clibrary("CPQ", path: "connectors/PostgreSQL", pkgConfig: "libpq", apt: "libpq-dev"),
]

let plugins = (connectors + transforms).flatMap { $0 }
let pluginModules = plugins.filter { $0.type == .regular }.map(\.name)
let pluginDependencies = pluginModules.map { Target.Dependency(stringLiteral: $0) }

let package = Package(
    name: "Headrace",
    products: [
        .library(name: "Headrace", targets: ["Headrace"]),
        .library(name: "HeadraceCore", targets: ["HeadraceCore"]),
        .library(name: "HeadraceColumnar", targets: ["HeadraceColumnar"]),
        .library(name: "HeadraceTesting", targets: ["HeadraceTesting"]),
        .library(name: "HeadraceJobs", targets: ["HeadraceJobs"]),
        .library(name: "HeadraceCommand", targets: ["HeadraceCommand"]),
        .executable(name: "headrace", targets: ["headrace-cli"]),
        // What scripts put between the program and a server.
        .executable(name: "headrace-fault-proxy", targets: ["HeadraceFaultProxy"]),
        // Loaded by Python in the tests of the Arrow interface; nobody else wants it.
        .library(name: "HeadraceArrowProbe", type: .dynamic, targets: ["HeadraceArrowProbe"]),
        // What plugins share beneath them: landing zones, compression, digests and the HTTP client.
        .library(name: "HeadraceFiles", targets: ["HeadraceFiles"]),
        .library(name: "HeadraceCodecs", targets: ["HeadraceCodecs"]),
        .library(name: "HeadraceDigests", targets: ["HeadraceDigests"]),
        .library(name: "HeadraceHTTPClient", targets: ["HeadraceHTTPClient"]),
    ] + pluginModules.map { .library(name: $0, targets: [$0]) },
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
    ],
    targets: clibraries
        + [.target(name: "HeadraceCArrow", path: "Sources/CArrow")]
        + module("HeadraceColumnar", ["HeadraceCArrow"])
        + [.target(name: "HeadraceArrowProbe", dependencies: ["HeadraceColumnar"], path: "Tests/ArrowProbe")]
        + module("HeadraceCore", ["HeadraceColumnar"])
        + module("HeadraceRuntime", ["HeadraceCore", "HeadraceColumnar"])
        + module(
            "HeadraceHTTPClient", ["HeadraceCCurl", "HeadraceCodecs"], path: "Sources/Support/HTTPClient",
            testing: ["HeadraceLoopback"])
        // The server that tests of HTTP talk to.
        + [.target(name: "HeadraceLoopback", dependencies: ["HeadraceHTTPClient"], path: "Tests/Loopback")]
        + module(
            "HeadraceCodecs", ["HeadraceCZlib", "HeadraceCZstd", "HeadraceCBzip2", "HeadraceCLZMA"],
            path: "Sources/Support/Codecs")
        + module("HeadraceDigests", ["HeadraceCCrypto"], path: "Sources/Support/Digests")
        + module(
            "HeadraceFiles", ["HeadraceCore", "HeadraceColumnar", "HeadraceCodecs"], path: "Sources/Support/Files",
            testing: ["HeadraceTesting"])
        + module("HeadraceTesting", ["HeadraceCore", "HeadraceColumnar", "HeadraceRuntime"])
        + [
            .executableTarget(
                name: "HeadraceFaultProxy", dependencies: ["HeadraceTesting", "HeadraceCore"], path: "Tests/FaultProxy")
        ]
        + module(
            "HeadraceJobs",
            ["Headrace", "HeadraceFiles", "HeadraceHTTPClient", "HeadraceCodecs", "HeadraceDigests"]
                + pluginDependencies,
            testing: ["HeadraceTesting"])
        + module(
            "HeadraceCommand",
            [
                "Headrace", "HeadraceJobs", "HeadraceFiles",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ] + pluginDependencies)
        + module("Headrace", ["HeadraceCore", "HeadraceColumnar", "HeadraceRuntime"], tests: false)
        + [
            .executableTarget(
                name: "headrace-cli", dependencies: ["HeadraceCommand"], path: "Sources/headrace")
        ]
        + [
            example("LoadPrices", pluginDependencies),
            example("DailyPrices", ["HeadraceJobs", "HeadraceFiles"] + pluginDependencies),
        ]
        + plugins
)

for target in package.targets where [.regular, .executable, .test].contains(target.type) {
    target.swiftSettings = [
        .swiftLanguageMode(.v6),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
        .treatAllWarnings(as: .error),
    ]
}
