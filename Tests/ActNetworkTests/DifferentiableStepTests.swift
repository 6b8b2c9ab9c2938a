// Steps of optimisers as formulas, which derivatives go through, against the steps that training takes in place.

import ActArray
import ActNetwork
import ActRandom
import Testing

@Suite struct DifferentiableStepTests {
    @Test(arguments: Optimizers.all.map(\.name), [ElementType.f32, .f64])
    func formulasAndUpdatesAgree(_ name: String, _ type: ElementType) throws {
        let row = try #require(Optimizers.named(name))
        var random = RandomSource(seed: 3)
        func number(_ low: Double, _ high: Double) throws -> Double { try low + (high - low) * random.uniform(shape: []).item() }
        for round in 0..<20 {
            // Settings inside the bounds of each; a flag is one or the other.
            let values = try row.inputs.own.map { input -> Double in
                row.parameters[input.index].kind == .flag ? Double(round % 2) : try number(0.1, 0.95)
            }
            let rate = try number(0.01, 0.5), decay = try number(0, 0.2)
            let clipNorm = round % 3 == 0 ? try number(0.2, 2) : nil, clipValue = round % 4 == 0 ? try number(0.2, 2) : nil
            var inPlace = try OptimizerState(
                Optimizer(row, values: values, rate: { _ in rate }, weightDecay: decay, clipNorm: clipNorm, clipValue: clipValue),
                for: [NDArray.full(0, shape: [3, 2], type: type), NDArray.full(0, shape: [], type: type)])
            let formulas = DifferentiableStep(
                row, rate: .number(rate), values: values.map { .number($0) }, weightDecay: .number(decay), clipNorm: clipNorm.map { .number($0) },
                clipValue: clipValue.map { .number($0) })
            var parameters = try [random.normal(shape: [3, 2], type: type), random.normal(shape: [], type: type)], others = parameters
            var result: DifferentiableStep.Result?
            for step in 1...4 {
                // No element may stand at 0 or at the edge of a sign.
                let gradients = try [random.normal(shape: [3, 2], type: type), random.normal(shape: [], type: type)]
                parameters = try parameters.map { try $0.renewed() }
                try inPlace.step(&parameters, gradients, epoch: 0)
                let next = try formulas(others, gradients, moments: result?.moments, number: step, memory: result?.memory ?? .number(1))
                (others, result) = (next.parameters, next)
                #expect(try next.memory.item() == inPlace.memory)
                let tolerance = type == .f32 ? 1e-4 : 1e-12
                for (a, b) in zip(parameters + inPlace.moments.joined(), others + next.moments.joined()) {
                    #expect(a.type == b.type && a.shape == b.shape)
                    for (x, y) in zip(try a.toDoubles(), try b.toDoubles()) {
                        #expect(abs(x - y) <= tolerance * max(1, abs(x)), "\(name), step \(step), round \(round)")
                    }
                }
            }
        }
    }
}
