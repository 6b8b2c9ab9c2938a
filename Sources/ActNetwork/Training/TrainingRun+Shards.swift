// A batch that is cut into parts, which ranks share out. Each part is a batch by itself: it normalises by its own statistics, draws from a stream
// of its own. Its gradient counts by its rows.
//
// What must stay true: the parts hang on the batch alone, and so do the order in which what they teach is added up and what they draw: any number
// of ranks trains the same network to the bit.

import ActArray
import ActRandom
import ActRanks

extension TrainingRun {
    /// What one part teaches, without its gradients.
    private struct Part {
        let loss: Double
        let states: [NDArray]
        let measured: Measuring?
    }

    /// A batch has at most as many parts as it is cut into; each has two rows at least, for of one row there are no statistics.
    private static func parts(of rows: Int, _ shards: Int) -> [Range<Int>] {
        let count = min(shards, max(1, rows / 2))
        return (0..<count).map { $0 * rows / count..<($0 + 1) * rows / count }
    }

    func lesson(at parameters: [NDArray], _ batch: Batch, cutInto shards: Int, mustDepend: Bool) throws -> Lesson {
        let rows = batch.x[0].shape[0], branch = try pass.random.branches()
        let weights = try batch.weights?.toDoubles()
        func weight(_ part: Range<Int>) -> Double { weights.map { $0[part].reduce(0, +) } ?? Double(part.count) }
        // Rows that do not count teach nothing.
        let parts = TrainingRun.parts(of: rows, shards).filter { weight($0) > 0 }, total = parts.map(weight).reduce(0, +)
        let shares = parts.map { weight($0) / total }
        let team = training.team, plan = ShardPlan(count: parts.count, ranks: team.ranks)
        var own: [Part] = []
        let draws = training.swapDraws(pass.random)
        defer { _ = training.swapDraws(draws) }
        let sums = try plan.branches(of: team.rank).map { range in
            try ShardPlan.sum(
                range,
                leaf: { index in
                    try Interrupt.check()
                    let pass = Pass(isTraining: true, random: branch(2 * index))
                    _ = training.swapDraws(branch(2 * index + 1))
                    let (part, gradients) = try self.part(parts[index], of: batch, at: parameters, pass, mustDepend)
                    own.append(part)
                    return try FlatGradients(gradients, like: parameters, times: shares[index])
                }, add: { try $0.adding($1) })
        }
        let all = try exchange(own, plan)
        let sum = try FlatGradients(sums, team, plan, like: parameters, isFast: training.addsFast)
        return Lesson(
            loss: zip(all, shares).reduce(0.0) { $0 + $1.0.loss * $1.1 }, gradients: try sum.apart(like: parameters),
            states: try blend(all.map(\.states), shares), measured: all.compactMap(\.measured))
    }

    private func part(
        _ rows: Range<Int>, of batch: Batch, at parameters: [NDArray], _ pass: Pass, _ mustDepend: Bool
    ) throws -> (Part, gradients: [NDArray]) {
        let part = Batch(
            x: try batch.x.map { try $0.rows(rows) }, y: try batch.y.map { try $0.rows(rows) }, weights: try batch.weights.map { try $0.rows(rows) })
        let loss: NDArray, gradients: [NDArray], prediction: [NDArray]
        let offset = rows.lowerBound * max(1, batch.y[0].count / max(1, batch.y[0].shape[0]))
        do {
            (loss, gradients, prediction) = try differentiated(at: parameters, part, pass, mustDepend: mustDepend)
        } catch NetworkError.label(let loss, let label, let row, let classes) where batch.weights == nil {
            // Counted in the batch.
            throw NetworkError.label(loss: loss, label: label, row: row + offset, classes: classes)
        } catch NetworkError.outside(let loss, .target, let value, let position) where batch.weights == nil {
            throw NetworkError.outside(loss: loss, what: .target, value: value, position: position + offset)
        }
        var measured = training.metric.map { Measuring($0) }
        try measured?.add(prediction, part.y, rows: rows.count)
        return (Part(loss: try loss.item(), states: pass.takeStates(of: states), measured: measured), gradients)
    }

    /// What everybody's parts come to, in order.
    private func exchange(_ own: [Part], _ plan: ShardPlan) throws -> [Part] {
        guard training.team.ranks > 1 else { return own }
        var writer = MessageWriter()
        for part in own {
            writer.add(part.loss)
            for number in part.measured?.counts ?? [] { writer.add(number) }
            for state in part.states { try writer.add(elementsOf: state) }
        }
        let all = try training.team.gather(Training.call, writer.bytes)
        return try all.enumerated().flatMap { rank, bytes in
            var reader = MessageReader(bytes)
            return try plan.shards(of: rank).map { _ in
                let loss = reader.number()
                var measured = training.metric.map { Measuring($0) }
                if measured != nil { measured?.counts = (0..<Measuring.countsCount).map { _ in reader.number() } }
                return Part(loss: loss, states: try states.map { try reader.array(shape: $0.shape, type: $0.type) }, measured: measured)
            }
        }
    }

