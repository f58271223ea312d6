// swift-tools-version: 6.2
import PackageDescription

// Programs that measure Headrace from outside, through its public products only; the main package does not know them.
let package = Package(
    name: "Benchmarks",
    dependencies: [.package(name: "Headrace", path: "../..")],
    targets: [
        .executableTarget(
            name: "RowClosures",
            dependencies: [
                .product(name: "Headrace", package: "Headrace"), .product(name: "HeadraceTesting", package: "Headrace"),
            ])
    ]
)
