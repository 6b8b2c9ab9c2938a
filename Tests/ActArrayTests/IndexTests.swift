// Reading and writing by index, against what NumPy gives (IndexCases.swift) and by hand.

import ActArray
import Testing

private struct Case {
    var shape: [Int], indices: [NDArray.Index], selected: [Int], elements: [Double], assigned: [Double]

    init(_ line: Substring) throws {
        let fields = line.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
        func trimmed(_ s: some StringProtocol) -> String { String(s.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()) }
        func ints(_ s: some StringProtocol) -> [Int] { s.split { $0 == "," || $0 == " " }.compactMap { Int($0) } }
        shape = ints(fields[0])
        indices = try fields[1].split(separator: ";").map(trimmed).filter { !$0.isEmpty }.map { part in
            if part == "none" { return .newAxis }
            if part == "..." { return .ellipsis }
            if part.first == "@" || part.first == "?" {
                let halves = part.dropFirst().split(separator: ":", omittingEmptySubsequences: false)
                let numbers = ints(halves[1]).map(Double.init)
                return .array(try NDArray(numbers, shape: ints(halves[0]), type: part.first == "?" ? .bool : .f64))
            }
            if part.contains(":") {
                let bounds = part.split(separator: ":", omittingEmptySubsequences: false).map { Int($0) }
                return .slice(start: bounds[0], stop: bounds[1], step: bounds[2])
            }
            return .integer(Int(part) ?? 0)
        }
        selected = ints(fields[2])
        elements = ints(fields[3]).map(Double.init)
        assigned = ints(fields[4]).map(Double.init)
    }
}

@Suite struct IndexTests {
    private func array(_ shape: [Int], type: ElementType = .f64) throws -> NDArray {
        let count = shape.reduce(1, *)
        return try NDArray((0..<count).map(Double.init), shape: shape, type: type)
    }

    @Test(arguments: indexCases.split(separator: "\n"))
    func agreesWithNumPy(line: Substring) throws {
        let c = try Case(line)
        for type in [ElementType.f64, .f32] {
            var a = try array(c.shape, type: type)
            let original = a
            let got = try a.indexed(by: c.indices)
            #expect(got.shape == c.selected)
            #expect(try got.toDoubles() == c.elements)
            // Of a view with gaps.
            let view = try NDArray((0..<2 * a.count).map { Double($0) / 2 }, shape: c.shape.dropLast() + [2 * c.shape[c.shape.count - 1]])
                .indexed(by: [.ellipsis, .slice(start: nil, stop: nil, step: 2)])
            #expect(try view.indexed(by: c.indices).toDoubles() == c.elements)
            let value = try NDArray((0..<got.count).map { 100 + Double($0) }, shape: got.shape)
            try a.assign(.array(value), at: c.indices)
            #expect(try a.toDoubles() == c.assigned)
            #expect(a.type == type)
            #expect(try original.toDoubles() == (0..<original.count).map(Double.init))
        }
    }

    @Test(arguments: indexCases.split(separator: "\n"))
    func tracedIsTheSame(line: Substring) throws {
        let c = try Case(line)
        let a = try array(c.shape).variable()
        let got = try a.indexed(by: c.indices)
        #expect(got.shape == c.selected)
        #expect(try got.toDoubles() == c.elements)
        #expect(got.isTraced)
        let value = try NDArray((0..<got.count).map { 100 + Double($0) }, shape: got.shape)
        var target = a
        try target.assign(.array(value.variable()), at: c.indices)
        #expect(try target.toDoubles() == c.assigned)
        #expect(try a.toDoubles() == (0..<a.count).map(Double.init))
        var plain = try array(c.shape), traced = a
        try plain.assign(.number(7), at: c.indices)
        try traced.assign(.number(7), at: c.indices)
        #expect(try plain.toDoubles() == traced.toDoubles())
    }

    @Test func basicIndexIsAView() throws {
        let a = try array([1000, 1000])
        let row = try a.indexed(by: [.integer(3)])
        #expect(try row.evaluatedLayout().storage === a.evaluatedLayout().storage)
        #expect(try row.element(at: -1) == 3999)
        #expect(try a.element(at: [2, 5]) == 2005)
        #expect(try a.transposed().element(at: [5, 2]) == 2005)
    }

