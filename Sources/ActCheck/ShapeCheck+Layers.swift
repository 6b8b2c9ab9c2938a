// Layers before the program runs. Each is made by the row that makes it then, and takes arrays that have a shape and no elements (a run for shapes, see
// `AbstractRun`), so that what it says of them here is what it will say.
//
// What must stay true: what is told follows from sizes that are all known. Where one is not, two others are tried in its place, and a size of the
// result is known if both give it.

import ActArray
import ActBuiltins
import ActMachine
import ActNetwork
import ActRandom
import ActRows
import ActSyntax

/// Layers one after the other.
struct Layers {
    struct Part {
        let layer: any Layer
        /// Of a function that is not an activation: which.
        var function: ShapeValue?
    }

    var parts: [Part]
    /// A network, be it of one layer.
    var isChain = false

    var text: String { Network(parts.map(\.layer)).text }
}

extension ShapeCheck {
    /// The layer that a call makes.
    /// - Returns: `nil` where the built-in makes none.
    func layer(of call: ShapeCall) throws -> ShapeValue? {
        guard call.row.topic == .networks, let row = LayerRows.named(call.row.name) else { return nil }
        var settings: [String: Setting] = [:]
        for (parameter, value) in zip(call.parameters, call.given) {
            let found: Setting?
            if parameter.isVariadic {
                let parts = call.rest.compactMap { setting($0, parameter) }
                found = parts.count == call.rest.count ? .list(parts) : nil
            } else if let value {
                found = setting(value, parameter)
            } else if parameter.fallback != nil {
                continue
            } else {
                found = nil
            }
            guard let found else { return .unknown }
            settings[parameter.name] = found
        }
        var random = RandomSource(seed: 0)
        do {
            let layer = try AbstractRun(for: .shapes).run { try row.make(settings, &random) }
            return .layer(Layers(parts: [Layers.Part(layer: layer)]))
        } catch let error as NetworkError {
            throw ShapeFault.other(error)
        } catch {
            return .unknown
        }
    }

    /// A value as a setting of a layer; `nil` if it is not known, or none.
    private func setting(_ value: ShapeValue, _ parameter: Parameter) -> Setting? {
        switch value {
        case .number, .size:
            guard let number = value.number else { return nil }
            return parameter.kind == .flag ? .flag(number != 0) : .number(number)
        case .text(let text): return text.map { .text($0) }
        case .list(let elements) where parameter.kind == .sizes:
            let settings = elements.compactMap { setting($0, parameter) }
            return settings.count == elements.count ? .list(settings) : nil
        case .builtin(let function) where parameter.kind == .elementType: return .text(function.name)
        case .layer, .builtin, .function:
            guard let parts = parts(value) else { return nil }
            if parameter.kind != .network, parts.count == 1, let function = parts[0].layer as? FunctionLayer { return .function(function.function) }
            return .network(Network(parts.map(\.layer)))
        default: return nil
        }
    }

    /// A function as layers; `nil` for other values, and for what becomes layers when it is called.
    private func parts(_ value: ShapeValue) -> [Layers.Part]? {
        // What it gives is for `pass` to find; as a part of a layer it gives what nobody knows.
        func opaque(_ name: String) -> [Layers.Part] {
            [Layers.Part(layer: FunctionLayer(NamedFunction(name: name, isNamed: false) { _ in throw ElementsUnknown() }), function: value)]
        }
        switch value {
        case .layer(let layers): return layers.parts
        case .builtin(let function):
            if let row = function.row.activation { return [Layers.Part(layer: FunctionLayer(NamedFunction(row)))] }
            return LayerRows.named(function.name) == nil ? opaque(function.name) : nil
        case .function(let function):
            let node = tree[function]
            return opaque(node.name.map { tree[$0] } ?? tree.source.text(node.span))
        default: return nil
        }
    }

    /// `a >> b`, where one of them is a layer.
    func composed(_ a: ShapeValue, _ b: ShapeValue) throws -> ShapeValue {
        switch (a, b) {
        case (.layer, _), (_, .layer): break
        default: return .unknown
        }
        guard let first = parts(a), let last = parts(b) else { return .unknown }
        let joined = Layers(parts: first + last, isChain: true), network = Network(joined.parts.map(\.layer))
        guard network.layerCount <= Self.mostLayers else { return .unknown }
        do { try network.checkWidths() } catch { throw ShapeFault.other(error) }
        return .layer(joined)
    }

    /// What layers give of a value.
    mutating func pass(_ value: ShapeValue, through layers: Layers, at id: ExpressionID) -> ShapeValue {
        var value = value
        for (position, part) in layers.parts.enumerated() {
            if let function = part.function {
                value = call(function, [(nil, value)], at: id, [])
            } else if case .array(let shape) = value {
                value = result(at: id) { .of(try Self.sizes(of: part.layer, shape, position: layers.isChain ? position : nil)) }
            } else {
                return .unknown
            }
        }
        return value
    }

    private static func sizes(of layer: any Layer, _ shape: [Size?], position: Int?) throws -> [Size?] {
        func sizes(_ shape: [Int]) throws -> [Int] {
            try AbstractRun(for: .shapes).run { try layer(NDArray.full(0, shape: shape, type: .f32), Pass()).shape }
        }
        let known = shape.compactMap { $0?.number }
        if known.count == shape.count {
            do { return try sizes(known).map { Size($0) } } catch let error as NetworkError {
                throw ShapeFault.other(position.map { error.at($0, layer, isOutermost: true) } ?? error)
            } catch {
                throw NothingKnown()
            }
        }
        let small = shape.indices.map { shape[$0]?.number ?? 1009 &+ 10 &* $0 }, large = shape.indices.map { shape[$0]?.number ?? 1 << 16 &+ 14 &* $0 }
        guard let first = try? sizes(small), let second = try? sizes(large), first.count == second.count else { throw NothingKnown() }
        return zip(first, second).map { a, b in
            if let axis = shape.indices.first(where: { shape[$0]?.number == nil && small[$0] == a && large[$0] == b }) { return shape[axis] }
            return a == b ? Size(a) : nil
        }
    }
}

/// An operation gives what nobody knows.
private struct NothingKnown: Error {}
