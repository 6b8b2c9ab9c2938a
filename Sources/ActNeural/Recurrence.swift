// The recurrence of RNN, GRU and LSTM as one function of what the inputs add to the gates of every step, the weights of the state and their
// bias. What the inputs add comes of one large product before; here one product a step is left, by weights that are laid out once.
//
// Sequences are (rows of the batch, steps, numbers); the state before the first step is 0. Gates stand side by side in PyTorch's order:
// reset, update, new of a GRU; input, forget, cell, output of an LSTM.
//
// What must stay true: rows do not see each other. A thread takes some rows through all steps; which ones does not show in the bits.

import ActArray
import ActGrad

package final class Recurrence: CustomFunction {
    package enum Cell {
        /// h' = f(a + h @ U + c), f being tanh or relu
        case plain(UnaryOperation)
        /// h' = (1 - z) n + z h with n = tanh(aₙ + r (h @ Uₙ + cₙ)). K. Cho et al. 2014, in the form of PyTorch and cuDNN.
        case gru
        /// m' = f m + i g, h' = o tanh(m'). S. Hochreiter, J. Schmidhuber 1997; F. Gers et al. 2000.
        case lstm

        package var gates: Int {
            switch self {
            case .plain: 1
            case .gru: 3
            case .lstm: 4
            }
        }

        /// What a derivative needs of a step beside its state, in states: the gates, and of a GRU what the state adds to n, of an LSTM m' and
        /// its tanh.
        fileprivate var kept: Int {
            switch self {
            case .plain: 0
            case .gru: 4
            case .lstm: 6
            }
        }
    }

    private let cell: Cell
    private let size: RecurrenceSize
    /// What the steps left behind: (rows, steps, `kept` states).
    private let past: NDArray

    private init(_ cell: Cell, _ size: RecurrenceSize, _ past: NDArray) {
        (self.cell, self.size, self.past) = (cell, size, past)
    }

    package var name: String {
        switch cell {
        case .plain: "rnn"
        case .gru: "gru"
        case .lstm: "lstm"
        }
    }
    package var isElementwise: Bool { false }
    package var attributes: [Attribute] {
        if case .plain(let operation) = cell { [Attribute("activation", operation.name)] } else { [] }
    }

    /// The states of every step: (rows, steps, units).
    /// - Parameters:
    ///   - added: (rows, steps, gates · units), what the inputs add.
    ///   - weights: (units, gates · units); `bias`: (gates · units,), both of the type of `added`.
    package static func states(_ cell: Cell, _ added: NDArray, _ weights: NDArray, _ bias: NDArray) throws -> NDArray {
        let size = RecurrenceSize(rows: added.shape[0], steps: added.shape[1], units: weights.shape[0], gates: cell.gates)
        if let array = try NDArray.shapeAlone([size.rows, size.steps, size.units], added.type) { return array }
        let inputs = [added, weights, bias], keeps = inputs.contains(where: \.isTraced)
        if inputs.contains(where: \.isAbstract) {
            let nothing = try NDArray([], shape: [0], type: added.type)
            if let result = try Recurrence(cell, size, nothing).resultWithoutElements(inputs) { return result }
        }
        let (states, past) =
            added.type == .f32 ? try forward(cell, size, inputs, keeps: keeps, Float.self) : try forward(cell, size, inputs, keeps: keeps, Double.self)
        return try NDArray.custom(Recurrence(cell, size, past), inputs: inputs, value: states)
    }

    package func pullback(cotangent: NDArray, inputs: [NDArray], result: NDArray, wanted: [Bool]) throws -> [NDArray?] {
        if cotangent.isTraced || inputs.contains(where: { $0.isTraced || $0.isAbstract }) { return try loweredPullback(cotangent, inputs) }
        return inputs[0].type == .f32 ? try backward(cotangent, inputs, result, Float.self) : try backward(cotangent, inputs, result, Double.self)
    }

    package func lowered(_ x: [NDArray]) throws -> NDArray? { try Recurrence.composed(cell, x[0], x[1], x[2]) { try NDArray.unary(plainOperation, $0) } }

    private var plainOperation: UnaryOperation { if case .plain(let operation) = cell { operation } else { .tanh } }

    /// The same step by step, of a plain cell with any activation.
    package static func composed(_ cell: Cell, _ added: NDArray, _ weights: NDArray, _ bias: NDArray, _ activation: (NDArray) throws -> NDArray) throws
        -> NDArray
    {
        let rows = added.shape[0], steps = added.shape[1], units = weights.shape[0]
        var state = try NDArray.full(0, shape: [rows, units], type: added.type), memory = state, states: [NDArray] = []
        func sigmoid(_ x: NDArray) throws -> NDArray { try NDArray.unary(.sigmoid, x) }
        func tanh(_ x: NDArray) throws -> NDArray { try NDArray.unary(.tanh, x) }
        for step in 0..<steps {
            try Interrupt.check()
            let a = try added.indexed(by: [.slice(start: nil, stop: nil, step: nil), .integer(step)])
            let s = try NDArray.matmul(state, weights) + bias
            switch cell {
            case .plain: state = try activation(a + s)
            case .gru:
                let a = try a.split(parts: 3, axis: 1), s = try s.split(parts: 3, axis: 1)
                let r = try sigmoid(a[0] + s[0]), z = try sigmoid(a[1] + s[1]), n = try tanh(a[2] + r * s[2])
                state = try n + z * (state - n)
            case .lstm:
                let gates = try (a + s).split(parts: 4, axis: 1)
                memory = try sigmoid(gates[1]) * memory + sigmoid(gates[0]) * tanh(gates[2])
                state = try sigmoid(gates[3]) * tanh(memory)
            }
            states.append(state)
        }
        return states.isEmpty ? try NDArray.full(0, shape: [rows, 0, units], type: added.type) : try NDArray.stacked(states, axis: 1)
    }
}

