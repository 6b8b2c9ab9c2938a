// A layer: a function with parameters. Layers are values; what a pass through them changes (running statistics) is handed back by the
// pass, so that the same layer can run anywhere at once.

import ActArray
import ActRows

package protocol Layer {
    /// What it was made with, and the name of the row that makes it.
    var settings: LayerSettings { get }
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
    /// The length of the rows that it makes.
    var width: Width { get }
    /// Of a layer whose weights begin as a setting says: how.
    var initializer: Initializer? { get }

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
    package var width: Width { .unknown }
    package var initializer: Initializer? { nil }

    package var nesting: Int32 { settings.functions.reduce(0) { max($0, $1.nesting) } }
    package var layerCount: Int { 1 }

    /// As a program would make it: `Dense(784, 512, relu)`.
    package var text: String {
        if let function = self as? FunctionLayer { return function.function.name }
        var parts: [String] = [], isPositional = true
        for (name, value) in settings.said {
            if let value {
                parts.append(isPositional ? value.text : "\(name)=\(value.text)")
            } else {
                isPositional = false
            }
        }
        return "\(settings.kind)(\(parts.joined(separator: ", ")))"
    }

    /// Whether what it makes of a row, outside training, depends on that row alone. Of functions of the program nobody knows.
    var actsOnRows: Bool {
        settings.functions.allSatisfy { $0.row != nil } && settings.networks.allSatisfy { $0.layers.allSatisfy(\.actsOnRows) }
    }

    /// What a layer needs that reads rows of so many numbers.
    func columns(_ count: Int) -> String { count == 1 ? "1 column" : "\(count) columns" }

    func unfit(_ x: NDArray, needs: String) -> NetworkError { .input(layer: text, position: nil, needs: needs, shape: x.shape) }
}

/// The length of the rows that a layer makes, as far as that is known before an input is.
package enum Width {
    case of(Int)
    /// That of the rows that it takes.
    case same
    case unknown
}

package enum Setting {
    case number(Double)
    case text(String)
    case flag(Bool)
    case function(NamedFunction)
    case network(Network)

    package var text: String {
        switch self {
        case .number(let number): Default.text(number)
        case .text(let text): Default.text(text)
        case .flag(let flag): Default.text(flag)
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
