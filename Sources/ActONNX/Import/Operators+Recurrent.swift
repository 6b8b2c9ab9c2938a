// RNN, GRU and LSTM step by step, in one or both directions; attention; rotary positions.

import ActArray
import ActGrad
import ActNetwork
import ActOrder

/// One direction of a recurrent node.
private struct Direction {
    let w, r: NDArray
    /// The two biases, (gates units) each.
    let wb, rb: NDArray?
    let start, cell: NDArray?
    let peepholes: NDArray?
    let functions: [@Sendable (NDArray) throws -> NDArray]
    let isBackwards: Bool
}

extension ONNXOperators {
    static let recurrences: [OperatorRow] = [
        recurrent("RNN", gates: 1, functions: ["Tanh"]) { d, x, h, _, _, units in
            (try d.functions[0](x + NDArray.matmul(h, d.r.matrixTransposed()) + (d.rb ?? zero(like: x))), nil)
        },
        recurrent("GRU", gates: 3, functions: ["Sigmoid", "Tanh"]) { d, x, h, _, call, units in
            // Update z, reset r, new h (the order of the file).
            func part(_ array: NDArray, _ gate: Int) throws -> NDArray { try array.cut(array.rank - 1, gate * units, units) }
            let isLinear = try call.int("linear_before_reset", 0) != 0, r = try d.r.matrixTransposed()
            let two = try NDArray.matmul(h, part(r, 0)), three = try NDArray.matmul(h, part(r, 1))
            func bias(_ gate: Int) throws -> NDArray { try d.rb.map { try part($0, gate) } ?? zero(like: two) }
            let z = try d.functions[0](part(x, 0) + two + bias(0)), reset = try d.functions[0](part(x, 1) + three + bias(1))
            let inner = try isLinear ? reset * (NDArray.matmul(h, part(r, 2)) + bias(2)) : NDArray.matmul(reset * h, part(r, 2)) + bias(2)
            let new = try d.functions[1](part(x, 2) + inner)
            return (try (1.0 - z) * new + z * h, nil)
        },
        recurrent("LSTM", gates: 4, functions: ["Sigmoid", "Tanh", "Tanh"]) { d, x, h, cell, call, units in
            // Input, output, forget, cell (the order of the file).
            let sum = try x + NDArray.matmul(h, d.r.matrixTransposed()) + (d.rb ?? zero(like: x)), c = cell ?? h
            func gate(_ index: Int, _ peephole: Int, _ seen: NDArray) throws -> NDArray {
                var gate = try sum.cut(1, index * units, units)
                if let p = d.peepholes { gate = try gate + p.cut(0, peephole * units, units) * seen }
                return try d.functions[0](gate)
            }
            let input = try gate(0, 0, c), isCoupled = try call.int("input_forget", 0) != 0
            let forget = try isCoupled ? 1.0 - input : gate(2, 2, c)
            let new = try forget * c + input * d.functions[1](sum.cut(1, 3 * units, units))
            return (try gate(1, 1, new) * d.functions[2](new), new)
        },
    ]

    private static func zero(like x: NDArray) throws -> NDArray { try NDArray.scalar(0, type: x.type) }

    private typealias Step = @Sendable (Direction, _ x: NDArray, _ h: NDArray, _ cell: NDArray?, NodeCall, _ units: Int) throws -> (NDArray, NDArray?)