/// How large everything is.
private struct RecurrenceSize {
    let rows, steps, units, gates: Int

    var wide: Int { gates &* units }
    /// Rows that go through all steps together.
    static let rowsAtOnce = 8
    var parts: Int { (rows + RecurrenceSize.rowsAtOnce - 1) / RecurrenceSize.rowsAtOnce }

    func rows(of part: Int) -> Range<Int> { part &* RecurrenceSize.rowsAtOnce..<min(rows, (part &+ 1) &* RecurrenceSize.rowsAtOnce) }
}

// MARK: - Forward

extension Recurrence {
    private static func forward<T: MatrixElement>(
        _ cell: Cell, _ size: RecurrenceSize, _ inputs: [NDArray], keeps: Bool, _: T.Type
    ) throws -> (states: NDArray, past: NDArray) {
        let (rows, steps, units, wide) = (size.rows, size.steps, size.units, size.wide), type = inputs[0].type
        let states = try FreshArray(shape: [rows, steps, units], type: type)
        // Without a derivative every step leaves its traces in the same place.
        let past = try FreshArray(shape: [rows, keeps ? steps : 1, cell.kept * units], type: type)
        let (h, kept) = (states.elements(of: T.self), past.elements(of: T.self)), pastStep = keeps ? 1 : 0, pastRow = keeps ? steps : 1
        if states.count > 0 {
            try inputs[1].detached().withContiguous(of: T.self) { weights in
                guard let weights = weights.baseAddress else { return }
                let packed = try PackedMatrix(rows: units, columns: wide, MatrixView(weights, rowStride: wide))
                try inputs[0].detached().withContiguous(of: T.self) { added in
                    try inputs[2].detached().withContiguous(of: T.self) { bias in
                        guard let added = added.baseAddress, let bias = bias.baseAddress else { return }
                        try ThreadPool.parallel(size.parts) { part in
                            let rows = size.rows(of: part), count = rows.count
                            let scratch = try Storage(byteCount: (count &* wide &+ units) &* MemoryLayout<T>.stride)
                            let s = scratch.pointer.assumingMemoryBound(to: T.self), zeros = s + count &* wide
                            zeros.update(repeating: 0, count: units)
                            for step in 0..<steps {
                                try Interrupt.check()
                                for row in 0..<count { (s + row &* wide).update(from: bias, count: wide) }
                                if step > 0 {
                                    let before = h + (rows.lowerBound &* steps &+ step &- 1) &* units
                                    packed.multiply(count, MatrixView(before, rowStride: steps &* units), adds: true, into: s, rowStride: wide)
                                }
                                for row in 0..<count {
                                    let number = rows.lowerBound &+ row, place = number &* steps &+ step
                                    let here = kept + (number &* pastRow &+ step &* pastStep) &* (cell.kept &* units)
                                    advance(
                                        cell, units, a: added + place &* wide, s: s + row &* wide, before: step > 0 ? h + (place &- 1) &* units : zeros,
                                        kept: here, memoryBefore: step > 0 ? here + (4 &* units &- pastStep &* cell.kept &* units) : zeros,
                                        h: h + place &* units)
                                }
                            }
                            withExtendedLifetime(scratch) {}
                        }
                    }
                }
            }
        }
        return (states.finished(), past.finished())
    }

