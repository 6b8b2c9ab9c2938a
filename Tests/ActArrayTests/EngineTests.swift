import ActArray
import Testing

/// Memory, threads, the interrupt and numeric events. What is the process's own is changed in processes of their own.
@Suite struct EngineTests {
    @Test func numbersDoNotDependOnThreads() async {
        await #expect(processExitsWith: .success) {
            var results: [[Double]] = []
            for threads in [1, 2, 3, 7] {
                ThreadPool.count = threads
                let x = try array(300_000), y = try array(300_000, type: .f32)
                let table = try x.reshaped(to: [600, 500])
                results.append(
                    try [
                        NDArray.unary(.tanh, x * y).reduced(.sum), y.reduced(.sum), table.reduced(.sum, axes: [0]),
                        table.reduced(.sum, axes: [1]), table.softmax(), NDArray.unary(.exp, x) + table.transposed().reshaped(to: [300_000]),
                    ].flatMap { try $0.toDoubles() })
            }
            for other in results.dropFirst() { #expect(same(other, results[0])) }
        }
    }

    @Test func everyChunkRunsOnce() {
        for chunks in [0, 1, 2, 3, 100, 1000] {
            let counts = UnsafeMutablePointer<Int>.allocate(capacity: max(1, chunks * 3))
            defer { counts.deallocate() }
            counts.initialize(repeating: 0, count: max(1, chunks * 3))
            for _ in 0..<50 {
                ThreadPool.parallelFor(chunks) { index in
                    ThreadPool.parallelFor(3) { inner in counts[index * 3 + inner] += 1 }
                }
            }
            #expect((0..<chunks * 3).allSatisfy { counts[$0] == 50 })
        }
    }