    private static func recurrent(_ name: String, gates: Int, functions: [String], _ step: @escaping Step) -> OperatorRow {
        OperatorRow(name) { call in
            var x = try call.x(0)
            let w = try call.x(1), r = try call.x(2), units = try call.int("hidden_size", r.shape.last ?? 0), isTurned = try call.int("layout", 0) == 1
            guard x.rank == 3, w.rank == 3, r.rank == 3, units > 0, r.shape[2] == units, w.shape[1] == gates * units else {
                throw call.fail(.shape(w.shape, input: 1))
            }
            if isTurned { x = try x.transposed([1, 0, 2]) }
            let directions = try directions(call, name, gates, functions, units, count: w.shape[0], isTurned)
            let steps = x.shape[0], batch = x.shape[1], lengths = try call.has(4) ? call.wholes(4) : nil
            if let lengths, lengths.count != batch { throw call.fail(.shape([lengths.count], input: 4)) }
            var all: [NDArray] = [], lasts: [NDArray] = [], cells: [NDArray] = []
            for direction in directions {
                var h = try direction.start ?? NDArray.full(0, shape: [batch, units], type: x.type)
                var cell: NDArray? = name == "LSTM" ? try direction.cell ?? NDArray.full(0, shape: [batch, units], type: x.type) : nil
                var outputs: [NDArray] = []
                for count in 0..<steps {
                    try Interrupt.check()
                    let time = direction.isBackwards ? steps - 1 - count : count
                    let row = try x.cut(0, time, 1).reshaped(to: [batch, x.shape[2]])
                    var reached = try NDArray.matmul(row, direction.w.matrixTransposed())
                    if let bias = direction.wb { reached = try reached + bias }
                    let (new, newCell) = try step(direction, reached, h, cell, call, units)
                    var output = new
                    if let lengths {
                        // Rows that have ended keep their state, and give zeros.
                        let goes = try NDArray(bools: lengths.map { time < $0 }, shape: [batch, 1])
                        output = try NDArray.select(goes, .array(new), 0)
                        h = try NDArray.select(goes, .array(new), .array(h))
                        if let newCell, let old = cell { cell = try NDArray.select(goes, .array(newCell), .array(old)) }
                    } else {
                        (h, cell) = (new, newCell)
                    }
                    outputs.append(output)
                }
                if direction.isBackwards { outputs.reverse() }
                all.append(try outputs.isEmpty ? NDArray.full(0, shape: [0, batch, units], type: x.type) : NDArray.stacked(outputs))
                lasts.append(h)
                if let cell { cells.append(cell) }
            }
            // (steps, directions, batch, units), or with the batch first.
            var y = try NDArray.stacked(all, axis: 1), last = try NDArray.stacked(lasts), lastCell = try cells.isEmpty ? nil : NDArray.stacked(cells)
            if isTurned {
                y = try y.transposed([2, 0, 1, 3])
                last = try last.transposed([1, 0, 2])
                lastCell = try lastCell?.transposed([1, 0, 2])
            }
            let type = try call.type(0)
            return [.array(y, type), .array(last, type)] + (lastCell.map { [.array($0, type)] } ?? [])
        }
    }

    private static func directions(
        _ call: NodeCall, _ name: String, _ gates: Int, _ standard: [String], _ units: Int, count: Int, _ isTurned: Bool
    ) throws -> [Direction] {
        let direction = try call.text("direction", "forward"), names = try call.texts("activations") ?? [String](repeating: "", count: 0)
        let alphas = try call.floats("activation_alpha") ?? [], betas = try call.floats("activation_beta") ?? [],
            clip = try call.has("clip") ? call.float("clip", 0) : nil
        guard count == (direction == "bidirectional" ? 2 : 1), names.isEmpty || names.count == count * standard.count else {
            throw call.fail(.badAttribute("activations"))
        }
        let bias = try call.maybe(3), start = try call.maybe(5), cell = name == "LSTM" ? try call.maybe(6) : nil,
            peepholes = name == "LSTM" ? try call.maybe(7) : nil
        // Those without parameters of their own take none of the list.
        var nextAlpha = 0, nextBeta = 0
        return try (0..<count).map { index in
            func own(_ array: NDArray?, axis: Int = 0) throws -> NDArray? { try array.map { try $0.cut(axis, index, 1).squeezed([axis]) } }
            let functions = try standard.indices.map { place -> @Sendable (NDArray) throws -> NDArray in
                let name = names.isEmpty ? standard[place] : names[index * standard.count + place]
                let (hasAlpha, hasBeta) = parameters(of: name)
                let alpha = hasAlpha && nextAlpha < alphas.count ? alphas[nextAlpha] : nil, beta = hasBeta && nextBeta < betas.count ? betas[nextBeta] : nil
                if hasAlpha { nextAlpha += 1 }
                if hasBeta { nextBeta += 1 }
                return try function(name, alpha, beta, clip, call)
            }
            guard let w = try own(call.x(1)), let r = try own(call.x(2)) else { throw call.fail(.missingInput(1)) }
            let both = try own(bias)
            return Direction(
                w: w, r: r, wb: try both?.cut(0, 0, gates * units), rb: try both?.cut(0, gates * units, gates * units),
                start: try own(start, axis: isTurned ? 1 : 0),
                cell: try own(cell, axis: isTurned ? 1 : 0), peepholes: try own(peepholes), functions: functions,
                isBackwards: direction == "reverse" || index == 1)
        }
    }

    private static func parameters(of name: String) -> (alpha: Bool, beta: Bool) {
        switch name.lowercased() {
        case "affine", "scaledtanh", "hardsigmoid": (true, true)
        case "leakyrelu", "thresholdedrelu", "elu": (true, false)
        default: (false, false)
        }
    }

