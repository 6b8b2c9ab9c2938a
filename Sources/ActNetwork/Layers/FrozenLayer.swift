// A layer whose parameters training leaves alone. All else is as without it; statistics are gathered.

import ActArray

package struct FrozenLayer: Layer {
    package var bare: any Layer

    init(_ layer: any Layer) { bare = layer }

    package var settings: LayerSettings { bare.settings }
    package var form: LayerForm { bare.form }
    package var width: Width { bare.width }
    package var initializer: Initializer? { bare.initializer }
    package var type: ElementType? { bare.type }
    package var parameterNames: [String] { bare.parameterNames }
    package var parameters: [NDArray] {
        get { bare.parameters }
        set { bare.parameters = newValue }
    }
    package var trains: [Bool] { Array(repeating: false, count: bare.parameterNames.count) }
    package var stateNames: [String] { bare.stateNames }
    package var state: [NDArray] {
        get { bare.state }
        set { bare.state = newValue }
    }
    package var parts: [(name: String, network: Network)] {
        get { bare.parts }
        set { bare.parts = newValue }
    }
    package var isOfProgram: Bool { bare.isOfProgram }
    package var isOpen: Bool { bare.isOpen }
    package var isPure: Bool { bare.isPure }
    package var actsOnRows: Bool { bare.actsOnRows }
    package var inputNames: [String] { bare.inputNames }
    package var text: String { "freeze(\(bare.text))" }
    package var inputShape: [Int]? { bare.inputShape }
    package var inputWidth: Int? { bare.inputWidth }
    package var nesting: Int32 { bare.nesting }
    package var layerCount: Int { bare.layerCount }

    package func callAsFunction(_ x: NDArray, _ pass: Pass) throws -> NDArray { try bare(x, pass) }
    package func callAsFunction(_ x: Signal, _ pass: Pass) throws -> Signal { try bare(x, pass) }
    package func misfit(_ output: Signal, before next: any Layer, at position: Int, _ pass: Pass) -> any Error {
        bare.misfit(output, before: next, at: position, pass)
    }
    package func thawed() throws -> any Layer { try bare.thawed() }
}

extension Network {
    package func frozen() -> Network {
        Network(layers.map { $0 is FrozenLayer || $0.parameterNames.isEmpty ? $0 : FrozenLayer($0) })
    }

    package func thawed() throws -> Network { Network(try layers.map { try $0.thawed() }) }
}