    @Test func theLimitIsAnError() async {
        await #expect(processExitsWith: .success) {
            MemoryPool.limit = 70 << 20
            let x = try NDArray.full(1, shape: [1 << 20], type: .f64)
            #expect(throws: ArrayError.outOfMemory(bytes: 1 << 27, limit: 70 << 20)) { try NDArray.full(1, shape: [1 << 24], type: .f64) }
            var kept: [NDArray] = []
            #expect(throws: ArrayError.self) { while true { kept.append(try NDArray.full(1, shape: [1 << 20], type: .f64)) } }
            #expect(kept.count >= 6 && MemoryPool.used <= 70 << 20)
            let sum = try x + 1
            #expect(throws: ArrayError.self) { try sum.evaluate() }
            kept = []
            #expect(try sum.toDoubles()[5] == 2)  // an error leaves the graph as it was
            // Buffers that were kept free make room for other sizes, again and again.
            for round in 0..<200 { _ = try NDArray.full(1, shape: [(3 << 20) + round * 4096], type: .f64) }
            #expect(throws: ArrayError.self) {
                var small: [NDArray] = []
                while true { small.append(try NDArray.full(1, shape: [100], type: .f64)) }
            }
        }
    }

    @Test func reservationsCount() throws {
        let before = MemoryPool.used
        func hold() throws {
            var held = try Reservation(1 << 30)
            #expect(MemoryPool.used >= 1 << 30)
            #expect(throws: ArrayError.self) { try held.grow(by: Int.max) }
            #expect(throws: ArrayError.self) { try held.grow(by: -1) }
            #expect(held.bytes == 1 << 30)
        }
        try hold()
        #expect(before >= 0 && MemoryPool.used < 1 << 30)
    }

    /// What runs on other threads fails as what runs here: with its own error, whatever part of the work it was.
    @Test func errorsOfThreadsReachTheCaller() {
        for chunks in [1, 2, 100, 1000] {
            for bad in Set([0, chunks / 2, chunks - 1]) {
                #expect(throws: ArrayError.negativeSize(bad)) {
                    try ThreadPool.parallel(chunks) { index in if index == bad { throw ArrayError.negativeSize(bad) } }
                }
                #expect(throws: ArrayError.negativeSize(bad)) {
                    try ThreadPool.parallelPieces(chunks, of: 1) { piece in if piece.contains(bad) { throw ArrayError.negativeSize(bad) } }
                }
            }
        }
    }

    @Test func interruptsEndComputations() throws {
        let engine = Engine(), other = Engine()
        let x = try array(500_000), y = try NDArray.unary(.sin, x * 2.0)
        engine.interrupt.raise()
        try engine.run {
            #expect(throws: ArrayError.interrupted) { try y.evaluate() }
            #expect(throws: ArrayError.interrupted) { try x.reduced(.sum) }
            #expect(throws: ArrayError.interrupted) { try (x * 3.0).reduced(.max) }
            #expect(throws: ArrayError.interrupted) { try x.reshaped(to: [500, 1000]).reduced(.sum, axes: [0]) }
            #expect(throws: ArrayError.interrupted) { try x.softmax() }
            // Engines within one another: the inner one counts, then the outer one again.
            let largest = try other.run { try (x * 3.0).reduced(.max).toDoubles() }
            #expect(largest.count == 1)
            #expect(Interrupt.isSet)
        }
        #expect(!Interrupt.isSet && !other.interrupt.isRaised)
        engine.interrupt.clear()
        let sines = try engine.run { try y.toDoubles() }
        #expect(same(sines, numbers(500_000).map { Scalar.unary(.sin, $0 * 2) }))
    }

    /// Helpers compute for the engine whose job it is, and for none afterwards.
    @Test func helpersBelongToTheEngineOfTheJob() {
        for _ in 0..<100 {
            let engine = Engine()
            engine.run {
                ThreadPool.count = 3
                ThreadPool.parallelFor(50) { _ in
                    if Engine.current !== engine || ThreadPool.count != 3 { Issue.record("a helper computes for another engine") }
                }
            }
        }
        #expect(Engine.current === Engine.process)
    }

    @Test func sitesBelongToOneEngine() {
        final class Owner {}
        let first = SiteTable(), second = SiteTable(), owner = Owner()
        let base = first.register(owner, count: 130), other = second.register(owner, count: 1)
        for id in [base, base + 129] {
            #expect(first.owner(of: Site(id: id)) === owner)
            #expect(second.owner(of: Site(id: id)) == nil)
        }
        #expect(first.owner(of: Site(id: other)) == nil && first.owner(of: .unknown) == nil)
        first.forget(owner, base, count: 130)
        #expect(first.owner(of: Site(id: base)) == nil && first.owner(of: Site(id: base + 129)) == nil)
        #expect(second.owner(of: Site(id: other)) === owner)
        second.forget(owner, other, count: 1)
    }

    // MARK: Numeric events

    private func events(_ body: () throws -> Void) rethrows -> [NumericEvent] {
        NumericEvents.isEnabled = true
        defer { NumericEvents.isEnabled = false }
        _ = NumericEvents.drain()
        try body()
        return NumericEvents.drain()
    }

    @Test(arguments: [3, 50_000])
    func eventsNameOperationAndElement(count: Int) throws {
        var elements = [Double](repeating: 1, count: count)
        elements[count - 1] = 0
        elements[1] = 800
        let x = try NDArray(elements, shape: [count])
        func event(_ kind: NumericEvent.Kind, _ name: String, _ count: Int, _ first: Int, _ example: [Double]) -> NumericEvent {
            NumericEvent(kind: kind, operation: name, site: .unknown, count: count, first: first, example: example)
        }
        #expect(try events { try (1 / x).evaluate() } == [event(.divideByZero, "/", 1, count - 1, [1, 0])])
        #expect(try events { try NDArray.unary(.exp, x).evaluate() } == [event(.overflow, "exp", 1, 1, [800])])
        #expect(try events { try NDArray.unary(.log, x).evaluate() } == [event(.divideByZero, "log", 1, count - 1, [0])])
        #expect(try events { try (x / x).evaluate() } == [event(.invalid, "/", 1, count - 1, [0, 0])])
        // The middle operation of several; infinities that were there before are not news.
        #expect(try events { try (NDArray.unary(.exp, x + 0.0) * 2.0 + 1.0).evaluate() } == [event(.overflow, "exp", 1, 1, [800])])
        #expect(try events { _ = try (NDArray.unary(.sqrt, x - 1.0) * 2.0).reduced(.sum) } == [event(.invalid, "sqrt", 1, count - 1, [-1])])
        #expect(try events { try (x * .infinity + 1.0).evaluate() }.map(\.kind) == [.invalid])
        #expect(try events { try NDArray.unary(.tanh, (x - 400.0) * 1e300).evaluate() } == [])
        #expect(try events { try NDArray.compare(.lt, .array(x), .number(.nan)).evaluate() } == [])
        #expect(try events { try (x * 1e39).converted(to: .f32).evaluate() }.map(\.kind) == [.overflow])
    }

    @Test func sumsOverflow() throws {
        let large = try NDArray.full(1e38, shape: [5000], type: .f32), table = try large.reshaped(to: [50, 100])
        func overflow(_ count: Int) -> [NumericEvent] {
            [NumericEvent(kind: .overflow, operation: "sum", site: .unknown, count: count, first: 0, example: [])]
        }
        #expect(try events { _ = try large.reduced(.sum) } == overflow(1))
        #expect(try events { _ = try (large * 1.0).reduced(.sum) } == overflow(1))
        #expect(try events { _ = try table.reduced(.sum, axes: [0]) } == overflow(100))
        #expect(try events { _ = try table.reduced(.max, axes: [0]) } == [])
        let infinite = try NDArray.full(.infinity, shape: [5000], type: .f64)
        #expect(try events { _ = try infinite.reduced(.sum) } == [])
        #expect(try events { _ = try (infinite * 1.0).reduced(.sum) } == [])
    }

    /// The input is given up, and still shown as the example.
    @Test func eventsInPlace() throws {
        let found = try events {
            var x = try NDArray.range(0, 100_000, 1)
            x = try 1 / (x - 50_000.0)
            try x.evaluate()
        }
        #expect(found == [NumericEvent(kind: .divideByZero, operation: "/", site: .unknown, count: 1, first: 50_000, example: [1, 0])])
    }

    @Test func unwatchedIsQuiet() throws {
        _ = NumericEvents.drain()
        try (1 / NDArray([0], shape: [1])).evaluate()
        #expect(NumericEvents.drain() == [])
    }
}
