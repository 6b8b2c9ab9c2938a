// The table of what a derivative does at each argument of each built-in, held against differences: what is followed has the right
// derivative, what is opaque says so, and nothing is left out.

import ActLanguage
import ActSyntax
import ActTestSupport
import Testing

private final class Recorder: SessionOutput {
    var text = ""
    var problems: [Diagnostic] = []
    func write(_ text: String) { self.text += text }
    func show(_ shown: Shown) { text += shown.text + "\n" }
    func report(_ diagnostic: Diagnostic, _ session: Session) { problems.append(diagnostic) }
}

private func run(_ program: String) throws -> (text: String, error: String?) {
    let output = Recorder()
    try withExtendedLifetime(Session(options: .init(), output: output)) { _ = $0.run(program, named: "test.act") }
    return (output.text, output.problems.first { $0.level == .error }?.title)
}

@Suite struct ArgumentRoleTests {
    /// For each followed argument an expression in t, and what t is. Where nothing stands for an argument of one number, `name(t)` does.
    private static let followed = """
        range.start | range(t, 3) | 0.3
        range.step | range(1, 3, t) | 0.3
        linspace.start | linspace(t, 2, 4) | 0.3
        linspace.stop | linspace(1, t, 4) | 0.3
        avg_pool.x | avg_pool(reshape([t, t^2, 1, 2], 1, 1, 4), 2) | 0.3
        max_pool.x | max_pool(reshape([t, t^2, 1, 2], 1, 1, 4), 2) | 0.3
        conv.x | conv(reshape([t, t^2, 1], 1, 1, 3), reshape([2, 3], 1, 1, 2)) | 0.3
        conv.W | conv(reshape([1, 2, 3], 1, 1, 3), reshape([t, t^2], 1, 1, 2)) | 0.3
        conv.b | conv(reshape([1, 2, 3], 1, 1, 3), reshape([1, 2], 1, 1, 2), [t^2]) | 0.3
        conv_transpose.x | conv_transpose(reshape([t, t^2, 1], 1, 1, 3), reshape([2, 3], 1, 1, 2)) | 0.3
        conv_transpose.W | conv_transpose(reshape([1, 2, 3], 1, 1, 3), reshape([t, t^2], 1, 1, 2)) | 0.3
        conv_transpose.b | conv_transpose(reshape([1, 2, 3], 1, 1, 3), reshape([1, 2], 1, 1, 2), [t^2]) | 0.3
        corrcoef.y | corrcoef([1, 2, 4], [t, 1, t^2])[0, 1] | 0.3
        cov.y | cov([1, 2, 4], [t, 1, t^2]) | 0.3
        einsum.subscripts | einsum([t, t^2], (0,), [2, 3], (0,)) | 0.3
        grid_sample.x | grid_sample(reshape([t, t^2, 1, 2], 1, 1, 2, 2), [[[[0.2, -0.1]]]]) | 0.3
        grid_sample.grid | grid_sample(reshape([1, 2, 4, 7], 1, 1, 2, 2), [[[[t, t^2]]]]) | 0.3
        full.fill_value | full((2, 2), t) | 0.3
        update.optimizer | update(SGD(t), [1, 2], [1, 3])[0] | 0.3
        update.parameters | update(AdamW(0.1), [t, t^2], [1, 3])[0] | 0.3
        update.gradient | update(RMSProp(0.1), [1, 2], [t, t^2])[0] | 0.3
        LBFGS.lr | LBFGS(t).lr | 0.3
        array.object | array((t, (2 * t), 1)) | 0.3
        meshgrid.vectors | meshgrid([t, 1], [2, t^2])[1] | 0.3
        permutation.x | { seed(1); permutation([t, t^2, 1]) * [1, 2, 3] } | 0.3
        f32.x | f64(f32([t, 2])) | 0.3
        f64.x | f64([t, 2]) | 0.3
        number.x | 2 * number([[t]]) | 0.3
        reshape.a | reshape([t, t^2], (2, 1)) | 0.3
        flatten.a | flatten([[t, t^2]]) | 0.3
        transpose.a | transpose([[t, t^2]]) | 0.3
        swapaxes.a | swapaxes([[t, t^2]], 0, 1) | 0.3
        concat.arrays | concat(([t], [t^2])) | 0.3
        stack.arrays | stack(([t], [t^2])) | 0.3
        split.x | split([t, t^2], 2)[1] | 0.3
        tile.a | tile([t, t^2], 2) | 0.3
        repeat.a | repeat([t, t^2], [1, 2]) | 0.3
        pad.a | pad([t, t^2], 1, mode="edge") | 0.3
        pad.constant_values | pad([[t, 2]], 1, constant_values=t^2) | 0.3
        flip.a | flip([t, t^2]) | 0.3
        roll.a | roll([t, t^2], 1) | 0.3
        expand_dims.a | expand_dims([t, t^2], 0) | 0.3
        squeeze.a | squeeze([[t, t^2]]) | 0.3
        broadcast_to.a | broadcast_to([t, t^2], (3, 2)) | 0.3
        atan2.y | atan2(t, 2) | 0.3
        atan2.x | atan2(2, t) | 0.3
        clip.x | clip([t, 2], 0, 1) | 0.3
        clip.a_min | clip([0, 2], t, 1) | 0.3
        clip.a_max | clip([0, 2], 0, t) | 0.3
        where.x | where([true, false], t, t^2) | 0.3
        where.y | where([true, false], 1, t^2) | 0.3
        max.a | max([t, t^2]) | 0.3
        max.others | max(0, t, 0.1) | 0.3
        min.a | min([t, t^2]) | 0.3
        min.others | min(1, t, 2) | 0.3
        maximum.x | maximum(t, 0.1) | 0.3
        maximum.y | maximum(0.1, t) | 0.3
        minimum.x | minimum(t, 1) | 0.3
        minimum.y | minimum(1, t) | 0.3
        hypot.x | hypot(t, 2) | 0.3
        hypot.y | hypot(2, t) | 0.3
        sum.a | sum([t, t^2]) | 0.3
        prod.a | prod([t, t^2, 3]) | 0.3
        mean.a | mean([t, t^2]) | 0.3
        std.a | std([t, t^2, 1]) | 0.3
        std.ddof | std([1, 2, 4, 7], ddof=t) | 0.3
        var.a | var([t, t^2, 1]) | 0.3
        var.ddof | var([[1, 2], [4, 7]], axis=0, ddof=t) | 0.3
        cumsum.a | cumsum([t, t^2, 1]) | 0.3
        cumprod.a | cumprod([t, t^2, 1]) | 0.3
        logsumexp.a | logsumexp([[t, t^2], [1, 2 * t]], axis=(0, 1)) | 0.3
        norm.a | norm([t, t^2]) | 0.3
        norm.ord | norm([[1, -2], [3, 0]], t, axis=1) | 2.3
        median.a | median([t, t^2, 4, 5]) | 0.3
        quantile.a | quantile([t, t^2, 4], 0.3) | 0.3
        quantile.q | quantile([[1, 5], [2, 9], [7, 4]], [t, 0.5 * t], axis=0) | 0.3
        sort.a | sort([t, t^2]) | 0.3
        unique.a | unique([t, 2, t, t^2]) | 0.3
        bincount.weights | bincount([0, 2, 2], weights=[t, t^2, 3 * t]) | 0.3
        histogram.a | histogram([t, 2, t^2], bins=3)[1] | 0.3
        histogram.bins | histogram([1, 2], bins=[t, 1, 1 + t])[1] | 0.3
        histogram.range | histogram([1, 2], bins=3, range=(t, 2 + t^2))[1] | 0.3
        dot.a | dot([t, t^2], [1, 2]) | 0.3
        dot.b | dot([1, 2], [t, t^2]) | 0.3
        matmul.a | matmul([[t, t^2]], [1, 2]) | 0.3
        matmul.b | matmul([[1, 2]], [t, t^2]) | 0.3
        outer.a | outer([t, t^2], [1, 2]) | 0.3
        outer.b | outer([1, 2], [t, t^2]) | 0.3
        trace.a | trace([[t, 2], [3, t^2]]) | 0.3
        inv.a | inv([[t, 2], [3, t^2]]) | 0.3
        solve.a | solve([[t, 2], [3, t^2]], [1, 2]) | 0.3
        solve.b | solve([[1, 2], [3, 5]], [t, t^2]) | 0.3
        det.a | det([[t, 2], [3, t^2]]) | 0.3
        einsum.operands | einsum("ij,j,i", [[t, 1], [2, t^2]], [t, 3], [1, t])
        tril.m | tril([[t, t^2], [2, t]])
        triu.m | triu([[t, t^2], [2, t]])
        diag.v | concat((diag([t, t^2]), diag([[t, 1], [2, t^2]])[none]))
        top_k.x | top_k([t, t^2, 1], 2)[0]
        take_along.x | take_along([t, t^2, 1], [2, 0])
        put_along.x | put_along([t, t^2, 1], [1], 5)
        put_along.values | put_along([1, 2, 3], [1, 1, 2], [t, t^2, 3 * t])
        scatter_add.x | scatter_add([t, t^2], [1, 1], [3, 4])
        scatter_add.values | scatter_add([[1, 2], [3, 4]], [1, -1], [[t, t^2], [1, t]])
        segment_sum.x | segment_sum([t, t^2, 1], [0, 0, 1])
        choice.xs | { seed(1); choice([t, t^2, 1], 6) }
        scan.start | scan((s, x) -> (s * x, s + x), t, [1, 2])[1]
        scan.xs | scan((s, x) -> (s * x, s + x), 2, [t, t^2])[1]
        append.xs | append([t, t^2], 1)
        append.v | append([[1, 2]], [t, t^2])
        unflatten.v | unflatten([t, t^2], [0, 0])
        map.others | map((a, b) -> a * b, [1, 2], [t, t^2])
        jvp.x | jvp(x -> x^3, t, 2)[1]
        jvp.v | jvp(x -> x^3, [1, 2], [t, t^2])[1]
        vjp.x | vjp(x -> x^3, [t, t^2])[1]([2, 3])
        hvp.x | hvp(x -> sum(x^4), [t, t^2], [1, 2])
        hvp.v | hvp(x -> sum(x^4), [1, 2], [t, t^2])
        attend.q | attend([[t, t^2], [1, t]], [[1, 2], [3, 1]], [[1], [2]])
        attend.k | attend([[1, 2], [1, 3]], [[t, t^2], [1, t]], [[1], [2]], causal=true)
        attend.v | attend([[1, 2], [1, 3]], [[1, 2], [1, t]], [[t], [t^2]])
        cholesky.a | cholesky([[t + 2, t^2], [t^2, 3]])
        qr.a | concat(qr([[t, 2], [3, t^2]]))
        svd.a | { u, s, v = svd([[t, 2], [3, t^2], [1, t]]); concat((flatten(u), s, flatten(v))) }
        eigh.a | { w, v = eigh([[t, 2], [2, t^2]]); concat((w, flatten(v))) }
        slogdet.a | slogdet([[t, 2], [3, t^2]])[1]
        pinv.a | pinv([[t, 2], [3, t^2], [1, 1]])
        lstsq.a | lstsq([[t, 2], [3, t^2], [1, 1]], [1, 2, 4])
        lstsq.b | lstsq([[1, 2], [3, 4], [1, 1]], [t, t^2, 4])
        matrix_power.a | matrix_power([[t, 2], [3, t^2]], -3)
        kron.a | kron([t, t^2], [[1, 2]])
        kron.b | kron([1, 2], [[t, t^2]])
        nansum.a | nansum([t, nan, t^2])
        nanmean.a | nanmean([[t, nan], [t^2, 1]], axis=0)
        nanstd.a | nanstd([t, nan, t^2, 1])
        nanstd.ddof | nanstd([1, nan, 2, 7], ddof=t)
        nanmin.a | nanmin([t, nan, t^2])
        nanmax.a | nanmax([t, nan, t^2])
        nanquantile.a | nanquantile([t, nan, t^2, 4], [0.3, 0.8])
        nanquantile.q | nanquantile([[1, nan, 2], [5, 1, 2]], [t, t^2], axis=1)
        cov.m | cov([[t, t^2, 1], [1, 4, t]])
        cov.ddof | cov([[1, 2, 4], [1, 4, 9]], ddof=t)
        corrcoef.x | corrcoef([[t, t^2, 1], [1, 4, t]])
        interp.x | interp([t, 1 + t], [0, 1, 3], [1, 2, 7])
        interp.xp | interp([1, 2], [t, 1 + t, 3], [1, 2, 7])
        interp.fp | interp([0.5, 2], [0, 1, 3], [t, t^2, 7])
        convolve.a | convolve([t, t^2, 3], [1, 2], "same")
        convolve.v | convolve([1, 2, 3], [t, t^2], "valid")
        polyfit.x | polyfit([t, 1, 2, 4], [1, 2, 5, 3], 2)
        polyfit.y | polyfit([0, 1, 2, 4], [t, t^2, 5, 3], 2)
        polyval.p | polyval([t, t^2, 1], [2, 3])
        polyval.x | polyval([1, 2, 1], [t, t^2])
        fmod.x | fmod(t * 10, 2)
        fmod.y | fmod(7, t)
        exp2.x | exp2([t, t^2])
        gamma.x | gamma([t, -t, 3 * t])
        lgamma.x | lgamma([t, -t, 30 * t])
        digamma.x | digamma([t, -t, 30 * t])
        acosh.x | acosh([1 + t, 5 * t])
        resize.x | resize([[t, t^2], [1, 2]], (3, 5))
        softmax.x | softmax([t, t^2]) | 0.3
        log_softmax.x | log_softmax([t, t^2]) | 0.3
        softmin.x | softmin([t, t^2]) | 0.3
        hardmax.x | hardmax([t, t^2]) | 0.3
        sparsemax.x | sparsemax([t, t^2]) | 0.3
        maxout.x | maxout([t, t^2], [[[1], [0]], [[0], [1]]]) | 0.3
        maxout.W | maxout([1, 2], [[[t], [t^2]], [[0], [0]]]) | 0.3
        maxout.b | maxout([1, 2], [[[1], [2]], [[0], [0]]], [[t], [0]]) | 0.3
        glu.x | glu([t, t^2]) | 0.3
        reglu.x | reglu([t, t^2]) | 0.3
        geglu.x | geglu([t, t^2]) | 0.3
        swiglu.x | swiglu([t, t^2]) | 0.3
        bilinear.x | bilinear([t, t^2]) | 0.3
        crelu.x | crelu([t, t^2]) | 0.3
        map.xs | map(x -> x^2, [t, t^2]) | 0.3
        filter.xs | filter(x -> x > 0, [t, t^2, -1]) | 0.3
        reduce.xs | reduce((a, b) -> a * b, [t, t^2]) | 0.3
        reduce.start | reduce((a, b) -> a * b, [2, 3], t) | 0.3
        parameters.net | { n = Dense(1, 1, dtype="f64"); n.W = [[t]]; parameters(n).W } | 0.3
        r2.prediction | r2([t, 1, t^2], [1, 2, 4]) | 0.3
        r2.target | r2([1, 2, 4], [t, 1, t^2]) | 0.3
        batches.x | batches([t, t^2, 1], size=2, shuffle=false)[0] | 0.3
        batches.y | batches([1, 2, 3], [t, t^2, 1], size=2, shuffle=false)[0][1] | 0.3
        normalize.x | normalize([t, t^2, 1]) | 0.3
        mse.prediction | mse([t, t^2], [1, 2]) | 0.3
        mse.target | mse([1, 2], [t, t^2]) | 0.3
        mae.prediction | mae([t, t^2], [1, 2]) | 0.3
        mae.target | mae([1, 2], [t, t^2]) | 0.3
        huber.prediction | huber([t, t^2], [0.1, 2]) | 0.3
        huber.target | huber([0.1, 2], [t, t^2]) | 0.3
        huber.delta | huber([0.1, 2, -3], [0, 0, 0], t) | 0.3
        cross_entropy.logits | cross_entropy([[t, t^2]], [1]) | 0.3
        cross_entropy.labels | cross_entropy([[1, 3]], [[t, 1 - t]]) | 0.3
        nll.log_probabilities | nll([[-t, -t^2]], [1]) | 0.3
        nll.labels | nll([[-1, -3]], [[t, 1 - t]]) | 0.3
        bce.probability | bce([t, t^2], [0, 1]) | 0.3
        bce.target | bce([0.2, 0.3], [t, t^2]) | 0.3
        bce_logits.logit | bce_logits([t, t^2], [0, 1]) | 0.3
        bce_logits.target | bce_logits([0.2, 0.3], [t, t^2]) | 0.3
        hinge.score | hinge([t, t^2], [1, -1]) | 0.3
        kl_div.p | kl_div([t, 1 - t], [0.4, 0.6]) | 0.3
        kl_div.q | kl_div([0.4, 0.6], [t, 1 - t]) | 0.3
        constant_rate.lr | constant_rate(t, warmup=2)(1) | 0.3
        constant_rate.warmup | constant_rate(0.1, warmup=t)(1) | 2.3
        step_rate.lr | step_rate(t, every=2)(5) | 0.3
        step_rate.every | step_rate(0.1, every=t)(5) | 2.3
        step_rate.factor | step_rate(0.1, every=2, factor=t)(5) | 0.3
        step_rate.warmup | step_rate(0.1, every=2, warmup=t)(1) | 2.3
        cosine_rate.lr | cosine_rate(t, 10)(4) | 0.3
        forward.net | { n = Dense(1, 1, dtype="f64"); n.W = [[t]]; sum(forward(n, [[2]])[0]) }
        forward.x | { n = Dense(1, 1, dtype="f64"); n.W = [[2]]; sum(forward(n, [[t]])[0]) }
        freeze.net | { n = Dense(1, 1, dtype="f64"); n.W = [[t]]; sum(freeze(n)([[2]])) }
        unfreeze.net | { n = Dense(1, 1, dtype="f64"); n.W = [[t]]; sum(unfreeze(freeze(n))([[2]])) }
        cross_entropy.weights | cross_entropy([[1, 2], [3, 1]], [0, 1], weights=[t, 2])
        cosine_rate.epochs | cosine_rate(0.1, t)(4) | 9.3
        cosine_rate.floor | cosine_rate(0.1, 10, floor=t)(4) | 0.3
        cosine_rate.warmup | cosine_rate(0.1, 10, warmup=t)(4) | 2.3
        """