    /// One step of one row.
    /// - Parameters:
    ///   - a, s: What the input and the state add to the gates.
    ///   - before: The state before; `memoryBefore`: that of an LSTM's memory.
    @inline(__always)
    private static func advance<T: MatrixElement>(
        _ cell: Cell, _ units: Int, a: UnsafePointer<T>, s: UnsafeMutablePointer<T>, before: UnsafePointer<T>, kept: UnsafeMutablePointer<T>,
        memoryBefore: UnsafePointer<T>, h: UnsafeMutablePointer<T>
    ) {
        switch cell {
        case .plain(let operation):
            T.apply(.add, a, s, h, units)
            T.apply(operation, h, h, units)
        case .gru:
            let n = kept + 2 &* units, added = kept + 3 &* units
            T.apply(.add, a, s, kept, 2 &* units)
            T.apply(.sigmoid, kept, kept, 2 &* units)
            added.update(from: s + 2 &* units, count: units)
            for j in 0..<units { n[j] = a[2 &* units &+ j] + kept[j] * added[j] }
            T.apply(.tanh, n, n, units)
            let z = kept + units
            for j in 0..<units { h[j] = n[j] + z[j] * (before[j] - n[j]) }
        case .lstm:
            let (f, g, o, m, t) = (kept + units, kept + 2 &* units, kept + 3 &* units, kept + 4 &* units, kept + 5 &* units)
            T.apply(.add, a, s, kept, 4 &* units)
            T.apply(.sigmoid, kept, kept, 2 &* units)
            T.apply(.tanh, g, g, units)
            T.apply(.sigmoid, o, o, units)
            for j in 0..<units { m[j] = f[j] * memoryBefore[j] + kept[j] * g[j] }
            T.apply(.tanh, m, t, units)
            T.apply(.mul, o, t, h, units)
        }
    }
}

// MARK: - Backward

extension Recurrence {
    private func backward<T: MatrixElement>(_ cotangent: NDArray, _ inputs: [NDArray], _ result: NDArray, _: T.Type) throws -> [NDArray?] {
        let (rows, steps, units, wide) = (size.rows, size.steps, size.units, size.wide), type = inputs[0].type, cell = cell, size = size
        let added = try FreshArray(shape: [rows, steps, wide], type: type)
        // What the state adds goes other ways than what the input adds in a GRU alone.
        let isGRU = if case .gru = cell { true } else { false }
        let recurrent = try FreshArray(shape: [isGRU ? rows : 0, steps, wide], type: type)
        let da = added.elements(of: T.self), ds = isGRU ? recurrent.elements(of: T.self) : da
        if added.count > 0 {
            let weights = try inputs[1].detached(), reached = try cotangent.contiguous(), states = try result.detached()
            try weights.withContiguous(of: T.self) { weights in
                guard let weights = weights.baseAddress else { return }
                let packed = try PackedMatrix(rows: wide, columns: units, MatrixView(weights, rowStride: wide).transposed)
                try reached.withContiguous(of: T.self) { dy in
                    try states.withContiguous(of: T.self) { h in
                        try past.withContiguous(of: T.self) { past in
                            guard let dy = dy.baseAddress, let h = h.baseAddress else { return }
                            let kept = past.baseAddress ?? h
                            try ThreadPool.parallel(size.parts) { part in
                                let rows = size.rows(of: part), count = rows.count
                                // What reaches the state, the memory, and zeros.
                                let scratch = try Storage(byteCount: (2 &* count &+ 1) &* units &* MemoryLayout<T>.stride)
                                let dh = scratch.pointer.assumingMemoryBound(to: T.self), dm = dh + count &* units, zeros = dm + count &* units
                                dh.update(repeating: 0, count: (2 &* count &+ 1) &* units)
                                for step in (0..<steps).reversed() {
                                    try Interrupt.check()
                                    for row in 0..<count {
                                        let place = (rows.lowerBound &+ row) &* steps &+ step, here = kept + place &* (cell.kept &* units)
                                        T.apply(.add, dh + row &* units, dy + place &* units, dh + row &* units, units)
                                        Recurrence.retreat(
                                            cell, units, h: h + place &* units, before: step > 0 ? h + (place &- 1) &* units : UnsafePointer(zeros), kept: here,
                                            memoryBefore: step > 0 ? here - 2 &* units : UnsafePointer(zeros), dh: dh + row &* units, dm: dm + row &* units,
                                            da: da + place &* wide, ds: ds + place &* wide)
                                    }
                                    if step == 0 { break }
                                    let first = ds + (rows.lowerBound &* steps &+ step) &* wide
                                    packed.multiply(count, MatrixView(first, rowStride: steps &* wide), adds: isGRU, into: dh, rowStride: units)
                                }
                                withExtendedLifetime(scratch) {}
                            }
                        }
                    }
                }
            }
        }
        let reachedAdded = added.finished(), reachedRecurrent = isGRU ? recurrent.finished() : reachedAdded
        return [reachedAdded, try Recurrence.weights(reachedRecurrent, result, size), try reachedRecurrent.reduced(.sum, axes: [0, 1])]
    }