    private static func function(_ name: String, _ alpha: Double?, _ beta: Double?, _ clip: Double?, _ call: NodeCall) throws
        -> @Sendable (NDArray) throws -> NDArray
    {
        let body: @Sendable (NDArray) throws -> NDArray
        switch name.lowercased() {
        case "tanh": body = { try NDArray.unary(.tanh, $0) }
        case "sigmoid": body = { try NDArray.unary(.sigmoid, $0) }
        case "relu": body = { try NDArray.unary(.relu, $0) }
        case "softsign": body = { try NDArray.unary(.softsign, $0) }
        case "softplus": body = { try NDArray.unary(.softplus, $0) }
        case "affine": body = { try $0 * (alpha ?? 1) + (beta ?? 0) }
        case "scaledtanh": body = { try NDArray.unary(.tanh, $0 * (beta ?? 1)) * (alpha ?? 1) }
        case "hardsigmoid": body = { try hardSigmoid($0, alpha ?? 0.2, beta ?? 0.5) }
        case "leakyrelu": body = { try NDArray.select(NDArray.compare(.lt, .array($0), 0), .array($0 * (alpha ?? 0.01)), .array($0)) }
        case "thresholdedrelu": body = { try NDArray.select(NDArray.compare(.gt, .array($0), .number(alpha ?? 1)), .array($0), 0) }
        case "elu": body = { try NDArray.select(NDArray.compare(.lt, .array($0), 0), .array(NDArray.unary(.expm1, $0) * (alpha ?? 1)), .array($0)) }
        default: throw call.lacks(.activation(name))
        }
        guard let clip else { return body }
        return { x in try body(NDArray.binary(.max, .array(NDArray.binary(.min, .array(x), .number(clip))), .number(-clip))) }
    }

    // MARK: Attention

    static let attentions: [OperatorRow] = [
        OperatorRow("Attention") { call in try attention(call) },
        OperatorRow("RotaryEmbedding") { call in try rotary(call) },
    ]

    /// softmax(q kᵀ scale + mask) v, with its options in the order of the standard: past keys, causality, a soft cap.
    private static func attention(_ call: NodeCall) throws -> [GraphValue] {
        var (q, k, v) = (try call.x(0), try call.x(1), try call.x(2))
        let isFlat = q.rank == 3, type = try call.type(0)
        if isFlat {
            let heads = try call.int("q_num_heads"), keyHeads = try call.int("kv_num_heads")
            func parted(_ x: NDArray, _ heads: Int) throws -> NDArray {
                guard x.rank == 3, heads > 0, x.shape[2] % heads == 0 else { throw call.fail(.shape(x.shape, input: 0)) }
                return try x.reshaped(to: [x.shape[0], x.shape[1], heads, x.shape[2] / heads]).transposed([0, 2, 1, 3])
            }
            (q, k, v) = (try parted(q, heads), try parted(k, keyHeads), try parted(v, keyHeads))
        }
        guard q.rank == 4, k.rank == 4, v.rank == 4 else { throw call.fail(.shape(q.shape, input: 0)) }
        var past = 0
        if let key = try call.maybe(4), let value = try call.maybe(5) {
            past = key.shape.count == 4 ? key.shape[2] : 0
            k = try NDArray.concatenated([key, k], axis: 2)
            v = try NDArray.concatenated([value, v], axis: 2)
        }
        let (presentKey, presentValue) = (k, v)
        guard k.shape[1] > 0, q.shape[1] % k.shape[1] == 0 else { throw call.fail(.shape(k.shape, input: 1)) }
        let group = q.shape[1] / k.shape[1]
        if group > 1 { (k, v) = (try k.repeated(group, axis: 1), try v.repeated(group, axis: 1)) }
        let scale = try call.has("scale") ? call.float("scale", 1) : 1 / Double(q.shape[3]).squareRoot(), half = scale.squareRoot()
        let bias = try attentionMask(call, queries: q.shape[2], keys: k.shape[2], past: past, q.type)
        let raw = try NDArray.matmul(q * half, k.matrixTransposed() * half), cap = try call.float("softcap", 0)
        // What the fourth output shows: the product, with the mask, capped, or the shares.
        let mode = try call.int("qk_matmul_output_mode", 0)
        let capped = try cap > 0 ? NDArray.unary(.tanh, raw / cap) * cap : raw
        let masked = try bias.map { try capped + $0.converted(to: capped.type) } ?? capped
        let shares = try masked.softmax(axis: -1)
        // A row that may see nothing gets nothing.
        let safe = try bias == nil ? shares : NDArray.select(NDArray.test(.isnan, shares), 0, .array(shares))
        var y = try NDArray.matmul(safe, v)
        if isFlat { y = try y.transposed([0, 2, 1, 3]).reshaped(to: [y.shape[0], y.shape[2], y.shape[1] * y.shape[3]]) }
        let shown = [raw, capped, masked, safe][min(max(mode, 0), 3)]
        return [.array(y, type), .array(presentKey, type), .array(presentValue, try call.type(2)), .array(shown, type)]
    }