    /// The true derivative is 0 nearly everywhere.
    private static let flat: Set = [
        "floor.x", "ceil.x", "round.x", "trunc.x", "int.x", "sign.x", "step.x", "step.threshold", "hardmax.x", "step_rate.every", "hard_shrink.lambda",
        "threshold.theta", "trelu.theta",
    ]

    /// Arguments with no derivative, each in an expression that needs it.
    private static let opaque = """
        BatchNorm.momentum | sum(BatchNorm(2, momentum=t)([[1, 2]]))
        BatchNorm.eps | sum(BatchNorm(2, eps=t)([[1, 2]]))
        LayerNorm.eps | sum(LayerNorm(2, eps=t)([[1, 2]]))
        Dropout.rate | sum(Dropout(t)([[1, 2]], training=true))
        fit.net | { n = Dense(1, 1, dtype="f64"); n.W = [[t]]; sum(fit(n, [[1], [2]], [[1], [2]], mse, progress=false)([[1]])) }
        fit.x | sum(fit(Dense(1, 1), [[t], [2]], [[1], [2]], mse, progress=false)([[1]]))
        fit.y | sum(fit(Dense(1, 1), [[1], [2]], [[t], [2]], mse, progress=false)([[1]]))
        fit.loss | sum(fit(Dense(1, 1), [[1], [2]], [[1], [2]], (p, y) -> t * mse(p, y), progress=false)([[1]]))
        fit.optimizer | sum(fit(Dense(1, 1), [[1], [2]], [[1], [2]], mse, SGD(t), progress=false)([[1]]))
        gradient_flow.x | sum(gradient_flow(Dense(1, 1), [[t]], [[1]], mse).gradient)
        activation_flow.x | sum(activation_flow(Dense(1, 1), [[t]]).mean)
        format.value | number(format(t, ".3f"))
        repr.x | number(repr(t))
        join.parts | number(join(("{t}", "1")))
        replace.text | number(replace("{t}", "x", "y"))
        replace.new | number(replace("x", "x", "{t}"))
        trim.text | number(trim("{t}"))
        upper.text | number(upper("{t}"))
        lower.text | number(lower("{t}"))
        to_json.value | from_json(to_json(t))
        from_json.text | sum(from_json("[{t}, 2]"))
        number.x | number("{t}") * t
        int.x | int("{t}" + "1") + t
        split.x | number(split("1 {t}")[1])
        repeat.a | number(repeat("{t}", 1))
        load.path | { save([t], "/FOLDER/t.npy"); sum(load("/FOLDER/t.npy")) }
        """