    @Test func writesInPlaceOnlyWhenAlone() throws {
        var a = try array([2000])
        let place = try a.evaluatedLayout().storage.pointer
        try a.setElement(5, at: 7)
        try a.assign(.number(1), at: [.slice(start: 10, stop: 20, step: nil)])
        #expect(try a.evaluatedLayout().storage.pointer == place)
        let b = a
        try a.setElement(6, at: 7)
        #expect(try b.element(at: 7) == 5)
        #expect(try a.element(at: 7) == 6)
        // A value that is a view of the target.
        var c = try array([10])
        try c.assign(.array(c.indexed(by: [.slice(start: nil, stop: -1, step: nil)])), at: [.slice(start: 1, stop: nil, step: nil)])
        #expect(try c.toDoubles() == [0, 0, 1, 2, 3, 4, 5, 6, 7, 8])
    }

    @Test func keepsItsElementType() throws {
        var flags = try NDArray(bools: [false, false, false], shape: [3])
        try flags.assign(.number(.nan), at: [.integer(0)])
        try flags.setElement(1.5, at: 1)
        #expect(try flags.toBools() == [true, true, false])
        var single = try NDArray([1, 2], shape: [2], type: .f32)
        try single.setElement(0.1, at: 0)
        #expect(try single.toDoubles() == [Double(Float(0.1)), 2])
    }

