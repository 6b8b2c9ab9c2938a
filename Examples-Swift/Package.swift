// swift-tools-version: 6.1
// A program outside of act that uses it as a library: `swift run --package-path Examples-Swift`.

import PackageDescription

let package = Package(
    name: "examples-swift",
    platforms: [.macOS(.v15)],
    dependencies: [.package(name: "act", path: "..")],
    targets: [.executableTarget(name: "train-digits", dependencies: [.product(name: "ActKit", package: "act")])]
)
