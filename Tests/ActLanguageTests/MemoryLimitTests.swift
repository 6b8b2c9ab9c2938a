// Near the limit: whatever a program computes, it ends with an error of memory or with the result that it has with room enough.

import ActArray
import ActLanguage
import ActSyntax
import ActTestSupport
import Testing

@Suite struct MemoryLimitTests {
    /// What is computed, by the primitives that it rests on. Sizes are such that work is shared out among threads and working memory is asked for.
    private static let setting = """
        seed(7)
        n = 20000
        x = randn(n); y = rand(n) + 0.5; m = randn(100, 200); k = rand(200, 100); q = f32(m); deep = randn(6, 40, 50); b = x > 0
        s = randn(40, 40) + 40 * eye(40); images = randn(4, 3, 12, 12); long = randn(150000); i = randint(0, n, (n,))
        """
    private static let programs = [
        // Elementwise, fused, of both types; where, comparisons, conversions.
        "sum(exp(x) * y - x / 3)", "max(where(b, x, y))", "sum(f32(x) * 2 + f32(y))", "sum((x < y) + (x == y))", "sum(bool(x)) + sum(int(y))",
        "sum(sin(x) + cos(x) * tanh(x))", "sum(hypot(x, y))", "sum(atan2(x, y))", "max(clip(x, -1, 1) ^ 2)",
        // Reductions, scans, normalisations, long rows.
        "sum(sum(m, axis=0))", "sum(prod(m, axis=1))", "sum(max(deep, axis=1))", "sum(cumsum(long))", "sum(cumprod(m, axis=0))", "sum(softmax(m))",
        "sum(log_softmax(long))", "argmax(long)", "sum(argmin(m, axis=0))", "logsumexp(long)", "sum(std(deep, axis=2))", "norm(m)",
        "median(x)", "sum(quantile(m, [0.1, 0.5, 0.9], axis=1))", "any(b) or all(b)", "sum(reshape(long, 50000, 3), axis=0)[1]",
        // Order and counting.
        "sum(sort(x) * x)", "sum(argsort(m, axis=0))", "sum(sort(m, axis=1))", "len(unique(i))", "sum(bincount(i))", "sum(histogram(x, 50)[0])",
        "sum(searchsorted(sort(x), y))", "sum(nonzero(b)[0])",
        // Shape and places.
        "sum(transpose(deep, (2, 0, 1)) * 1)", "sum(concat((x, y)) * 1)", "sum(stack((x, y), axis=1)[:, 0])", "sum(repeat(x, 3))", "sum(tile(m, (2, 2)))",
        "sum(pad(m, 3))", "sum(roll(x, 5) * x)", "sum(flip(m, 0) * m)", "sum(x[i])", "sum(x[b])", "sum(m[::-1, ::2])", "sum(broadcast_to(x[:, none], (n, 4)))",
        "sum(outer(x[:200], y[:200]))", "sum(one_hot(i % 10, 10))", "sum(meshgrid(x[:150], y[:150])[0])", "{ z = x; z[i] = 1; sum(z) }",
        "{ z = x; z[b] = 0; sum(z) }",
        // Products and linear algebra.
        "sum(m @ k)", "sum(q @ f32(k))", "sum(deep @ transpose(deep, (0, 2, 1)))", "sum(ones(30, 40, 40) @ ones(30, 40, 40))",
        "sum(ones(2, 130, 130) @ ones(130, 130))",
        "sum(eigh(m[:60, :60])[0])", "sum(svd(m[:60, :40])[1])", "sum(qr(m)[1])", "sum(cholesky(m @ m' + eye(100)))",
        "sum(eig(m[:30, :30], complex=true).real)",
        "dot(x, y)", "sum(m @ y[:200])", "sum(inv(s))", "sum(solve(s, ones(40)))", "det(s) > 0", "trace(m @ k)", "sum(dot(deep, randn(50, 3)))",
        // Random numbers.
        "{ seed(1); sum(randn(n)) + sum(rand(n)) + sum(permutation(n) * x) }",
        // Derivatives.
        "sum(grad(v -> sum(tanh(v) ^ 2))(x))", "sum(sigmoid'(x))", "sum(jacobian(v -> cumsum(v) ^ 2)(x[:60]))", "sum(grad(v -> sum(sort(v) * y))(x))",
        "sum(grad(v -> sum(v[i]))(x))", "sum(grad(w -> sum((m @ w) ^ 2))(k))", "sum(grad(v -> sum(softmax(v) ^ 2))(m))",
        "hessian(v -> sum(v ^ 3))(x[:30])[3, 3]",
        "check_grad(v -> sum(inv(v)), s[:5, :5]) < 1", "sum(grad(w -> sum((deep @ w) ^ 2))(transpose(deep, (0, 2, 1))))",
        // Layers, and training.
        "sum(Dense(200, 50, relu)(m))", "sum(Conv2D(3, 4, 3)(images))", "sum(Conv2D(3, 4, 3, padding=1, stride=2)(images))", "sum(MaxPool2D(2)(images))",
        "sum(AvgPool2D(2)(images))", "sum(BatchNorm(200)(m))", "sum(LayerNorm(200)(m))", "sum(Embedding(10, 16)(i % 10))", "sum(Maxout(200, 20)(m))",
        "sum(Residual(Dense(200, 200))(m))", "sum(PReLU()(m))", "sum(FReLU(3)(images))",
        "sum(Conv3D(1, 2, (1, 3, 3), dilation=(1, 2, 1), padding=\"same\")(images[:, none]))", "sum(Conv2D(3, 3, 3, groups=3, stride=(1, 2))(images))",
        "sum(max_pool(images, 3, 2, padding=1, ceil=true, indices=true)[1])", "sum(AvgPool2D(3, 2, padding=1, ceil=true)(images))",
        "sum(InstanceNorm(3)(images))",
        "sum(grid_sample(images, zeros(4, 9, 9, 2), padding=\"reflection\"))", "sum(grad(w -> sum(conv(images, w)^2))(randn(2, 3, 3, 3)))",
        "history(fit(Dense(200, 8, relu) >> Dense(8, 1), m, ones(100, 1), mse, Adam(), epochs=3, batch=50, progress=false)).loss",
        "history(fit(Conv2D(3, 2, 3) >> relu >> MaxPool2D(2) >> Flatten() >> Dense(50, 2), images, [0, 1, 0, 1], cross_entropy, SGD(0.01), epochs=3, batch=2, progress=false)).loss",
        // Values that hold others, and text.
        "len([v -> v + j for j in range(2000)])", "len({a: (1, 2), b: 1})", "{ r = {}; for j in range(500) { r[\"name number {j}\"] = j }; len(r) }",
        "len(join([\"{j}\" for j in range(5000)], \", \"))", "len(split(repeat(\"word \", 5000)))", "len(replace(repeat(\"ab\", 20000), \"a\", \"xyz\"))",
        "len(repr(x))",
        "len(to_json(m))", "sum(from_json(to_json(x)) == x)", "len(upper(repeat(\"é\", 30000)))", "repeat(\"é\", 30000)[20000]",
        "len([c for c in repeat(\"é\", 5000)])",
        "len(\"{x}{repr(x)}{m}\")", "len(format(x, \".3f\"))", "len(reduce((a, c) -> a >> c, [relu for j in range(300)])(x))",
        "{ l = (); for j in range(2000) { l = concat((l, (j,))) }; len(l) }", "contains(repeat(\"ab\", 50000), \"c\")",
    ]

