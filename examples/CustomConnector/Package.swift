// swift-tools-version: 6.2
import PackageDescription

// Outside of this repository the dependency is a URL and a version instead of a path.
let package = Package(
    name: "HeadraceLTSV",
    products: [
        .library(name: "HeadraceLTSV", targets: ["HeadraceLTSV"]),
        .executable(name: "headrace-ltsv", targets: ["headrace-ltsv"]),
    ],
    dependencies: [.package(name: "Headrace", path: "../..")],
    targets: [
        .target(
            name: "HeadraceLTSV",
            dependencies: [
                .product(name: "HeadraceColumnar", package: "Headrace"),
                .product(name: "HeadraceCore", package: "Headrace"),
                .product(name: "HeadraceFiles", package: "Headrace"),
            ]),
        .executableTarget(
            name: "headrace-ltsv",
            dependencies: ["HeadraceLTSV", .product(name: "HeadraceCommand", package: "Headrace")]),
        .testTarget(
            name: "HeadraceLTSVTests",
            dependencies: ["HeadraceLTSV", .product(name: "HeadraceTesting", package: "Headrace")]),
    ]
)
