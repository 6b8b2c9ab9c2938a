// Drawing that nobody waits for any more. In processes of their own, for what says so is the process's.

import ActPlot
import Testing

@Suite struct CancellationTests {
    private nonisolated(unsafe) static var questions = 0
    private nonisolated(unsafe) static var patience = 0

    /// From the `patience`-th question on, the answer is yes.
    private static func cancel(after patience: Int) {
        (questions, self.patience) = (0, patience)
        Cancellation.isRequested = {
            questions += 1
            return questions > CancellationTests.patience
        }
    }

    @Test func endsAnywhere() async {
        await #expect(processExitsWith: .success) {
            for example in Gallery.examples {
                for patience in [0, 1, 2, 3, 5, 8, 13, 30] {
                    CancellationTests.cancel(after: patience)
                    _ = svg(example.figure)
                    _ = render(example.figure, TerminalStyle())
                }
            }
            precondition(!Gallery.examples.isEmpty)
        }
    }

    @Test func buildsNothingMore() async {
        await #expect(processExitsWith: .success) {
            let values = (0..<200_000).map(Double.init)
            for patience in 0...8 {
                CancellationTests.cancel(after: patience)
                let figures = [
                    try Figure.histogram(values), try Figure.line(y: values), try Figure.scatter(x: values, y: values), try Figure.bar(heights: values),
                    try Figure.heatmap(values, rows: 400, columns: 500), try Figure.contour(values, rows: 400, columns: 500),
                    try Figure.image(values, rows: 400, columns: 500),
                ]
                for figure in figures {
                    _ = svg(figure)
                    _ = render(figure, TerminalStyle())
                }
            }
        }
    }

    @Test func asksOftenEnough() async {
        await #expect(processExitsWith: .success) {
            let values = (0..<1_000_000).map { Double($0 % 1000) }
            CancellationTests.cancel(after: .max)
            let figure = try Figure.scatter(x: values, y: values)
            let built = CancellationTests.questions
            _ = svg(figure)
            precondition(built >= 0 && CancellationTests.questions - built >= values.count / 100_000)
            CancellationTests.questions = 0
            _ = render(try Figure.histogram(values), TerminalStyle())
            precondition(CancellationTests.questions >= values.count / 100_000)
        }
    }
}
