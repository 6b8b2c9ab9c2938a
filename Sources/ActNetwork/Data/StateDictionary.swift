// State dictionaries of PyTorch, read into a network that is there: modules (`0.weight` and `0.bias`, `encoder.norm1.running_mean`) find their layers
// by what they hold and by their order.
//
// A module has PyTorch's names and shapes; a layer says what it wants under these names, and how each array is turned. What must stay true: an array
// goes where only it can go. Where two modules could change places, the numbers in their names alone tell which comes first; names that differ
// otherwise are refused, for a file does not keep the order in which modules were made. (Names and shapes: pytorch.org/docs/stable/nn.html.)

import ActArray

/// How a state dictionary and a network differ.
package enum StateMisfit: Equatable, Sendable {
    /// A layer, by its own names, for which no module is left; with what it wants under PyTorch's names.
    case layer(String, wants: [Entry])
    /// A module for which no layer is left.
    case module(String, holds: [Entry])
    /// Modules that could change places.
    case unclear([String], layers: [String])

    package struct Entry: Equatable, Sendable {
        package let name: String
        package let shape: [Int]

        package init(name: String, shape: [Int]) { (self.name, self.shape) = (name, shape) }
    }
}

/// Some arrays of a network that belong together, and what they are called there and in PyTorch.
private struct Holder {
    struct Wish {
        let own: String
        let name: String
        /// In PyTorch's shape.
        let shape: [Int]
        let isTurned: Bool
    }

    /// `0`, `5.f.0`
    let path: String
    let wishes: [Wish]

    /// - Parameters:
    ///   - arrays: The network's arrays of this path, by their last names.
    ///   - kind: The kind of the layer where it is known.
    init?(_ path: String, _ arrays: [(name: String, array: NDArray)], kind: String?) {
        self.path = path
        let rank = arrays.first { $0.name == "W" }?.array.rank ?? 0, names = Set(arrays.map(\.name))
        let isTable = kind == "Embedding" || kind == "Positions"
        var wishes: [Wish] = []
        for (own, array) in arrays {
            let name: String, isTurned: Bool
            switch own {
            case "W" where names.contains("U"): (name, isTurned) = ("weight_ih", true)
            case "b" where names.contains("U"): (name, isTurned) = ("bias_ih", false)
            case "U": (name, isTurned) = ("weight_hh", true)
            case "bU": (name, isTurned) = ("bias_hh", false)
            case "W" where names.contains("Wo"): (name, isTurned) = ("in_proj_weight", true)
            case "b" where names.contains("Wo"): (name, isTurned) = ("in_proj_bias", false)
            case "Wo": (name, isTurned) = ("out_proj.weight", true)
            case "bo": (name, isTurned) = ("out_proj.bias", false)
            case "W": (name, isTurned) = ("weight", rank == 2 && !isTable)
            case "b": (name, isTurned) = ("bias", false)
            case "gamma", "alpha": (name, isTurned) = ("weight", false)
            case "beta": (name, isTurned) = ("bias", false)
            case "mean": (name, isTurned) = ("running_mean", false)
            case "variance": (name, isTurned) = ("running_var", false)
            default: return nil
            }
            if isTurned && array.rank != 2 { return nil }
            wishes.append(
                Wish(own: path.isEmpty ? own : "\(path).\(own)", name: name, shape: isTurned ? array.shape.reversed() : array.shape, isTurned: isTurned))
        }
        self.wishes = wishes
    }

    var entries: [StateMisfit.Entry] { wishes.map { StateMisfit.Entry(name: $0.name, shape: $0.shape) } }

    func takes(_ module: Module) -> Bool { wishes.count == module.arrays.count && wishes.allSatisfy { module.arrays[$0.name]?.shape == $0.shape } }
}

/// Arrays of a file whose names have a beginning in common.
private struct Module {
    let path: String
    var arrays: [String: NDArray] = [:]

    /// What the name has beside numbers: equal ones come in the order of their numbers.
    var stem: [Substring] { path.split(whereSeparator: \.isNumber) }

    var entries: [StateMisfit.Entry] { arrays.sorted { $0.key < $1.key }.map { StateMisfit.Entry(name: $0.key, shape: $0.value.shape) } }

    /// The beginning of an array's name and the rest; of recurrent layers the number of the layer belongs to the beginning.
    static func parts(_ name: String) -> (path: String, name: String) {
        let pieces = name.split(separator: ".", omittingEmptySubsequences: false)
        let last = String(pieces[pieces.count - 1]), before = pieces.dropLast()
        for kind in ["weight_ih", "weight_hh", "bias_ih", "bias_hh"] where last.hasPrefix(kind + "_l") {
            return ((before + [last.dropFirst(kind.count + 1)]).joined(separator: "."), kind)
        }
        if before.last == "out_proj" { return (before.dropLast().joined(separator: "."), "out_proj.\(last)") }
        return (before.joined(separator: "."), last)
    }

    /// Whether it comes before another one: by the parts of the names, numbers as numbers.
    func precedes(_ other: Module) -> Bool {
        for (a, b) in zip(path.split(separator: "."), other.path.split(separator: ".")) where a != b {
            let (left, right) = (Self.split(a), Self.split(b))
            if left.text == right.text, left.number != right.number { return left.number < right.number }
            return a < b
        }
        return path.utf8.count < other.path.utf8.count
    }

    /// `norm10` as `norm` and 10.
    private static func split(_ part: Substring) -> (text: Substring, number: Int) {
        let text = part.prefix { !$0.isNumber }
        return (text, Int(part.dropFirst(text.count)) ?? -1)
    }
}

