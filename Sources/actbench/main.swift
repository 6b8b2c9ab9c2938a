// Throughput of the hot paths, beside what the machine can do at most: the speed of a plain copy and of multiply-adds. A regression
// shows here without any peer. Run it on a quiet machine: make bench

import ActArray
import ActGrad
import ActLanguage
import ActOrder
import ActRandom
import ActSyntax
import ActText
import CActSystem

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The median of `runs` timings; each repeats short work until it lasts a millisecond.
func seconds(runs: Int = 15, _ work: () throws -> Void) rethrows -> Double {
    try work()
    let start = act_seconds()
    try work()
    let repeats = max(1, Int(min(1e-3 / max(act_seconds() - start, 1e-9), 1e6)))
    var samples: [Double] = []
    for _ in 0..<runs {
        let start = act_seconds()
        for _ in 0..<repeats { try work() }
        samples.append((act_seconds() - start) / Double(repeats))
    }
    return samples.sorted()[runs / 2]
}

func padded(_ text: String, _ width: Int) -> String { text + String(repeating: " ", count: max(0, width - text.count)) }

func printed(_ number: Double) -> String {
    let digits = number >= 100 ? 0 : number >= 10 ? 1 : number >= 1 ? 2 : 3
    let scale = [1.0, 10, 100, 1000][digits]
    return String(describing: (number * scale).rounded() / scale)
}

// MARK: What the machine can do

/// Bytes a second of copying 80 MB between two buffers on all cores, reads and writes counted.
func copyBandwidth() -> Double {
    let count = 10_000_000
    let source = UnsafeMutablePointer<Double>.allocate(capacity: count), target = UnsafeMutablePointer<Double>.allocate(capacity: count)
    source.initialize(repeating: 1, count: count)
    target.initialize(repeating: 0, count: count)
    defer {
        source.deallocate()
        target.deallocate()
    }
    let part = 1 << 17
    let time = seconds {
        ThreadPool.parallelFor((count + part - 1) / part) { index in
            let start = index * part
            (target + start).update(from: source + start, count: min(part, count - start))
        }
    }
    return Double(count * 16) / time
}

// MARK: Workloads

struct Row {
    let name: String
    let elements: Double
    let bytes: Double
    let work: () throws -> Void
}

func arrayRows() throws -> [Row] {
    var rows: [Row] = []
    for type in [ElementType.f32, .f64] {
        for n in [10_000, 1_000_000, 10_000_000] {
            let x = try NDArray.linspace(-5, 5, n).converted(to: type)
            try x.evaluate()
            let bytes = Double(2 * n * type.size)
            func row(_ name: String, bytes: Double = bytes, _ work: @escaping () throws -> NDArray) {
                rows.append(Row(name: "\(name)/\(type.name)/\(n)", elements: Double(n), bytes: bytes) { try work().evaluate() })
            }
            for name in ["relu", "sigmoid", "tanh", "silu", "gelu", "softplus", "mish", "elu"] {
                guard let activation = Activations.named(name) else { continue }
                row(name) { try activation.apply(x) }
                if n == 1_000_000 { row(name + "'") { try activation.derivative(x) } }
            }
            row("x + x") { try x + x }
            row("3x^2 - 2x + 1") { try NDArray.binary(.pow, .array(x), .number(2)) * 3 - x * 2 + 1 }
            row("sum", bytes: bytes / 2) { try x.reduced(.sum) }
            row("softmax rows of 100") { try x.reshaped(to: [n / 100, 100]).softmax() }
        }
    }
    return rows
}

/// Operations along axes, between rows and columns, and on parts, of a matrix of 1000 × 1000.
func matrixRows() throws -> [Row] {
    var source = RandomSource(seed: 1)
    return try [ElementType.f32, .f64].flatMap { (type: ElementType) -> [Row] in
        let n = 1000, x = try source.uniform(shape: [n, n], type: type), bytes = Double(2 * n * n * type.size)
        let first = try x.indexed(by: [.integer(0)]), column = try first.expandedDims(1)
        func row(_ name: String, reads: Bool = false, _ work: @escaping () throws -> NDArray) -> Row {
            Row(name: "\(name)/\(type.name)", elements: Double(n * n), bytes: reads ? bytes / 2 : bytes) { try work().evaluate() }
        }
        return [
            row("x + row") { try x + first },
            row("x * column") { try x * column },
            row("row times column") { try column * first },
            row("sum along rows", reads: true) { try x.reduced(.sum, axes: [1]) },
            row("sum along columns", reads: true) { try x.reduced(.sum, axes: [0]) },
            row("std along rows", reads: true) { try x.standardDeviation(axes: [1]) },
            row("argmax along rows", reads: true) { try x.argReduced(.max, axis: 1) },
            row("cumsum along rows") { try x.cumulative(.sum, axis: 1) },
            row("cumsum along columns") { try x.cumulative(.sum, axis: 0) },
            row("how many > 0.5", reads: true) { try NDArray.compare(.gt, .array(x), .number(0.5)).reduced(.sum) },
            row("where > 0.5") { try x.indexed(by: [.array(NDArray.compare(.gt, .array(x), .number(0.5)))]) },
            row("transposed copy") { try x.transposed().contiguous() },
            row("every other, summed", reads: true) {
                try x.indexed(by: [.slice(start: nil, stop: nil, step: 2), .slice(start: nil, stop: nil, step: 2)]).reduced(.sum)
            },
        ]
    }
}

