// Layers that are made of networks side by side: Residual adds what a network makes to its input, Branch joins what several make of it.
//
// What must stay true: the parameters and states of the layer are those of its parts, one part after the other.

import ActArray
import ActRows

package struct Compound: Layer {
    package enum Join: String, Choice {
        case concat, sum, product
    }

    private enum Way {
        /// x + f(x)
        case residual(Input<Network>)
        /// What the parts make of x, joined; side by side along an axis, that of channels where none is given.
        case branch(Input<[Network]>, Join, axis: Int?)
    }

    private let way: Way
    private let made: LayerSettings
    package var parts: [(name: String, network: Network)] { didSet { measure() } }
    // Known once for all: layers that stand inside one another would each ask the ones below again.
    package private(set) var type: ElementType?
    package private(set) var nesting: Int32 = 0
    package private(set) var layerCount = 1

    private init(_ settings: LayerSettings, _ way: Way, _ parts: [(name: String, network: Network)]) {
        (made, self.way, self.parts) = (settings, way, parts)
        measure()
    }

    fileprivate init(_ settings: LayerSettings, residual input: Input<Network>) throws {
        self.init(settings, .residual(input), [("f", try settings[input])])
    }

    fileprivate init(_ settings: LayerSettings, branch input: Input<[Network]>, _ join: Join, axis: Int?) throws {
        self.init(settings, .branch(input, join, axis: axis), try settings[input].enumerated().map { ("f\($0)", $1) })
    }

    private mutating func measure() {
        type = nil
        for part in parts { for layer in part.network.layers where type == nil { type = layer.type } }
        nesting = parts.reduce(0) { max($0, $1.network.nesting) }
        layerCount = 1 + parts.reduce(0) { $0 + $1.network.layerCount }
    }

    package var settings: LayerSettings {
        switch way {
        case .residual(let input): made.replacing(input, with: .network(parts[0].network))
        case .branch(let input, _, _): made.replacing(input, with: .list(parts.map { .network($0.network) }))
        }
    }
    package var form: LayerForm {
        switch way {
        case .residual: .residual(parts[0].network)
        case .branch(_, let join, let axis): .branch(parts.map(\.network), join, axis: axis)
        }
    }
    package var width: Width { if case .residual = way { .same } else { joinedWidth } }
    package var inputShape: [Int]? { first(\.inputShape) }
    package var inputWidth: Int? { first(\.inputWidth) }

    /// What the first part says that knows. (A lazy `compactMap` would ask it twice, and it those inside it.)
    private func first<T>(_ knowledge: (any Layer) -> T?) -> T? {
        for part in parts {
            if let layer = part.network.layers.first, let known = knowledge(layer) { return known }
        }
        return nil
    }

    package var parameterNames: [String] { parts.flatMap { part in part.network.parameterNames.map { "\(part.name).\($0)" } } }
    package var parameters: [NDArray] {
        get { parts.flatMap(\.network.parameters) }
        set { distribute(newValue, \.parameters) }
    }
    package var trains: [Bool] { parts.flatMap(\.network.trains) }
    package func thawed() throws -> any Layer { Compound(made, way, try parts.map { ($0.name, try $0.network.thawed()) }) }
    package var stateNames: [String] { parts.flatMap { part in part.network.stateNames.map { "\(part.name).\($0)" } } }
    package var state: [NDArray] {
        get { parts.flatMap(\.network.states) }
        set { distribute(newValue, \.states) }
    }

    /// Gives each part as many arrays as it has.
    private mutating func distribute(_ arrays: [NDArray], _ path: WritableKeyPath<Network, [NDArray]>) {
        var rest = arrays[...], changed = parts
        for index in changed.indices {
            let count = changed[index].network[keyPath: path].count
            guard count <= rest.count else { return }
            changed[index].network[keyPath: path] = Array(rest.prefix(count))
            rest = rest.dropFirst(count)
        }
        parts = changed
    }

    package func callAsFunction(_ x: NDArray, _ pass: Pass) throws -> NDArray {
        let x = try type.map { try x.converted(to: $0) } ?? x
        let results = try parts.map { part in
            do { return try part.network.inner(x, pass) } catch let error as NetworkError {
                throw error.inPart(part.name, isAlone: part.network.layers.count == 1)
            }
        }
        switch way {
        case .residual:
            guard results[0].shape == x.shape else {
                throw unfit(.sameShape(x.shape, results[0].shape))
            }
            return try x + results[0]
        case .branch(_, .concat, let axis): return try side(by: results, axis)
        case .branch(_, .sum, _): return try joined(results) { try $0 + $1 }
        case .branch(_, .product, _): return try joined(results) { try $0 * $1 }
        }
    }

    // MARK: Branches

    private func joined(_ results: [NDArray], _ join: (NDArray, NDArray) throws -> NDArray) throws -> NDArray {
        for result in results where result.shape != results[0].shape { throw apart(results) }
        return try results.dropFirst().reduce(results[0]) { try join($0, $1) }
    }

    /// Along the channels: axis 1 of images, else the last one.
    private func side(by results: [NDArray], _ axis: Int?) throws -> NDArray {
        let rank = results[0].rank, position = axis ?? (rank == 4 ? 1 : -1)
        guard rank > 0, results.allSatisfy({ $0.rank == rank }) else { throw apart(results) }
        guard position >= -rank, position < rank else {
            throw unfit(.axisOfResults(position, rank: rank))
        }
        let joint = position < 0 ? position + rank : position
        guard joint > 0 || rank == 1 else { throw unfit(.axisBesideRows) }
        for result in results { for other in 0..<rank where other != joint && result.shape[other] != results[0].shape[other] { throw apart(results) } }
        return try NDArray.concatenated(results, axis: joint)
    }

    private func apart(_ results: [NDArray]) -> NetworkError { unfit(.fittingParts(results.map(\.shape))) }

    /// Known where it does not depend on the rank of what comes: side by side only along an axis that was given.
    private var joinedWidth: Width {
        guard case .branch(_, let join, let axis) = way, join != .concat || axis == -1 else { return .unknown }
        var total = 0
        for part in parts {
            guard case .of(let width) = part.network.width else { return .unknown }
            if join != .concat { return .of(width) }
            total += width
        }
        return .of(total)
    }
}

extension LayerRows {
    static let compoundRows: [LayerRow] = [
        LayerRow(
            "Residual", "x + f(x): a way around a layer, a network or a function that keeps the shape",
            example: "Residual(x -> 2 * x)([1, 2])   # [3, 6]"
        ) { takes in
            let f = takes.network("f")
            return { settings, _ in try Compound(settings, residual: f) }
        },
        LayerRow(
            "Branch", "what several layers, networks or functions make of the same input, joined",
            details:
                "`join` is \"concat\" (side by side along the last axis, of images along the channels, or along `axis`), \"sum\" or \"product\". Its parts are the fields `f0`, `f1` …",
            example: "Branch(relu, x -> 10 * x)([-1, 2])   # [0, 2, -10, 20]\nBranch(tanh, sigmoid, join=\"product\")([0])   # [0]"
        ) { takes in
            let parts = takes.networks("f"), join = takes.choice("join", default: Compound.Join.concat), axis = takes.wholeOrNone("axis", .within(-64...63))
            return { settings, _ in
                guard try !settings[parts].isEmpty else {
                    throw NetworkError.setting(owner: "Branch", name: "f", .noPart)
                }
                return try Compound(settings, branch: parts, settings[join], axis: settings[axis])
            }
        },
    ]
}