extension Network {
    /// The arrays of a state dictionary under this network's own names.
    /// - Returns: `nil` where it is none: act wrote it, or some of its names are this network's own.
    /// - Throws: `NetworkError.checkpoint` with everything that does not fit.
    func namedAsHere(_ content: Safetensors.Content, path: String) throws -> [(name: String, array: NDArray)]? {
        let own = Set(parameterNames + stateNames)
        guard content.metadata[Network.metadataName] == nil, !content.arrays.isEmpty, !content.arrays.contains(where: { own.contains($0.name) }) else {
            return nil
        }
        // How often statistics were gathered: of no use here.
        let arrays = content.arrays.filter { !$0.name.hasSuffix("num_batches_tracked") }
        if let same = sameBeyondPositions(arrays) { return same }
        let holders = try holders(path)
        let modules = Self.modules(arrays)
        return try StateMatch(holders, modules).found(path).flatMap { holder, module in
            try holder.wishes.compactMap { wish in
                guard let array = module.arrays[wish.name] else { return nil }
                return (wish.own, wish.isTurned ? try array.transposed() : array)
            }
        }
    }

    /// Layers that keep the names of where they came from: all names are the same but for the layers' numbers.
    private func sameBeyondPositions(_ arrays: [(name: String, array: NDArray)]) -> [(name: String, array: NDArray)]? {
        let all = Array(zip(parameterNames + stateNames, parameters + states))
        let known = Dictionary(arrays.map { ($0.name, $0.array) }, uniquingKeysWith: { first, _ in first })
        let found = all.compactMap { name, array -> (name: String, array: NDArray)? in
            guard let dot = name.firstIndex(of: "."), let other = known[String(name[name.index(after: dot)...])], other.shape == array.shape else { return nil }
            return (name, other)
        }
        return found.count == all.count && found.count == arrays.count ? found : nil
    }

    private static func modules(_ arrays: [(name: String, array: NDArray)]) -> [Module] {
        var modules: [String: Module] = [:]
        for (name, array) in arrays {
            let (path, last) = Module.parts(name)
            modules[path, default: Module(path: path)].arrays[last] = array
        }
        return modules.values.sorted { $0.precedes($1) }
    }

    /// The layers that hold arrays, those inside others too, in order.
    private func holders(_ path: String) throws -> [Holder] {
        var groups: [(path: String, arrays: [(name: String, array: NDArray)])] = []
        for (name, array) in zip(parameterNames + stateNames, parameters + states) {
            let dot = name.lastIndex(of: "."), path = dot.map { String(name[..<$0]) } ?? "", last = dot.map { String(name[name.index(after: $0)...]) } ?? name
            if let index = groups.firstIndex(where: { $0.path == path }) {
                groups[index].arrays.append((last, array))
            } else {
                groups.append((path, [(last, array)]))
            }
        }
        let kinds = kinds("")
        return try groups.map { group in
            guard let holder = Holder(group.path, group.arrays, kind: kinds[group.path]) else {
                let wants = group.arrays.map { StateMisfit.Entry(name: $0.name, shape: $0.array.shape) }
                throw NetworkError.checkpoint(path: path, .stateDictionary([.layer(group.path, wants: wants)]), makers: [])
            }
            return holder
        }
    }

    /// The kinds of layers by the beginning of their arrays' names.
    private func kinds(_ prefix: String) -> [String: String] {
        var result: [String: String] = [:]
        for (index, layer) in layers.enumerated() {
            let path = prefix + "\(index)"
            result[path] = layer.settings.kind
            for part in layer.parts { result.merge(part.network.kinds("\(path).\(part.name).")) { first, _ in first } }
        }
        return result
    }
}

/// Which module belongs to which layer.
private struct StateMatch {
    private let holders: [Holder]
    private let modules: [Module]

    init(_ holders: [Holder], _ modules: [Module]) { (self.holders, self.modules) = (holders, modules) }

    func found(_ path: String) throws -> [(Holder, Module)] {
        // Layers that take the same arrays, and the modules that hold these.
        var groups: [(holders: [Int], modules: [Int])] = []
        var misfits: [StateMisfit] = [], taken = Set<Int>()
        for (index, holder) in holders.enumerated() {
            if let group = groups.firstIndex(where: { same(holders[$0.holders[0]], holder) }) {
                groups[group].holders.append(index)
            } else {
                groups.append(([index], modules.indices.filter { holder.takes(modules[$0]) }))
            }
        }
        var pairs: [(Int, Int)] = []
        for group in groups {
            taken.formUnion(group.modules)
            for lone in group.holders.dropFirst(group.modules.count) { misfits.append(.layer(holders[lone].path, wants: holders[lone].entries)) }
            for lone in group.modules.dropFirst(group.holders.count) { misfits.append(.module(modules[lone].path, holds: modules[lone].entries)) }
            if let first = group.modules.first, group.modules.contains(where: { modules[$0].stem != modules[first].stem }) {
                misfits.append(.unclear(group.modules.map { modules[$0].path }, layers: group.holders.map { holders[$0].path }))
            }
            pairs += zip(group.holders, group.modules)
        }
        for index in modules.indices where !taken.contains(index) { misfits.append(.module(modules[index].path, holds: modules[index].entries)) }
        guard misfits.isEmpty else { throw NetworkError.checkpoint(path: path, .stateDictionary(misfits), makers: []) }
        return pairs.map { (holders[$0.0], modules[$0.1]) }
    }

    /// By names and shapes: whether its arrays are turned is each layer's own.
    private func same(_ a: Holder, _ b: Holder) -> Bool {
        a.wishes.count == b.wishes.count && a.wishes.allSatisfy { wish in b.wishes.contains { $0.name == wish.name && $0.shape == wish.shape } }
    }
}