    @Test func broadcastsValues() throws {
        var a = try array([2, 3])
        try a.assign(.array(NDArray([7, 8, 9], shape: [1, 1, 3])), at: [.slice(start: nil, stop: nil, step: nil)])
        #expect(try a.toDoubles() == [7, 8, 9, 7, 8, 9])
        #expect(throws: ArrayError.cannotAssign(value: [2], to: [2, 3])) {
            try a.assign(.array(NDArray([1, 2], shape: [2])), at: [.ellipsis])
        }
    }

    @Test func faultsAreErrors() throws {
        let a = try array([2, 3])
        #expect(throws: ArrayError.indexOutOfRange(index: 2, axis: 0, size: 2)) { try a.indexed(by: [.integer(2)]) }
        #expect(throws: ArrayError.indexOutOfRange(index: -4, axis: 1, size: 3)) { try a.indexed(by: [.integer(0), .integer(-4)]) }
        #expect(throws: ArrayError.tooManyIndices(given: 3, rank: 2)) { try a.indexed(by: [.integer(0), .integer(0), .integer(0)]) }
        #expect(throws: ArrayError.stepIsZero) { try a.indexed(by: [.slice(start: nil, stop: nil, step: 0)]) }
        #expect(throws: ArrayError.indexNotWhole(0.5)) { try a.indexed(by: [.array(NDArray([0.5], shape: [1]))]) }
        #expect(throws: ArrayError.self) { try a.indexed(by: [.array(NDArray([.nan], shape: [1]))]) }
        #expect(throws: ArrayError.self) { try a.indexed(by: [.array(NDArray([1e300], shape: [1]))]) }
        #expect(throws: ArrayError.indexOutOfRange(index: 7, axis: 1, size: 3)) {
            try a.indexed(by: [.slice(start: nil, stop: nil, step: nil), .array(NDArray([0, 7], shape: [2]))])
        }
        #expect(throws: ArrayError.maskShape(mask: [3], array: [2, 3])) { try a.indexed(by: [.array(NDArray(bools: [true, false, true], shape: [3]))]) }
        #expect(throws: ArrayError.shapesDoNotBroadcast([2], [3], axis: -1)) {
            try a.indexed(by: [.array(NDArray([0, 1], shape: [2])), .array(NDArray([0, 1, 2], shape: [3]))])
        }
        for bound in [Int.min, Int.max] {
            #expect(throws: ArrayError.self) { try a.indexed(by: [.integer(bound)]) }
            #expect(throws: ArrayError.self) { try a.element(at: [bound, 0]) }
            for other in [Int.min, Int.max, 1] {
                let part = try a.indexed(by: [.slice(start: bound, stop: other, step: bound)])
                #expect(part.shape[0] <= 2)
            }
        }
    }

    @Test func gatherHasItsAdjoint() throws {
        let x = try array([6])
        let places = GatherIndices(starts: [4, 0, 4], chunk: 2)
        #expect(try x.gathered(places, shape: [3, 2]).toDoubles() == [4, 5, 0, 1, 4, 5])
        let g = try NDArray([1, 2, 3, 4, 5, 6], shape: [3, 2], type: .f32)
        #expect(try g.scatteredAdd(places, shape: [6]).toDoubles() == [3, 4, 0, 0, 6, 8])
        #expect(throws: ArrayError.self) { try x.gathered(GatherIndices(starts: [5], chunk: 2), shape: [2]) }
        #expect(throws: ArrayError.self) { try x.gathered(GatherIndices(starts: [-1], chunk: 1), shape: [1]) }
    }

    @Test func largeGathersAgree() throws {
        let n = 300_001
        let x = try array([n])
        let order = try NDArray((0..<n).map { Double(($0 * 7919) % n) }, shape: [n])
        let got = try x.indexed(by: [.array(order)])
        #expect(try got.toDoubles() == order.toDoubles())
        let table = try array([n / 3, 3])
        #expect(try table.indexed(by: [.array(NDArray([5, 99_999, 5], shape: [3]))]).toDoubles() == [15, 16, 17, 299_997, 299_998, 299_999, 15, 16, 17])
        let mask = try NDArray.compare(.ge, .array(x), .number(Double(n - 3)))
        #expect(try x.indexed(by: [.array(mask)]).toDoubles() == [299_998, 299_999, 300_000])
    }

    /// Views and selections that are made without a plan, against those of a traced array, which are not.
    @Test func shortWaysAreTheSame() throws {
        var dice = Dice(state: 20_261)
        func some(_ range: ClosedRange<Int>) -> Int { range.lowerBound + dice.roll(range.count) }
        func sizes() -> [Int] { (0..<some(1...4)).map { _ in some(0...4) } }
        func bound(_ size: Int) -> Int? { some(0...2) == 0 ? nil : some(-size - 2...size + 2) }
        for _ in 0..<3000 {
            var a = try array(sizes(), type: some(0...1) == 0 ? .f64 : .f32)
            switch some(0...4) {
            case 0: a = try a.transposed()
            case 1: a = try a.indexed(by: [.ellipsis, .slice(start: nil, stop: nil, step: -2)])
            case 2: a = try NDArray.unary(.neg, a)
            case 3: a = try a.broadcast(to: [2] + a.shape)
            default: break
            }
            var indices: [NDArray.Index] = (0..<some(1...a.rank + 1)).map { axis in
                let size = a.shape[min(axis, a.rank - 1)]
                return switch some(0...6) {
                case 0: .newAxis
                case 1: .ellipsis
                case 2: .integer(some(-size - 1...size))
                default: .slice(start: bound(size), stop: bound(size), step: [nil, 1, 2, -1, -3, 0][some(0...5)])
                }
            }
            if some(0...4) == 0 {
                let flags = try NDArray((0..<a.count).map { _ in Double(some(0...1)) }, shape: a.shape, type: .bool)
                indices = [.array(some(0...1) == 0 ? flags : try flags.transposed().transposed())]
            }
            let traced = Result { try a.variable().indexed(by: indices).detached() }, plain = Result { try a.indexed(by: indices) }
            switch (traced, plain) {
            case (.success(let expected), .success(let got)):
                #expect(got.shape == expected.shape && got.count == expected.count && got.type == expected.type, "\(a.shape) \(indices)")
                #expect(try got.toDoubles() == expected.toDoubles(), "\(a.shape) \(indices)")
                // What comes out is a whole array: it can be read on.
                #expect(try got.reshaped(to: [-1]).toDoubles() == expected.toDoubles() || got.count == 0)
            case (.failure(let expected as ArrayError), .failure(let got as ArrayError)): #expect(got == expected, "\(a.shape) \(indices)")
            default: Issue.record("\(a.shape) \(indices): \(traced) \(plain)")
            }
        }
    }

    @Test func masksOfManyElementsChoose() throws {
        for (shape, type) in [([200_003], ElementType.f32), ([517, 389], .f64), ([517, 389], .bool), ([32_768], .f64), ([32_769], .f32)] {
            let count = shape.reduce(1, *)
            let x = try NDArray((0..<count).map { type == .bool ? Double($0 % 3 / 2) : Double($0) }, shape: shape, type: type)
            for keeps in [{ $0 % 7 == 3 }, { _ in false }, { _ in true }, { $0 == count - 1 }, { $0 == 0 }] as [(Int) -> Bool] {
                let mask = try NDArray(bools: (0..<count).map(keeps), shape: shape)
                let got = try x.indexed(by: [.array(mask)])
                #expect(got.type == type && got.rank == 1)
                #expect(try got.toDoubles() == zip(x.toDoubles(), 0...).filter { keeps($0.1) }.map(\.0))
            }
        }
    }
}