    /// What is added to the products of queries and keys: 0 where a query sees a key; `nil` where each sees all.
    private static func attentionMask(_ call: NodeCall, queries: Int, keys: Int, past: Int, _ type: ElementType) throws -> NDArray? {
        var bias: NDArray?
        func mask(_ allowed: NDArray) throws -> NDArray { try NDArray.select(allowed, .array(NDArray.scalar(0, type: type)), .number(-.infinity)) }
        if let given = try call.maybe(3) {
            var given = given
            // A mask for fewer keys leaves the rest out.
            if let last = given.shape.last, last < keys {
                var widths = [(before: Int, after: Int)](repeating: (0, 0), count: given.rank)
                widths[given.rank - 1].after = keys - last
                given = try given.type == .bool ? given.padded(widths) : given.padded(widths, .constant(.number(-.infinity)))
            }
            bias = try given.type == .bool ? mask(given) : given
        }
        func allow(_ allowed: NDArray) throws {
            let more = try mask(allowed)
            bias = try bias.map { try $0 + more } ?? more
        }
        let columns = try NDArray.range(0, Double(keys), 1), left = try call.int("left_window_size", -1), right = try call.int("right_window_size", -1)
        var rows = try NDArray.range(0, Double(queries), 1).reshaped(to: [queries, 1]) + Double(past)
        if let counts = try call.maybe(6) {
            let counts = try counts.numeric.reshaped(to: [counts.count, 1, 1, 1])
            try allow(NDArray.compare(.lt, .array(columns), .array(counts)))
            // Of each row so many keys are there; the queries are the last of them.
            if !call.has(4) { rows = try rows + (counts - Double(queries)) }
        }
        if try call.flag("is_causal", false) { try allow(NDArray.compare(.le, .array(columns), .array(rows))) }
        if left >= 0 { try allow(NDArray.compare(.ge, .array(columns), .array(rows - Double(left)))) }
        if right >= 0 { try allow(NDArray.compare(.le, .array(columns), .array(rows + Double(right)))) }
        return bias
    }

    /// Pairs of numbers turned by angles that grow with the position. J. Su et al. 2021, "RoFormer".
    private static func rotary(_ call: NodeCall) throws -> [GraphValue] {
        let given = try call.x(0), isFlat = given.rank == 3
        var x = given, (cosines, sines) = (try call.x(1), try call.x(2))
        if isFlat {
            let heads = try call.int("num_heads")
            guard heads > 0, x.shape[2] % heads == 0 else { throw call.fail(.badAttribute("num_heads")) }
            x = try x.reshaped(to: [x.shape[0], x.shape[1], heads, x.shape[2] / heads])
        } else {
            guard x.rank == 4 else { throw call.fail(.shape(x.shape, input: 0)) }
            x = try x.transposed([0, 2, 1, 3])
        }
        let size = x.shape[3], wanted = try call.int("rotary_embedding_dim", 0), turned = wanted > 0 ? wanted : size, half = turned / 2
        guard turned <= size, turned % 2 == 0 else { throw call.fail(.badAttribute("rotary_embedding_dim")) }
        if let positions = try call.maybe(3) { (cosines, sines) = (try cosines.indexed(by: [.array(positions)]), try sines.indexed(by: [.array(positions)])) }
        func angles(_ a: NDArray) throws -> NDArray {
            let part = try a.cut(a.rank - 1, 0, half)
            return try part.expandedDims(part.rank - 1)
        }
        let (c, s) = (try angles(cosines), try angles(sines)), isInterleaved = try call.flag("interleaved", false)
        let front = try x.cut(3, 0, turned), rest = try x.cut(3, turned, size - turned)
        var parts: [NDArray]
        if isInterleaved {
            let pairs = try front.reshaped(to: Array(x.shape.prefix(3)) + [half, 2])
            parts = [try pairs.cut(4, 0, 1).squeezed([4]), try pairs.cut(4, 1, 1).squeezed([4])]
        } else {
            parts = [try front.cut(3, 0, half), try front.cut(3, half, half)]
        }
        let (a, b) = (parts[0], parts[1])
        parts = [try a * c - b * s, try b * c + a * s]
        let joined = try isInterleaved ? NDArray.stacked(parts, axis: 4).reshaped(to: front.shape) : NDArray.concatenated(parts, axis: 3)
        var y = try NDArray.concatenated([joined, rest], axis: 3)
        y = try isFlat ? y.reshaped(to: given.shape) : y.transposed([0, 2, 1, 3])
        return try call.result(y)
    }
}