    private static func table(_ text: String) -> [String: (expression: String, point: String)] {
        var rows: [String: (String, String)] = [:]
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: "|").map { $0.drop { $0 == " " } }
            rows[String(parts[0].prefix { $0 != " " })] = (String(parts[1]), parts.count > 2 ? String(parts[2]) : "0.3")
        }
        return rows
    }

    /// An expression for an argument of an activation function, or of a function of one number.
    private static func plain(_ row: Builtin, _ index: Int) -> (expression: String, points: [String])? {
        if row.parameters.count == 1, row.topic == .elementwise || row.topic == .activations || row.name == "int" { return ("\(row.name)(t)", ["0.37"]) }
        if row.topic == .activations || row.name == "round" {
            var arguments = ["[-1.3, 0.37, 2.6]"] + row.parameters.dropFirst().map { $0.fallback ?? "1" }
            let point = index == 0 ? "[-1.3, 0.37, 2.6]" : "\(Double(arguments[index]).map { $0 + 0.11 } ?? 1)"
            arguments[index] = "t"
            return ("\(row.name)(\(arguments.joined(separator: ", ")))", [point])
        }
        // What an optimiser is made of it keeps.
        if row.topic == .networks, row.parameters.first?.name == "lr", row.parameters.contains(where: { $0.name == "clip_norm" }) {
            let name = row.parameters[index].name
            return ("\(row.name)(\(name)=t).\(name)", ["0.3"])
        }
        return nil
    }

    @Test func followedArgumentsHaveTheirDerivatives() throws {
        let samples = Self.table(Self.followed)
        var used: Set<String> = []
        for row in BuiltinRows.all {
            for (index, role) in row.roles.enumerated() where role == .followed {
                let name = "\(row.name).\(row.parameters[index].name)"
                guard let (expression, points) = samples[name].map({ ($0.expression, [$0.point]) }) ?? Self.plain(row, index) else {
                    Issue.record("\(name) is followed, but by no test")
                    continue
                }
                used.insert(name)
                for point in points {
                    let (text, error) = try run(
                        """
                        f = t -> \(expression)
                        print(check_grad(f, \(point)))
                        print(any(f'(\(point)) != 0))
                        """)
                    let lines = text.split(separator: "\n")
                    #expect(error == nil, "\(name): \(expression)")
                    guard lines.count == 2, let difference = Double(lines[0]) else { continue }
                    #expect(difference < (row.name == "f32" ? 1e-2 : 1e-5), "\(name): \(expression)")
                    #expect((lines[1] == "true") != Self.flat.contains(name), "\(name): \(expression) at \(point)")
                }
            }
        }
        #expect(used.isSuperset(of: samples.keys), "\(Set(samples.keys).subtracting(used)) are followed no more")
    }

    @Test func opaqueArgumentsAreErrors() throws {
        for (name, sample) in Self.table(Self.opaque) {
            let (text, error) = try withFolder { try run("f = t -> \(sample.expression.replacing("/FOLDER", with: $0))\nprint(f'(0.3))") }
            #expect(error?.hasSuffix("has no derivative") == true, "\(name): \(sample.expression) gives \(text)\(error ?? "")")
        }
    }

    /// What is opaque stays usable: an error comes only where a derivative needs it.
    @Test func opaqueResultsAreConstantsOtherwise() throws {
        let (text, error) = try run(
            """
            f = t -> { s = "{t}"; print(s, len(s)); if contains(s, "0") { t^2 } else { 0 } }
            print(f'(0.5))
            print((t -> floor(number("{t}")) + t)'(2.5))
            print((t -> number("2.5") * t)'(2.5))
            """)
        #expect(error == nil)
        #expect(text == "0.5 3\n1\n1\n2.5\n")
    }

    /// Positions are constants within a function, and have no derivative of their own.
    @Test(arguments: ["argmax", "argmin", "argsort", "a -> searchsorted([1, 2], a)"]) func positions(function: String) throws {
        let (text, error) = try run("p = \(function)\nprint(grad(x -> sum(x * p(x)))([0.0, 2.0]) == p([0.0, 2.0]))")
        #expect(error == nil && !text.contains("false"), "\(function): \(text) \(error ?? "")")
        #expect(try run("p = \(function)\nprint(jacobian(p)([0.0, 2.0]))").error?.hasSuffix("has no derivative") == true, "\(function)")
    }
}
