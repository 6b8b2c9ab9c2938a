// A network: layers in order. As a value it is its layers' parameters in a structure; training is arithmetic on them.

import ActArray

package struct Network {
    package var layers: [any Layer]

    package init(_ layers: [any Layer]) { self.layers = layers }

    /// How many networks and functions stand inside one another in it; a layer counts with the network that it is by itself.
    package var nesting: Int32 { layers.reduce(0) { max($0, $1.nesting) } &+ 2 }

    /// How many layers there are, those inside layers included. Every walk over a network takes so many steps.
    package var layerCount: Int { layers.reduce(0) { $0 &+ $1.layerCount } }

    /// As a program would make it.
    package var text: String {
        layers.map { layer in
            let isLiteral = (layer as? FunctionLayer)?.function.isNamed == false
            return isLiteral && layers.count > 1 ? "(\(layer.text))" : layer.text
        }.joined(separator: " >> ")
    }

    /// The parameters of all layers, in order.
    package var parameters: [NDArray] {
        get { layers.flatMap(\.parameters) }
        set {
            var start = 0
            for index in layers.indices {
                let count = layers[index].parameters.count
                guard count > 0, start + count <= newValue.count else { continue }
                layers[index].parameters = Array(newValue[start..<start + count])
                start += count
            }
        }
    }

    /// `0.W`, `0.b`, `1.gamma` …
    package var parameterNames: [String] {
        layers.enumerated().flatMap { index, layer in layer.parameterNames.map { "\(index).\($0)" } }
    }

    /// The states of all layers, in order.
    package var states: [NDArray] {
        get { layers.flatMap(\.state) }
        set {
            var start = 0
            for index in layers.indices {
                let count = layers[index].stateNames.count
                guard count > 0, start + count <= newValue.count else { continue }
                layers[index].state = Array(newValue[start..<start + count])
                start += count
            }
        }
    }

    /// `1.mean`, `1.variance` …
    package var stateNames: [String] {
        layers.enumerated().flatMap { index, layer in layer.stateNames.map { "\(index).\($0)" } }
    }

    /// Gives every layer states of its own: in a network that holds one layer twice they part when it runs.
    package mutating func separateStates() throws { states = try states.map { try $0.renewed() } }

    /// Rows that go through together outside training: enough for matrix products to be quick, few enough that what lies between the
    /// layers needs little memory.
    package static let rowsAtOnce = 256

    /// - Throws: `NetworkError.input` naming the layer that cannot take what it gets.
    package func callAsFunction(_ x: NDArray, _ pass: Pass = Pass()) throws -> NDArray { try array(at: self(.array(x), pass)) }

    /// As the outermost network.
    package func callAsFunction(_ signal: Signal, _ pass: Pass) throws -> Signal {
        guard case .array(let x) = signal else { return try run(signal, pass, isOutermost: true) }
        let isPlain = !pass.isTraining && pass.observer == nil && !x.isTraced && !parameters.contains(where: \.isTraced)
        if isPlain, x.rank > 1, x.shape[0] > Network.rowsAtOnce, layers.allSatisfy(\.actsOnRows) {
            do {
                return .array(
                    try NDArray.concatenated(
                        stride(from: 0, to: x.shape[0], by: Network.rowsAtOnce).map { start in
                            try array(at: run(.array(x.rows(start..<min(x.shape[0], start + Network.rowsAtOnce))), pass, isOutermost: true))
                        }))
            } catch is NetworkError {
                // Again, for a message with the shape of all rows.
            }
        }
        return try run(signal, pass, isOutermost: true)
    }

    /// As a part of what a layer does.
    package func inner(_ x: Signal, _ pass: Pass) throws -> Signal { try run(x, pass, isOutermost: false) }
    func inner(_ x: NDArray, _ pass: Pass) throws -> NDArray { try array(at: run(.array(x), pass, isOutermost: false)) }

    private func run(_ x: Signal, _ pass: Pass, isOutermost: Bool) throws -> Signal {
        var value = x
        for (position, layer) in layers.enumerated() {
            do {
                value = try isOutermost ? pass.at(position) { try layer(value, pass) } : layer(value, pass)
            } catch NetworkError.notAnArray(let text, nil, nil, let found) {
                guard position > 0 else { throw NetworkError.notAnArray(layer: text, position: position, before: nil, found: found) }
                throw layers[position - 1].misfit(value, before: layer, at: position, pass)
            } catch let error as NetworkError {
                throw error.at(position, layer, isOutermost: isOutermost)
            }
            if isOutermost, let observer = pass.observer { value = try observer(position, value) }
        }
        return value
    }

    /// `layer 2, Dense(512, 10)`
    package func name(of position: Int) -> String {
        layers.indices.contains(position) ? "layer \(position), \(layers[position].text)" : "layer \(position)"
    }
}

extension NDArray {
    /// A view of some rows.
    package func rows(_ range: Range<Int>) throws -> NDArray {
        try sliced([SliceRange(start: range.lowerBound, step: 1, count: range.count)] + shape.dropFirst().map { SliceRange(start: 0, step: 1, count: $0) })
    }
}
