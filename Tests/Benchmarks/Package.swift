// swift-tools-version: 6.2
import PackageDescription

// Programs that measure Headrace from outside, through its public products only; the main package does not know them.
func products(_ names: String...) -> [Target.Dependency] { names.map { .product(name: $0, package: "Headrace") } }

let package = Package(
    name: "Benchmarks",
    products: [.executable(name: "headrace-bench", targets: ["HeadraceBench"])],
    dependencies: [.package(name: "Headrace", path: "../..")],
    targets: [
        .executableTarget(name: "RowClosures", dependencies: products("Headrace", "HeadraceTesting")),
        .executableTarget(
            name: "DatabaseReads",
            dependencies: products("Headrace", "HeadraceMySQL", "HeadracePostgreSQL", "HeadraceTesting")),
        .executableTarget(
            name: "HeadraceBench",
            dependencies: products(
                "Headrace", "HeadraceCSV", "HeadraceJSON", "HeadraceSQLite", "HeadraceCurrency",
                "HeadraceDeduplication", "HeadraceText", "HeadraceTesting")),
    ]
)
