// The optimisers, one row each.

import ActArray
import ActGrad
import ActRows
import CActKernels

package enum Optimizers {
    package static let all: [OptimizerRow] = [
        OptimizerRow(
            "SGD", rate: 0.01, formula: "v = momentum v + g; p = p - lr v", summary: "stochastic gradient descent", slots: 1,
            step: { t in
                let v = t[0] * t.first + t.decayed
                return StepFormulas(p: t.p - t.rate * .select(.compare(.ne, t[1], 0), then: t.decayed + t[0] * v, otherwise: v), moments: [v])
            }, update32: sgd32, update64: sgd64,
            conflict: { $0[1] != 0 && $0[0] == 0 ? (0, .positiveWithNesterov) : nil }
        ) { takes in
            [
                takes.momentum(),
                takes.parameter(
                    "nesterov", .flag, default: 0, text: Default.text(false), role: .steps, summary: "whether the gradient is looked up ahead of the step"),
            ]
        },
        OptimizerRow(
            "RMSProp", rate: 0.01, formula: "v = alpha v + (1 - alpha) g²; p = p - lr g/(√v + eps)",
            summary: "gradients divided by the root of a running mean of their squares", slots: 2,
            step: { t in
                let v = Formula.blend(t.first, t.decayed * t.decayed, t[0]), change = t[2] * t.second + t.decayed / (.root(v) + t[1])
                return StepFormulas(p: t.p - t.rate * change, moments: [v, change])
            }, update32: rmsProp, update64: rmsProp
        ) { takes in [takes.memory("alpha", 0.99, of: "squares"), takes.eps(1e-8), takes.momentum()] },
        OptimizerRow(
            "Adagrad", rate: 0.01, formula: "s = s + g²; p = p - lr g/(√s + eps)", summary: "gradients divided by the root of the sum of all their squares",
            slots: 1,
            step: { t in
                let sum = t.first + t.decayed * t.decayed
                return StepFormulas(p: t.p - t.rate * t.decayed / (.root(sum) + t[0]), moments: [sum])
            }, update32: adagrad, update64: adagrad
        ) { takes in [takes.eps(1e-10)] },
        OptimizerRow(
            "Adam", rate: 1e-3,
            formula: "m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g²; p = p - lr m̂/(√v̂ + eps), m̂ = m/(1 - beta1^t), v̂ = v/(1 - beta2^t)",
            summary: "momentum, divided by the root of a running mean of squares; both corrected for their start at 0",
            slots: 2, step: { adam($0, g: $0.decayed, p: $0.p) }, update32: { adam32($0, isDecoupled: false) }, update64: { adam64($0, isDecoupled: false) }
        ) { takes in takes.betas(0.9, 0.999) + [takes.eps(1e-8)] },
        OptimizerRow(
            "AdamW", rate: 1e-3, weightDecay: 0.01, formula: "as Adam, and p = p - lr weight_decay p",
            summary: "Adam whose weight decay does not go through the moments",
            slots: 2, step: { adam($0, g: $0.g, p: (1 - $0.rate * $0.decay) * $0.p) }, update32: { adam32($0, isDecoupled: true) },
            update64: { adam64($0, isDecoupled: true) }
        ) { takes in takes.betas(0.9, 0.999) + [takes.eps(1e-8)] },
        OptimizerRow(
            "Nadam", rate: 2e-3, formula: "as Adam with μ = beta1 (1 - 0.96^(t momentum_decay)/2) and the gradient looked up ahead",
            summary: "Adam with Nesterov momentum",
            slots: 2,
            step: { t in
                let m = Formula.blend(t.first, t.decayed, t[0]), v = Formula.blend(t.second, t.decayed * t.decayed, t[1])
                let now = nadamMomentum(t[0], t[3], at: t.number), next = nadamMomentum(t[0], t[3], at: t.number + 1)
                let ahead: Formula = (1 - now) / (1 - t.memory) * t.decayed
                let behind: Formula = next / (1 - t.memory * next) * m
                let root: Formula = .root(v / (1 - .binary(.pow, t[1], t.number))) + t[2]
                return StepFormulas(p: t.p - t.rate * (ahead + behind) / root, moments: [m, v])
            }, memory: { $0.memory * nadamMomentum($0[0], $0[3], at: $0.number) }, update32: nadam, update64: nadam
        ) { takes in
            takes.betas(0.9, 0.999) + [
                takes.eps(1e-8), takes.number("momentum_decay", default: 4e-3, .within(0...), role: .followed, summary: "how fast beta1 reaches its value"),
            ]
        },
        OptimizerRow(
            "Lion", rate: 1e-4, formula: "p = p - lr (sign(beta1 m + (1 - beta1) g) + weight_decay p); m = beta2 m + (1 - beta2) g",
            summary: "steps of one size, in the direction of the momentum's sign", slots: 1,
            step: { t in
                let direction = Formula.unary(.sign, .blend(t.first, t.g, t[0]))
                return StepFormulas(p: t.p - t.rate * (direction + t.decay * t.p), moments: [.blend(t.first, t.g, t[1])])
            }, update32: lion, update64: lion
        ) { takes in takes.betas(0.9, 0.99) },
    ]

    package static func named(_ name: String) -> OptimizerRow? { all.first { $0.name == name } }

    /// The one that `fit` takes when none is named.
    package static let standard = "Adam"

    // MARK: Steps as formulas

    private static func adam(_ t: StepTerms, g: Formula, p: Formula) -> StepFormulas {
        let m = Formula.blend(t.first, g, t[0]), v = Formula.blend(t.second, g * g, t[1])
        func corrected(_ moment: Formula, _ share: Formula) -> Formula { moment / (1 - .binary(.pow, share, t.number)) }
        return StepFormulas(p: p - t.rate * corrected(m, t[0]) / (.root(corrected(v, t[1])) + t[2]), moments: [m, v])
    }

    /// T. Dozat 2016, as in PyTorch: the momentum of a step.
    private static func nadamMomentum(_ beta1: Formula, _ decay: Formula, at number: Formula) -> Formula {
        beta1 * (1 - 0.5 * .binary(.pow, 0.96, number * decay))
    }

    private static let nadamSchedule = FormulaProgram(nadamMomentum(.input(0), .input(1), at: .input(2)))

    // MARK: Updates

    private static func sgd(_ step: UpdateStep) -> act_sgd {
        act_sgd(lr: step.rate, momentum: step.values[0], l2: step.weightDecay, nesterov: step.values[1] != 0 ? 1 : 0)
    }

    private static func sgd32(_ block: UpdateBlock<Float>) {
        var values = sgd(block.step)
        Kernels.table.pointee.sgd_f32(block.p, block.g, block.first, block.count, &values)
    }

    private static func sgd64(_ block: UpdateBlock<Double>) {
        var values = sgd(block.step)
        Kernels.table.pointee.sgd_f64(block.p, block.g, block.first, block.count, &values)
    }

    private static func adam(_ step: UpdateStep, isDecoupled: Bool) -> act_adam {
        act_adam(
            lr: step.rate, b1: step.values[0], b2: step.values[1], eps: step.values[2], c1: 1 - power(step.values[0], step.number),
            c2: 1 - power(step.values[1], step.number), l2: isDecoupled ? 0 : step.weightDecay, decay: isDecoupled ? step.weightDecay : 0)
    }

    private static func adam32(_ block: UpdateBlock<Float>, isDecoupled: Bool) {
        var values = adam(block.step, isDecoupled: isDecoupled)
        Kernels.table.pointee.adam_f32(block.p, block.g, block.first, block.second, block.count, &values)
    }

    private static func adam64(_ block: UpdateBlock<Double>, isDecoupled: Bool) {
        var values = adam(block.step, isDecoupled: isDecoupled)
        Kernels.table.pointee.adam_f64(block.p, block.g, block.first, block.second, block.count, &values)
    }

    private static func rmsProp<T: BinaryFloatingPoint>(_ block: UpdateBlock<T>) {
        let (p, g, v, moving) = (block.p, block.g, block.first, block.second)
        let values = block.step.values
        let alpha = T(values[0]), rest = T(1 - values[0]), eps = T(values[1]), momentum = T(values[2])
        let rate = T(block.step.rate), decay = T(block.step.weightDecay)
        for i in 0..<block.count {
            let d = g[i] + decay * p[i]
            let square = alpha * v[i] + rest * d * d
            v[i] = square
            let change = momentum * moving[i] + d / (square.squareRoot() + eps)
            moving[i] = change
            p[i] -= rate * change
        }
    }

    private static func adagrad<T: BinaryFloatingPoint>(_ block: UpdateBlock<T>) {
        let (p, g, sum) = (block.p, block.g, block.first)
        let eps = T(block.step.values[0]), rate = T(block.step.rate), decay = T(block.step.weightDecay)
        for i in 0..<block.count {
            let d = g[i] + decay * p[i]
            let total = sum[i] + d * d
            sum[i] = total
            p[i] -= rate * d / (total.squareRoot() + eps)
        }
    }

    private static func nadam<T: BinaryFloatingPoint>(_ block: UpdateBlock<T>) {
        let (p, g, m, v, step) = (block.p, block.g, block.first, block.second, block.step)
        let (b1, b2) = (step.values[0], step.values[1])
        let now = nadamSchedule([b1, step.values[3], Double(step.number)]), next = nadamSchedule([b1, step.values[3], Double(step.number + 1)])
        let ahead = T(step.rate * (1 - now) / (1 - step.memory)), behind = T(step.rate * next / (1 - step.memory * next))
        let beta1 = T(b1), rest1 = T(1 - b1), beta2 = T(b2), rest2 = T(1 - b2), eps = T(step.values[2]), decay = T(step.weightDecay)
        let correction = T(1 - power(b2, step.number))
        for i in 0..<block.count {
            let d = g[i] + decay * p[i]
            let mean = beta1 * m[i] + rest1 * d, square = beta2 * v[i] + rest2 * d * d
            m[i] = mean
            v[i] = square
            let root = (square / correction).squareRoot() + eps
            p[i] = p[i] - ahead * d / root - behind * mean / root
        }
    }

    /// X. Chen et al. 2023, "Symbolic discovery of optimization algorithms".
    private static func lion<T: BinaryFloatingPoint>(_ block: UpdateBlock<T>) {
        let (p, g, m, step) = (block.p, block.g, block.first, block.step)
        let beta1 = T(step.values[0]), rest1 = T(1 - step.values[0]), beta2 = T(step.values[1]), rest2 = T(1 - step.values[1])
        let rate = T(step.rate), decay = T(step.weightDecay)
        for i in 0..<block.count {
            let c = beta1 * m[i] + rest1 * g[i]
            let sign: T = c > 0 ? 1 : c < 0 ? -1 : 0
            p[i] -= rate * (sign + decay * p[i])
            m[i] = beta2 * m[i] + rest2 * g[i]
        }
    }

    private static func power(_ base: Double, _ exponent: Int) -> Double { Scalar.binary(.pow, base, Double(exponent)) }
}

/// What several optimisers take.
extension Signature {
    /// A share of what was before that is kept in each step.
    fileprivate mutating func memory(_ name: String, _ share: Double, of what: String) -> Input<Double> {
        number(name, default: share, .within(0..<1), role: .followed, summary: "memory of \(what)")
    }

    fileprivate mutating func betas(_ first: Double, _ second: Double) -> [Input<Double>] {
        [memory("beta1", first, of: "gradients"), memory("beta2", second, of: "squares")]
    }

    fileprivate mutating func eps(_ number: Double) -> Input<Double> {
        self.number("eps", default: number, .within(0...), role: .followed, summary: "keeps from dividing by 0")
    }

    fileprivate mutating func momentum() -> Input<Double> {
        number("momentum", default: 0, .within(0...), role: .followed, summary: "how much of the last step goes on")
    }
}