    /// The mean of what the parts gathered, taken as distances from the first one's, so that what is the same everywhere stays so.
    private func blend(_ parts: [[NDArray]], _ shares: [Double]) throws -> [NDArray] {
        guard let first = parts.first else { return states }
        return try first.indices.map { index in
            let start = try first[index].detached()
            if start.type == .bool {
                for part in parts where try part[index].detached().toBools() != start.toBools() { throw NetworkError.partsDisagree }
                return start
            }
            var sum = start
            for (part, share) in zip(parts, shares).dropFirst() { sum = try sum + (part[index].detached() - start) * share }
            sum = try sum.converted(to: start.type)
            try sum.evaluate()
            return sum
        }
    }

    /// The losses of all rows, of which each rank computes some; what the metric sees is added likewise.
    func sharedOut(_ rows: Int, _ shards: Int, _ x: [NDArray], _ y: [NDArray], _ metric: inout Measuring?) throws -> Double {
        let team = training.team, parts = TrainingRun.parts(of: rows, shards), plan = ShardPlan(count: parts.count, ranks: team.ranks)
        let draws = training.swapDraws(pass.random)
        defer { _ = training.swapDraws(draws) }
        var own: [(sum: Double, measured: Measuring?)] = []
        for index in plan.shards(of: team.rank) {
            var measured = training.metric.map { Measuring($0) }
            _ = training.swapDraws(RandomSource(seed: UInt64(index)))
            own.append((try sum(parts[index], x, y, &measured), measured))
        }
        var writer = MessageWriter()
        for part in own {
            writer.add(part.sum)
            for number in part.measured?.counts ?? [] { writer.add(number) }
        }
        var total = 0.0
        for (rank, bytes) in try training.team.gather(Training.call, writer.bytes).enumerated() {
            var reader = MessageReader(bytes)
            for _ in plan.shards(of: rank) {
                total += reader.number()
                guard var measured = training.metric.map({ Measuring($0) }) else { continue }
                measured.counts = (0..<Measuring.countsCount).map { _ in reader.number() }
                metric?.add(measured)
            }
        }
        return total
    }

    /// Processors of different kinds may round differently: all ranks go on with the same parameters or none does.
    func compareParameters() throws {
        var digest = Digest()
        for parameter in parameters + states { try digest.add(parameter) }
        try training.team.agree(Training.call, [(.parametersAfterEpoch, digest)])
    }
}

/// Gradients as one vector for each type that parameters have.
private struct FlatGradients {
    static let types: [ElementType] = [.f64, .f32]
    /// By type; empty where no parameter has it.
    private(set) var vectors: [NDArray?]

    init(_ gradients: [NDArray], like parameters: [NDArray], times share: Double) throws {
        vectors = try FlatGradients.types.map { type in
            let arrays = try zip(gradients, parameters).filter { $0.1.type == type }.map { try $0.0.detached().converted(to: type).reshaped(to: [$0.0.count]) }
            guard !arrays.isEmpty else { return nil }
            let vector = try NDArray.concatenated(arrays) * share
            try vector.evaluate()
            return vector
        }
    }

    /// The sum over everybody's.
    init(_ own: [FlatGradients], _ team: Team, _ plan: ShardPlan, like parameters: [NDArray], isFast: Bool) throws {
        vectors = try FlatGradients.types.enumerated().map { index, type in
            let alike = parameters.filter { $0.type == type }
            guard !alike.isEmpty else { return nil }
            return try team.sum(own.compactMap { $0.vectors[index] }, plan, count: alike.reduce(0) { $0 + $1.count }, type: type, isFast: isFast)
        }
    }

    func adding(_ other: FlatGradients) throws -> FlatGradients {
        var result = self
        result.vectors = try zip(vectors, other.vectors).map { a, b in
            guard let a, let b else { return nil }
            let sum = try a + b
            try sum.evaluate()
            return sum
        }
        return result
    }

    /// In the shapes of the parameters.
    func apart(like parameters: [NDArray]) throws -> [NDArray] {
        var starts = FlatGradients.types.map { _ in 0 }
        return try parameters.map { parameter in
            guard let index = FlatGradients.types.firstIndex(of: parameter.type), let vector = vectors[index] else { return parameter }
            defer { starts[index] += parameter.count }
            return try vector.rows(starts[index]..<starts[index] + parameter.count).reshaped(to: parameter.shape)
        }
    }
}