func productRows() throws -> [Row] {
    var source = RandomSource(seed: 1)
    return try [ElementType.f32, .f64].flatMap { type in
        try [64, 512, 1024].map { n in
            let a = try source.uniform(shape: [n, n], type: type), b = try source.uniform(shape: [n, n], type: type)
            return Row(name: "matmul/\(type.name)/\(n)", elements: 2 * Double(n) * Double(n) * Double(n), bytes: Double(3 * n * n * type.size)) {
                try NDArray.matmul(a, b).evaluate()
            }
        }
    }
}

final class Silence: SessionOutput {
    func write(_ text: String) {}
    func show(_ shown: Shown) {}
    func report(_ diagnostic: Diagnostic, _ session: Session) { print("\(diagnostic.title)") }
}

/// Programs, timed whole; `elements` counts what the program does most.
func programRows() throws -> [Row] {
    let output = Silence()
    let session = try Session(output: output)
    session.run(
        """
        loop(n) = { s = 0; for i in range(n) { s = s + i * 0.5 }; s }
        fib(n) = if n < 2 { n } else { fib(n - 1) + fib(n - 2) }
        x = linspace(-1, 1, 10)
        small(n) = for i in range(n) { x + x }
        chain(a) = { s = a; for i in range(10000) { s = sin(s) + 0.5 * a }; s }
        m = zeros(100, 100)
        fill(n) = { a = m; for k in range(n) { for i in range(100) { for j in range(100) { a[i, j] += 0.5 * i } } }; a[0, 0] }
        collect(n) = { l = (); for i in range(n) { l = append(l, i) }; len(l) }
        calls(n) = for i in range(n) { a = x.reshape(2, -1); b = x[::-1]; c = zeros(10) }
        marked(n) = { y = rand(n); y[y > 0.5] = 0; y[1:-1] += 1; sum(y) }
        seed(1)
        p = {w: 0.1 * randn(32, 32), b: zeros(32)}
        steps(p) = { h = zeros(1, 32); for t in range(100) { h = tanh(h @ p.w + p.b) }; mean(h^2) }
        again(n) = for i in range(n) { grad(steps)(p) }
        xs = randn(256, 32)
        each(n) = for i in range(n) { vmap(x -> grad(p -> mean(tanh(x @ p.w + p.b)^2))(p))(xs) }
        """, named: "setup")
    func row(_ name: String, _ source: String, _ elements: Double) -> Row {
        Row(name: name, elements: elements, bytes: 0) {
            withExtendedLifetime(output) { _ = session.run(source, named: name) }
        }
    }
    return [
        row("loop rounds", "loop(1000000);", 1e6), row("calls (fib)", "fib(24);", 75_025 * 2), row("x + x of 10, from a program", "small(100000);", 1e5),
        row("gradient through a loop, steps", "chain'(0.3);", 1e4), row("gradient replayed, steps", "again(20);", 2000),
        row("gradients of 256 examples at once", "each(4);", 1024), row("elements changed one by one", "fill(20);", 2e5),
        row("list made longer", "collect(100000);", 1e5), row("calls of arrays of 10", "calls(30000);", 9e4),
        row("marked elements changed", "marked(1000000);", 1e6),
    ]
}

let filter = CommandLine.arguments.dropFirst().first
let bandwidth = copyBandwidth()
print("copy bandwidth \(printed(bandwidth / 1e9)) GB/s, \(ThreadPool.count) threads\n")
print(padded("", 36), padded("time", 12), padded("ns/element", 12), padded("GB/s", 9), "of copy")
for row in try arrayRows() + matrixRows() + productRows() + programRows() where filter.map({ row.name.contains($0) }) ?? true {
    let time = try seconds(row.work)
    let unit = time >= 1e-3 ? "\(printed(time * 1e3)) ms" : "\(printed(time * 1e6)) µs"
    let rate = row.bytes / time
    let share = row.bytes > 0 ? "\(printed(rate / bandwidth * 100)) %" : ""
    print(padded(row.name, 36), padded(unit, 12), padded(printed(time * 1e9 / row.elements), 12), padded(row.bytes > 0 ? printed(rate / 1e9) : "", 9), share)
}
