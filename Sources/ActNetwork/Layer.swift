// A layer: a function with parameters. Layers are values; what a pass through them changes (running statistics) is handed back by the
// pass, so that the same layer can run anywhere at once.

import ActArray

package protocol Layer {
    /// The name of the row that makes it: `Dense`.
    var kind: String { get }
    /// What it was made with, in the order of the row's parameters.
    var settings: [LayerSetting] { get }
    /// The element type it computes in; `nil` for a layer without parameters, which takes what it gets.
    var type: ElementType? { get }

    /// What training changes.
    var parameterNames: [String] { get }
    var parameters: [NDArray] { get set }
    /// What passes in training mode gather: not touched by gradients.
    var stateNames: [String] { get }
    var state: [NDArray] { get set }
    /// The network inside; its parameters are the layer's.
    var inner: Network? { get set }

    /// The shape of one input without the batch axis, where the layer knows it.
    var inputShape: [Int]? { get }

    /// How many networks and functions stand inside one another in it.
    var nesting: Int32 { get }
    /// How many layers it is, those inside it counted each time that they stand there.
    var layerCount: Int { get }

    /// - Throws: `NetworkError.input` where the layer cannot take `x`.
    func callAsFunction(_ x: NDArray, _ pass: Pass) throws -> NDArray
}

extension Layer {
    package var type: ElementType? { nil }
    package var parameterNames: [String] { [] }
    package var parameters: [NDArray] {
        get { [] }
        set {}
    }
    package var stateNames: [String] { [] }
    package var state: [NDArray] {
        get { [] }
        set {}
    }
    package var inner: Network? {
        get { nil }
        set {}
    }
    package var inputShape: [Int]? { nil }

    package var nesting: Int32 {
        settings.reduce(0) { deepest, setting in
            if case .function(let function) = setting.value { max(deepest, function.nesting) } else { deepest }
        }
    }
    package var layerCount: Int { 1 }

    /// As a program would make it: `Dense(784, 512, relu)`.
    package var text: String {
        if let function = self as? FunctionLayer { return function.function.name }
        var parts: [String] = [], isPositional = true
        for setting in settings {
            if setting.isDefault {
                isPositional = false
            } else {
                parts.append(isPositional ? setting.value.text : "\(setting.name)=\(setting.value.text)")
            }
        }
        return "\(kind)(\(parts.joined(separator: ", ")))"
    }

    /// Whether what it makes of a row, outside training, depends on that row alone. Of functions of the program nobody knows.
    var actsOnRows: Bool {
        settings.allSatisfy { setting in
            switch setting.value {
            case .function(let function): function.row != nil || function.name == "identity"
            case .network(let network): network.layers.allSatisfy(\.actsOnRows)
            default: true
            }
        }
    }

    /// What a layer needs that reads rows of so many numbers.
    func columns(_ count: Int) -> String { count == 1 ? "1 column" : "\(count) columns" }

    func unfit(_ x: NDArray, needs: String) -> NetworkError { .input(layer: text, position: nil, needs: needs, shape: x.shape) }
}

/// One thing that a layer was made with.
package struct LayerSetting {
    package let name: String
    package let value: Setting
    /// Need not be said.
    package let isDefault: Bool

    init(_ name: String, _ value: Setting, isDefault: Bool = false) {
        self.name = name
        self.value = value
        self.isDefault = isDefault
    }
}

package enum Setting {
    case number(Double)
    case text(String)
    case flag(Bool)
    case function(NamedFunction)
    case network(Network)

    static func whole(_ number: Int) -> Setting { .number(Double(number)) }

    package var text: String {
        switch self {
        case .number(let number): number == number.rounded() && abs(number) < 1e15 ? String(Int(number)) : "\(number)"
        case .text(let text): "\"\(text)\""
        case .flag(let flag): flag ? "true" : "false"
        case .function(let function): function.name
        case .network(let network): network.text
        }
    }
}

/// One run through layers: whether they train, what they draw, what they gather.
package final class Pass {
    package let isTraining: Bool
    package var random: RandomSource
    /// The new state of each layer that has some, in the order in which they ran.
    package private(set) var states: [[NDArray]] = []
    /// Sees the output of each layer of the outermost network, and may put another in its place.
    package var observer: ((_ position: Int, _ output: NDArray) throws -> NDArray)?

    package init(isTraining: Bool = false, random: RandomSource = RandomSource(seed: 0)) {
        self.isTraining = isTraining
        self.random = random
    }

    func gather(_ state: [NDArray]) { states.append(state) }

    /// The new states, which are forgotten.
    func takeStates() -> [[NDArray]] {
        defer { states = [] }
        return states
    }
}
