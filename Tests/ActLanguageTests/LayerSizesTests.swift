// Settings of layers that are sizes: what is too long or too deep for them is refused without being looked through.

import ActLanguage
import Testing

@Suite struct LayerSizesTests {
    /// The last takes 2⁶⁰ steps to walk, the one before 10¹¹.
    private static let prelude = """
        many = [(i, "a") for i in range(100000)]
        rows = zeros(1e11, 0)
        shared = ([1.5, 2], "ab"); for i in range(60) { shared = (shared, shared) }
        """

    @Test(arguments: [
        "MaxPool2D(X)", "AvgPool1D(2, dilation=X)", "AvgPool3D(2, stride=X)", "MaxPool2D(2, padding=X)", "Conv1D(1, 1, kernel=X)",
        "Conv2D(1, 1, 3, dilation=X)",
        "ConvTranspose1D(1, 1, 3, dilation=X)", "LayerNorm(X)",
    ])
    func whatIsNoSizesIsRefusedUnseen(call: String) throws {
        let session = try TestSession()
        #expect(session.run(Self.prelude) == .done)
        for value in ["many", "rows", "shared", "((1, 2), (3, (4, 5)))", "(1, \"a\")", "sin"] {
            #expect(session.run(call.replacing("X", with: value)) == .failed, "\(call), \(value)")
        }
    }

    @Test func nestedResidualsAreAskedOnceEach() throws {
        let session = try TestSession()
        #expect(session.run("r = Residual(Dense(2, 2)); for i in range(60) { r = Residual(r) }; summary(r)") == .done)
    }
}
