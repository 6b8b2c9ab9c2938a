// A layer: a function with parameters. Layers are values; what a pass through them changes (running statistics) is handed back by the
// pass, so that the same layer can run anywhere at once.

import ActArray
import ActRandom
import ActRows

package protocol Layer {
    /// What it was made with, and the name of the row that makes it.
    var settings: LayerSettings { get }
    /// The element type it computes in; `nil` for a layer without parameters, which takes what it gets.
    var type: ElementType? { get }

    /// What training changes.
    var parameterNames: [String] { get }
    var parameters: [NDArray] { get set }
    /// Which of them training changes.
    var trains: [Bool] { get }
    /// What passes in training mode gather: not touched by gradients.
    var stateNames: [String] { get }
    var state: [NDArray] { get set }
    /// The networks inside, by name; their parameters are the layer's.
    var parts: [(name: String, network: Network)] { get set }
    /// The layer without what freezes it.
    var bare: any Layer { get set }
    /// The same with everything in it trained.
    func thawed() throws -> any Layer
    /// Made by a `layer` of the program, whose name is the kind in its settings.
    var isOfProgram: Bool { get }
    /// As a program would make it: `Dense(784, 512, relu)`.
    var text: String { get }
    /// What all copies of a layer share, where there is such a thing: those with the same were made alike.
    var origin: AnyObject? { get }
    /// What it is, for writers of other systems' words.
    var form: LayerForm { get }

    /// The shape of one input without the batch axis, where the layer knows it.
    var inputShape: [Int]? { get }
    /// The length of the rows that it takes, whatever stands before them, where the layer knows it.
    var inputWidth: Int? { get }
    /// The length of the rows that it makes.
    var width: Width { get }
    /// Of a layer whose weights begin as a setting says: how.
    var initializer: Initializer? { get }

    /// Whether a pass does nothing but compute of the input and the parameters.
    var isPure: Bool { get }
    /// Whether what it makes of a row, outside training, depends on that row alone. Of functions of the program nobody knows.
    var actsOnRows: Bool { get }
    /// Of a layer that takes another number of inputs than one: their names.
    var inputNames: [String] { get }

    /// How many networks and functions stand inside one another in it.
    var nesting: Int32 { get }
    /// How many layers it is, those inside it counted each time that they stand there.
    var layerCount: Int { get }

    /// - Throws: `NetworkError.input` where the layer cannot take `x`.
    func callAsFunction(_ x: NDArray, _ pass: Pass) throws -> NDArray
    /// - Throws: `NetworkError.notAnArray` where the layer takes arrays alone.
    func callAsFunction(_ x: Signal, _ pass: Pass) throws -> Signal
    /// Whether it takes and gives other things than arrays too.
    var isOpen: Bool { get }
    func misfit(_ output: Signal, before next: any Layer, at position: Int, _ pass: Pass) -> any Error
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
    package var parts: [(name: String, network: Network)] {
        get { [] }
        set {}
    }
    package var isOfProgram: Bool { false }
    package var origin: AnyObject? { nil }
    package var isOpen: Bool { false }
    package var inputNames: [String] { ["x"] }
    package var trains: [Bool] { Array(repeating: true, count: parameterNames.count) }
    package var bare: any Layer {
        get { self }
        set { if let layer = newValue as? Self { self = layer } }
    }
    package func thawed() throws -> any Layer { self }
    package var inputShape: [Int]? { nil }
    package var inputWidth: Int? { inputShape.flatMap { $0.count == 1 ? $0[0] : nil } }
    package var width: Width { .unknown }
    package var initializer: Initializer? { nil }

    package var nesting: Int32 { settings.functions.reduce(0) { max($0, $1.nesting) } }
    package var layerCount: Int { 1 }

    package var text: String {
        var parts: [String] = [], isPositional = true
        for ((name, value), parameter) in zip(settings.said, settings.parameters) {
            // The element type and flags go by their names wherever they stand, and so does what follows any number of arguments.
            if name == "dtype" || parameter.kind == .flag { isPositional = false }
            if parameter.isVariadic {
                if case .list(let elements)? = value { parts += elements.map(\.text) }
                isPositional = false
            } else if let value {
                parts.append(isPositional ? value.text : "\(name)=\(value.text)")
            } else {
                isPositional = false
            }
        }
        return "\(settings.kind)(\(parts.joined(separator: ", ")))"
    }

    package var isPure: Bool {
        !isOfProgram && state.isEmpty && settings.functions.allSatisfy { $0.row != nil } && settings.networks.allSatisfy { $0.layers.allSatisfy(\.isPure) }
    }

    package var actsOnRows: Bool {
        !isOfProgram && settings.functions.allSatisfy { $0.row != nil } && settings.networks.allSatisfy { $0.layers.allSatisfy(\.actsOnRows) }
    }

    func unfit(_ x: NDArray, needs: InputNeed) -> NetworkError { .input(layer: text, position: nil, needs: needs, shape: x.shape) }

    /// Where it is not the shape that is wrong, or not alone.
    func unfit(_ needs: InputNeed) -> NetworkError { .input(layer: text, position: nil, needs: needs, shape: nil) }
}

