// swift-tools-version: 6.2
// act: a small array language for activation functions and the network layers around them.
// A target imports only what stands above it in this list; see Docs/architecture.md.

import PackageDescription

// What people wait for and no program runs through (messages, pages, the command line, editors) does without the passes of the optimiser over
// Swift's own code: they are two thirds of the work for such a target, and what it does then takes some milliseconds, not some tenths of a second.
let unhurried: [SwiftSetting] = [.unsafeFlags(["-Xfrontend", "-disable-sil-perf-optzns"])]

let package = Package(
    name: "act",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "ActKit", targets: ["ActKit"]),
        .executable(name: "act", targets: ["act"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
    ],
    // Whoever sees types of ActSyntax names it: where a module between is built as it was, nothing else tells that their layout has changed.
    targets: [
        .target(name: "CActKernels"),
        .target(name: "CActSystem"),
        .target(name: "CActMachine", dependencies: ["CActKernels"]),
        .target(name: "ActText"),
        .target(name: "ActSystem"),
        .target(name: "ActRows"),
        .target(name: "ActArray", dependencies: ["ActSystem", "ActText", "CActKernels", "CActSystem"]),
        .target(name: "ActOrder", dependencies: ["ActArray", "CActKernels"]),
        .target(name: "ActLinear", dependencies: ["ActOrder"]),
        .target(name: "ActRandom", dependencies: ["ActArray"]),
        .target(name: "ActFiles", dependencies: ["ActArray"]),
        .target(name: "ActGrad", dependencies: ["ActLinear"]),
        .target(name: "ActFormula", dependencies: ["ActGrad"]),
        .target(name: "ActNeural", dependencies: ["ActGrad", "ActRandom", "ActRows", "CActKernels"]),
        .target(name: "ActReplay", dependencies: ["ActGrad", "CActKernels"]),
        .target(name: "ActRanks", dependencies: ["ActArray", "CActSystem"]),
        .target(name: "ActNetwork", dependencies: ["ActFiles", "ActNeural", "ActRanks"]),
        .target(name: "ActONNX", dependencies: ["ActNetwork"]),
        .target(name: "ActSource", dependencies: ["ActNetwork"], swiftSettings: unhurried),
        .target(name: "ActSyntax", dependencies: ["ActText"]),
        .target(name: "ActPlot", dependencies: ["ActRows", "ActText", "CActSystem"]),
        .target(name: "ActCompiler", dependencies: ["ActArray", "ActRows", "ActSyntax", "CActKernels", "CActMachine"]),
        .target(name: "ActMachine", dependencies: ["ActCompiler", "ActFiles", "ActPlot", "ActRandom", "ActRanks", "ActReplay", "ActSyntax"]),
        .target(name: "ActLayers", dependencies: ["ActMachine", "ActNetwork", "ActSyntax"]),
        .target(name: "ActBuiltins", dependencies: ["ActFormula", "ActLayers", "ActSyntax"]),
        .target(name: "ActWording", dependencies: ["ActBuiltins", "ActONNX", "ActSource", "ActSyntax"], swiftSettings: unhurried),
        .target(name: "ActCheck", dependencies: ["ActWording", "ActSyntax"]),
        .target(name: "ActLanguage", dependencies: ["ActCheck", "ActSyntax", "ActWording"], swiftSettings: unhurried),
        .target(name: "ActExpectations", dependencies: ["ActLanguage", "ActSyntax"], swiftSettings: unhurried),
        .target(name: "ActServer", dependencies: ["ActLanguage", "ActSyntax", "CActSystem"], swiftSettings: unhurried),
        .target(name: "ActJupyter", dependencies: ["ActLanguage", "ActSyntax", "CActSystem"]),
        .target(name: "ActGrammars", dependencies: ["ActLanguage", "ActSyntax"], swiftSettings: unhurried),
        .target(name: "ActKit", dependencies: ["ActLanguage", "ActSyntax", "ActWording"]),
        .target(name: "CLibEdit"),
        .executableTarget(
            name: "act",
            dependencies: [
                "ActExpectations", "ActGrammars", "ActJupyter", "ActServer", "ActLanguage", "ActRows", "ActSyntax", "ActWording", "CActSystem", "CLibEdit",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ], swiftSettings: unhurried),
        .executableTarget(name: "actbench", dependencies: ["ActLanguage", "ActSyntax"]),
        .executableTarget(name: "actfuzz", dependencies: ["ActJupyter", "ActLanguage", "ActONNX", "ActSyntax"]),

        // What a program that is confined can still do: for tests of the sandbox.
        .executableTarget(name: "confined", dependencies: ["CActSystem"], path: "Tests/Confined"),
        .target(name: "ActTestSupport", path: "Tests/ActTestSupport"),
        .testTarget(name: "ActArrayTests", dependencies: ["ActFiles", "ActLinear", "ActOrder", "ActRandom", "ActText", "ActTestSupport"]),
        .testTarget(name: "ActGradTests", dependencies: ["ActGrad", "ActTestSupport"], exclude: ["Reference"]),
        .testTarget(name: "ActNetworkTests", dependencies: ["ActNetwork", "ActTestSupport"], exclude: ["Reference", "make_state_dicts.py"]),
        .testTarget(name: "ActONNXTests", dependencies: ["ActNetwork", "ActONNX", "ActSource", "ActTestSupport"], exclude: ["Reference", "make_models.py"]),
        .testTarget(name: "ActRanksTests", dependencies: ["ActRanks", "ActTestSupport"]),
        .testTarget(name: "ActPlotTests", dependencies: ["ActPlot", "ActText", "ActTestSupport"]),
        .testTarget(name: "ActSyntaxTests", dependencies: ["ActSyntax", "ActTestSupport"]),
        .testTarget(
            name: "ActLanguageTests", dependencies: ["ActExpectations", "ActLanguage", "ActRows", "ActSyntax", "ActTestSupport"], exclude: ["Reference"]),
        .testTarget(name: "ActJupyterTests", dependencies: ["ActJupyter", "ActTestSupport"]),
        .testTarget(name: "ActServerTests", dependencies: ["ActServer", "ActTestSupport"]),
        .testTarget(name: "ActGrammarsTests", dependencies: ["ActGrammars", "ActSyntax", "ActTestSupport"]),
        .testTarget(name: "ActKitTests", dependencies: ["ActKit"]),
        .testTarget(name: "ActCommandTests", dependencies: ["act", "actfuzz", "confined", "ActSyntax", "ActTestSupport"]),
    ],
    swiftLanguageModes: [.v6],
    cLanguageStandard: .c17
)

// ACT_TARGETS="ActArrayTests act" leaves these and what they need: for builds of a kind of their own (.ci/sanitize).
if let targets = Context.environment["ACT_TARGETS"] {
    var needed: Set<String> = []
    func need(_ name: String) {
        guard needed.insert(name).inserted, let target = package.targets.first(where: { $0.name == name }) else { return }
        for case .byNameItem(let name, _) in target.dependencies { need(name) }
    }
    for target in targets.split(separator: " ") { need(String(target)) }
    package.targets.removeAll { !needed.contains($0.name) }
    package.products.removeAll { !needed.contains($0.name) }
}

// What is ready is built in the order in which it became so. These need nothing of the targets beside them, and wait for them so that the targets for
// which most others wait come first: two cores are then busy to the end.
let isBuiltAfter = ["ActPlot": "ActSyntax", "ActFiles": "ActOrder", "ActFormula": "ActMachine"]
for target in package.targets {
    if let other = isBuiltAfter[target.name], package.targets.contains(where: { $0.name == other }) { target.dependencies.append(.byName(name: other)) }
}
