// Training at a terminal: a line that moves, and Ctrl-C that keeps the last whole epoch.

import ActTestSupport
import Testing

@Suite(.serialized) struct TrainingAtTerminalTests {
    private static let prompt = "act> "

    @Test func interruptKeepsTheLastWholeEpoch() throws {
        let terminal = try PseudoTerminal([], environment: ["XDG_STATE_HOME": "/dev/null"], columns: 100)
        try terminal.expect(Self.prompt)
        terminal.enter("seed(1); x = f32(rand(2000, 50)); y = floor(10 * rand(2000));")
        try terminal.expect(Self.prompt)
        terminal.enter("net = fit(Dense(50, 100, relu) >> Dense(100, 10), x, y, cross_entropy, epochs=1000000)")
        try terminal.expect("epoch       1/1000000  loss 2.")
        try terminal.expect(" left")
        terminal.interrupt()
        try terminal.expect("interrupted: the parameters are those after epoch ")
        try terminal.expect(Self.prompt)
        // The answer to Ctrl-C is given where no progress is shown, too.
        terminal.enter("print(\"begins\"); net = fit(net, x, y, cross_entropy, epochs=1000000, progress=false)")
        try terminal.expect("begins\n")
        _ = try? terminal.expect("never comes", seconds: 1)
        terminal.interrupt()
        try terminal.expect("interrupted: the parameters are those after epoch ")
        try terminal.expect(Self.prompt)
        terminal.enter("len(history(net).loss) > 0 and all(isfinite(net(x)))")
        try terminal.expect("true\n")
        try terminal.expect(Self.prompt)
        terminal.type("\u{4}")
        #expect(try terminal.waitForEnd().status == 0)
    }
}