/// The length of the rows that a layer makes, as far as that is known before an input is.
package enum Width {
    case of(Int)
    /// That of the rows that it takes.
    case same
    case unknown
}

package indirect enum Setting {
    case none
    case number(Double)
    case text(String)
    case flag(Bool)
    case function(NamedFunction)
    case network(Network)
    // Of layers of the program's own:
    case layer(any Layer)
    case array(NDArray, text: String)
    case list([Setting])
    case record([(name: String, value: Setting)])
    /// What no file holds, with its kind in words.
    case other(String)

    package var text: String {
        switch self {
        case .none: "none"
        case .number(let number): Default.text(number)
        case .text(let text): Default.text(text)
        case .flag(let flag): Default.text(flag)
        case .function(let function): function.name
        case .network(let network): network.text
        case .layer(let layer): layer.text
        case .array(_, let text): text
        case .list(let elements): elements.count == 1 ? "(\(elements[0].text),)" : "(\(elements.map(\.text).joined(separator: ", ")))"
        case .record(let fields): "{\(fields.map { "\($0.name): \($0.value.text)" }.joined(separator: ", "))}"
        case .other(let kind): kind
        }
    }

    /// How many functions stand inside one another in it.
    var nesting: Int32 {
        switch self {
        case .function(let function): function.nesting
        case .network(let network): network.nesting
        case .layer(let layer): layer.nesting &+ 2
        case .list(let elements): elements.reduce(0) { max($0, $1.nesting) } &+ 1
        case .record(let fields): fields.reduce(0) { max($0, $1.value.nesting) } &+ 1
        default: 0
        }
    }
}

/// One run through layers: whether they train, what they draw, what they gather.
package final class Pass {
    package let isTraining: Bool
    package var random: RandomSource
    /// What has become of states. Passes inside of this one share it.
    private let gathered: GatheredStates
    /// The layer of the outermost network that runs.
    package fileprivate(set) var position: Int?
    /// Sees the output of each layer of the outermost network, and may put another in its place.
    package var observer: ((_ position: Int, _ output: Signal) throws -> Signal)?

    /// - Parameter outer: The pass that this one is a part of.
    package init(isTraining: Bool = false, random: RandomSource = RandomSource(seed: 0), inside outer: Pass? = nil) {
        self.isTraining = isTraining
        self.random = random
        gathered = outer?.gathered ?? GatheredStates()
    }

    /// What a state is after what has run: a layer that runs twice goes on from its first run.
    package func latest(_ state: NDArray) -> NDArray { gathered.latest[state.identity]?.new ?? state }

    /// - Parameter state: As the layer holds it.
    package func gather(_ new: NDArray, for state: NDArray) { gathered.latest[state.identity] = (state, new) }

    /// The states of a network after what has run, which is forgotten.
    package func takeStates(of states: [NDArray]) -> [NDArray] {
        guard !gathered.latest.isEmpty else { return states }
        defer { gathered.latest = [:] }
        return states.map(latest)
    }

    /// Runs `body` as the layer at a position of the outermost network.
    package func at<Result>(_ position: Int, _ body: () throws -> Result) rethrows -> Result {
        self.position = position
        return try body()
    }
}

/// New states by the arrays that they take the place of. (Layers hold states of their own: no two share an array while they run.)
private final class GatheredStates {
    var latest: [ObjectIdentifier: (old: NDArray, new: NDArray)] = [:]
}