    /// What reaches the weights: each state with what reached the step after it.
    private static func weights(_ reached: NDArray, _ result: NDArray, _ size: RecurrenceSize) throws -> NDArray {
        guard size.steps > 1, size.rows > 0 else { return try NDArray.full(0, shape: [size.units, size.wide], type: reached.type) }
        func part(_ array: NDArray, from first: Int) throws -> NDArray {
            let width = array.shape[2]
            let ranges = [
                SliceRange(start: 0, step: 1, count: size.rows), SliceRange(start: first, step: 1, count: size.steps - 1),
                SliceRange(start: 0, step: 1, count: width),
            ]
            return try array.sliced(ranges).reshaped(to: [size.rows &* (size.steps &- 1), width])
        }
        return try NDArray.matmul(part(result.detached(), from: 0).transposed(), part(reached, from: 1))
    }

    /// One step of one row backwards: from `dh`, what reaches the state, to what reaches the gates; `dh` is then what goes past them to the
    /// state before, but for the product with the weights, and `dm` what reaches the memory before.
    @inline(__always)
    private static func retreat<T: MatrixElement>(
        _ cell: Cell, _ units: Int, h: UnsafePointer<T>, before: UnsafePointer<T>, kept: UnsafePointer<T>, memoryBefore: UnsafePointer<T>,
        dh: UnsafeMutablePointer<T>, dm: UnsafeMutablePointer<T>, da: UnsafeMutablePointer<T>, ds: UnsafeMutablePointer<T>
    ) {
        switch cell {
        case .plain(.relu): for j in 0..<units { da[j] = h[j] > 0 ? dh[j] : 0 }
        case .plain: for j in 0..<units { da[j] = dh[j] * (1 - h[j] * h[j]) }
        case .gru:
            let (r, z, n, added) = (kept, kept + units, kept + 2 &* units, kept + 3 &* units)
            for j in 0..<units {
                let dn = dh[j] * (1 - z[j]) * (1 - n[j] * n[j])
                let dr = dn * added[j] * r[j] * (1 - r[j]), dz = dh[j] * (before[j] - n[j]) * z[j] * (1 - z[j])
                (da[j], da[units &+ j], da[2 &* units &+ j]) = (dr, dz, dn)
                (ds[j], ds[units &+ j], ds[2 &* units &+ j]) = (dr, dz, dn * r[j])
                dh[j] *= z[j]
            }
        case .lstm:
            let (i, f, g, o, t) = (kept, kept + units, kept + 2 &* units, kept + 3 &* units, kept + 5 &* units)
            for j in 0..<units {
                let reached = dm[j] + dh[j] * o[j] * (1 - t[j] * t[j])
                da[j] = reached * g[j] * i[j] * (1 - i[j])
                da[units &+ j] = reached * memoryBefore[j] * f[j] * (1 - f[j])
                da[2 &* units &+ j] = reached * i[j] * (1 - g[j] * g[j])
                da[3 &* units &+ j] = dh[j] * t[j] * o[j] * (1 - o[j])
                dm[j] = reached * f[j]
            }
        }
    }
}
