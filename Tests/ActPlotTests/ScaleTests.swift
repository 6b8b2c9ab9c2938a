import ActPlot
import Testing

@Suite struct ScaleTests {
    // Worked out by hand: the finest 1-2-5 step with at most so many multiples in the range, all labels with the same decimals.
    @Test(
        arguments: [
            (0, 1, 6, ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
            (-5, 4.9, 9, ["-4", "-2", "0", "2", "4"]),
            (-5, 4.9, 10, ["-5", "-4", "-3", "-2", "-1", "0", "1", "2", "3", "4"]),
            (0, 0.0005, 6, ["0.0000", "0.0001", "0.0002", "0.0003", "0.0004", "0.0005"]),
            (0, 3e-7, 4, ["0", "1e-7", "2e-7", "3e-7"]),
            (0, 1e7, 6, ["0", "2e6", "4e6", "6e6", "8e6", "1e7"]),
            (-0.999, 0.999, 9, ["-0.8", "-0.6", "-0.4", "-0.2", "0.0", "0.2", "0.4", "0.6", "0.8"]),
            (1e6, 3e6, 5, ["1.0e6", "1.5e6", "2.0e6", "2.5e6", "3.0e6"]),
            (1e-5, 2e-5, 6, ["1.0e-5", "1.2e-5", "1.4e-5", "1.6e-5", "1.8e-5", "2.0e-5"]),
            (-5e8, 1.5e9, 5, ["-5e8", "0", "5e8", "1e9", "1.5e9"]),
            (0, 9e-300, 4, ["0", "5e-300"]),
            (0, 100_000, 3, ["0", "50000", "100000"]),
            (1_000_000, 1_000_004, 5, ["1000000", "1000001", "1000002", "1000003", "1000004"]),
            (2.5e-9, 2.75e-9, 3, ["2.5e-9", "2.6e-9", "2.7e-9"]),
            (-1, 1, 3, ["-1", "0", "1"]),
            (0.3, 0.9, 2, ["0.5"]),
            (1.7e308, 1.79e308, 3, ["1.70e308", "1.75e308"]),
        ] as [(Double, Double, Int, [String])])
    func linearTicks(_ lower: Double, _ upper: Double, _ count: Int, _ labels: [String]) {
        #expect(Scale(lower...upper).ticks(atMost: count).map(\.label) == labels)
    }

    @Test(
        arguments: [
            (1, 1000, 5, ["1", "10", "100", "1000"]),
            (0.001, 10, 5, ["0.001", "0.01", "0.1", "1", "10"]),
            (1e-8, 1, 5, ["1e-8", "1e-6", "1e-4", "1e-2", "1"]),
            (2, 30, 5, ["2", "5", "10", "20"]),
            (1, 50, 8, ["1", "2", "5", "10", "20", "50"]),
            (1, 100, 8, ["1", "2", "5", "10", "20", "50", "100"]),
            (1, 100, 4, ["1", "10", "100"]),
            (20, 30, 3, ["20", "25", "30"]),
        ] as [(Double, Double, Int, [String])])
    func logarithmicTicks(_ lower: Double, _ upper: Double, _ count: Int, _ labels: [String]) {
        #expect(Scale(lower...upper, isLogarithmic: true).ticks(atMost: count).map(\.label) == labels)
    }

    @Test func allOfTheExponentRangeHasLogarithmicTicks() {
        let ticks = Scale(Double.leastNonzeroMagnitude...ScaleTests.most, isLogarithmic: true).ticks(atMost: 6)
        #expect(ticks.count >= 3 && ticks.contains { $0.value == 1 })
    }

    static let most = Double.greatestFiniteMagnitude
    static let ranges: [ClosedRange<Double>] = [
        0...1, -most...most, 0...most, -most...(-most / 2), 0...Double.leastNonzeroMagnitude, 0...Double.leastNormalMagnitude / 64,
        -1e-300...1e300, 1...1.0000000001,
        1e15...(1e15 + 2), 1e16...(1e16 + 100_000_000), -1e-5...1e-6, 3...3, 0...0, -7e22...9e22, 0.1...0.3, 123_456_789...123_456_999,
    ]

    @Test(arguments: ranges)
    func ticksAreFewInsideAndDistinct(_ range: ClosedRange<Double>) {
        let scale = Scale(range)
        for count in [1, 2, 3, 5, 8, 13, 40] {
            let ticks = scale.ticks(atMost: count)
            #expect(ticks.count <= count)
            if count > 4 { #expect(ticks.count >= 2) }
            #expect(zip(ticks, ticks.dropFirst()).allSatisfy { $0.value < $1.value })
            #expect(Set(ticks.map(\.label)).count == ticks.count)
            for tick in ticks {
                let place = scale.position(tick.value)
                #expect(place > -1e-6 && place < 1 + 1e-6)
                // The label says the value, as far as a label can.
                #expect(abs((Double(tick.label) ?? .nan) - tick.value) <= abs(tick.value) * 1e-15)
            }
        }
    }

    @Test(arguments: ranges)
    func positionAndValueAreInverse(_ range: ClosedRange<Double>) {
        let scale = Scale(range)
        #expect(scale.position(scale.lower) == 0)
        #expect(scale.position(scale.upper) == 1)
        for place in [0, 0.25, 0.5, 1] { #expect(abs(scale.position(scale.value(at: place)) - place) < 1e-5) }
        #expect(scale.position(.nan).isNaN && scale.position(.infinity).isNaN)
        #expect(scale.position(ScaleTests.most).isFinite)
    }

    @Test func logarithmicPositions() {
        let scale = Scale(1...100, isLogarithmic: true)
        #expect(scale.position(10) == 0.5)
        #expect(scale.position(0).isNaN && scale.position(-1).isNaN)
        #expect(Scale(0...10, isReversed: true).position(2) == 0.8)
    }

    @Test(
        arguments: [
            (0.0067, 0.9933, 0, 1), (0, 4.9, 0, 5), (-0.17, 5, -0.5, 5), (-1, 1, -1, 1),
            (-ScaleTests.most, ScaleTests.most, -ScaleTests.most, ScaleTests.most),
        ] as [(Double, Double, Double, Double)])
    func endsAreRoundedOutward(_ lower: Double, _ upper: Double, _ roundLower: Double, _ roundUpper: Double) {
        let scale = Scale(lower...upper).roundedOutward()
        #expect(scale.lower == roundLower)
        #expect(scale.upper == roundUpper)
    }

    @Test func minorTicksOfLogarithmicAxes() {
        #expect(Scale(1...30, isLogarithmic: true).minorTicks == [2, 3, 4, 5, 6, 7, 8, 9, 20, 30])
        #expect(Scale(1...1e9, isLogarithmic: true).minorTicks.isEmpty)
        #expect(Scale(1...30).minorTicks.isEmpty)
    }

    @Test func wholeTicksOnly() {
        #expect(Scale(-0.5...2.5).ticks(atMost: 10, whole: true).map(\.label) == ["0", "1", "2"])
        // Within one whole number they would leave the axis bare.
        #expect(Scale(0.2...0.6).ticks(atMost: 3, whole: true).map(\.label) == ["0.2", "0.4", "0.6"])
    }
}
