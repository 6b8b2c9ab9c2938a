import ActArray
import Testing

@Suite struct CreateTests {
    /// Counts follow from the decimals as written, by hand; `stop` never appears.
    @Test(
        arguments: [
            (-5.0, 5.0, 0.1, 100), (0, 0.3, 0.1, 3), (0, 1, 0.1, 10), (1, 1.3, 0.1, 3), (0, 2.1, 0.7, 3), (5, -5, -0.5, 20), (0, 5, 2, 3),
            (0, 0, 1, 0), (3, 1, 1, 0), (1e16, 1e16 + 10, 4, 3), (0, 1, 1e-3, 1000), (0, 1, 3, 1),
        ] as [(Double, Double, Double, Int)])
    func rangeCount(start: Double, stop: Double, step: Double, count: Int) throws {
        let elements = try NDArray.range(start, stop, step).toDoubles()
        #expect(elements.count == count)
        #expect(elements.allSatisfy { step > 0 ? $0 < stop : $0 > stop })
    }

    @Test func rangeRoundsTheProductFirst() throws {
        #expect(try NDArray.range(-5, 5, 0.1).toDoubles()[50] == 0)
    }

    @Test func badRanges() {
        #expect(throws: ArrayError.stepIsZero) { try NDArray.range(0, 1, 0) }
        #expect(throws: ArrayError.self) { try NDArray.range(0, .infinity, 1) }
        #expect(throws: ArrayError.self) { try NDArray.range(.nan, 1, 1) }
        #expect(throws: ArrayError.self) { try NDArray.range(0, 1e300, 1) }
        #expect(throws: ArrayError.self) { try NDArray.range(-1.7e308, 1.7e308, 1e290) }
    }

    @Test func linspaceEndsExactly() throws {
        let x = try NDArray.linspace(0.1, 0.7, 7).toDoubles()
        #expect(x.first == 0.1 && x.last == 0.7 && x.count == 7)
        #expect(try NDArray.linspace(3, 9, 1).toDoubles() == [3])
        #expect(try NDArray.linspace(3, 9, 0).toDoubles() == [])
        for a in [0, -0.0, 2, -2.5, 5e-324, 1e308] {
            for n in 1...5 { #expect(try NDArray.linspace(a, a, n).toDoubles() == [Double](repeating: a, count: n)) }
        }
        #expect(try NDArray.linspace(-1.7e308, 1.7e308, 3).toDoubles() == [-1.7e308, 0, 1.7e308])
        #expect(throws: ArrayError.negativeSize(-1)) { try NDArray.linspace(0, 1, -1) }
    }

    @Test func eyeHasDiagonals() throws {
        #expect(try NDArray.eye(2, 3, 1).toDoubles() == [0, 1, 0, 0, 0, 1])
        #expect(try NDArray.eye(3, 2, -1, type: .f32).toDoubles() == [0, 0, 1, 0, 0, 1])
        #expect(try NDArray.eye(2, 2, Int.max).toDoubles() == [0, 0, 0, 0])
    }

    @Test func typesConvertWhatTheyAreGiven() throws {
        #expect(try NDArray([0, 0.1, .nan], shape: [3], type: .bool).toBools() == [false, true, true])
        #expect(try NDArray([0.1], shape: [1], type: .f32).toDoubles() == [Double(Float(0.1))])
        #expect(try NDArray(bools: [true, false], shape: [2]).toDoubles() == [1, 0])
    }

    @Test func sizesAreChecked() {
        #expect(throws: ArrayError.cannotReshape([2], to: [3])) { try NDArray([1, 2], shape: [3]) }
        #expect(throws: ArrayError.negativeSize(-2)) { try NDArray.full(0, shape: [-2], type: .f64) }
        #expect(throws: ArrayError.tooLarge(shape: [1 << 40, 1 << 40])) { try NDArray.full(0, shape: [1 << 40, 1 << 40], type: .f64) }
        #expect(throws: ArrayError.self) { try NDArray.full(0, shape: [Int](repeating: 1, count: 33), type: .f64) }
        #expect(throws: ArrayError.self) { try NDArray.full(0, shape: [1 << 46], type: .f64) }
        #expect(throws: Never.self) { try NDArray.full(0, shape: [1 << 40, 0], type: .f64) }
    }
}