    /// Text that `session` shows for a program, or nothing if it ended with the limit; whatever else happened is written down.
    private final class Output: SessionOutput {
        var text = "", diagnostics: [Diagnostic] = []
        func write(_ text: String) { self.text += text }
        func show(_ shown: Shown) { text += shown.text + "\n" }
        func report(_ diagnostic: Diagnostic, _ session: Session) { diagnostics.append(diagnostic) }
    }

    @Test func anErrorOrTheResult() async {
        await #expect(processExitsWith: .success) {
            ThreadPool.count = 3
            var odd: [String] = []
            let output = Output()
            var options = Session.Options()
            options.warns = false
            let session = try Session(options: options, output: output)
            #expect(session.run(MemoryLimitTests.setting, named: "setting") == .done)
            for program in MemoryLimitTests.programs {
                /// How the program ends with `room` bytes beside what is held already.
                func run(_ room: Int) -> (status: Session.Status, text: String, titles: [String]) {
                    (output.text, output.diagnostics) = ("", [])
                    let before = MemoryPool.limit
                    MemoryPool.limit = MemoryPool.used + room
                    defer { MemoryPool.limit = before }
                    let status = session.run("seed(3); \(program)", named: "program")
                    return (status, output.text, output.diagnostics.map(\.title))
                }
                let free = 1 << 30
                let expected = run(free)
                guard expected.status == .done, !expected.text.isEmpty else {
                    odd.append("\(program) does not run: \(expected)")
                    continue
                }
                // The least power of two that is enough, then sixty steps up to it.
                var enough = 1 << 10
                while enough < free, run(enough).status != .done { enough *= 2 }
                for step in 0..<60 {
                    let room = enough * step / 59, result = run(room)
                    let isRight = result.status == .done && result.text == expected.text && result.titles.isEmpty
                    let isError =
                        result.status == .limit && result.text.isEmpty && result.titles.allSatisfy { $0.contains("memory limit") } && result.titles.count == 1
                    if !isRight, !isError { odd.append("\(program) with \(room) bytes: \(result), not \(expected.text)") }
                }
                if MemoryPool.used < 0 { odd.append("\(program): the account is negative") }
            }
            for line in odd { Issue.record("\(line)") }
            #expect(odd.isEmpty, "\(odd.prefix(20).joined(separator: "\n"))")
        }
    }
}
