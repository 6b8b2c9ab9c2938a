// All operators by name. What differs from opset to opset is in the operator's own function.

package enum ONNXOperators {
    private static let families: [[OperatorRow]] = [
        unary, elementwise, sums, comparisons, logicals, extremes, arithmetic, conversions, reductions, shapes, choices, joins, windows, normalizations,
        recurrences, attentions, losses,
        quantizations, resizings, signals, sequences, control, draws, steps,
    ]
    private static let all: [String: OperatorRow] = Dictionary(families.joined().map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    /// Of the domain of training.
    private static let training: Set<String> = ["Adam", "Adagrad", "Momentum"]

    /// The newest version of each domain that is read; what an operator computes may be another in a later one.
    static let newest: [String: Int64] = ["": 28, "ai.onnx.ml": 5, "ai.onnx.preview.training": 1, "ai.onnx.training": 1]
    /// The newest version of the messages themselves.
    static let newestFormat: Int64 = 14

    /// Those that act has, of all domains.
    package static var names: [String] { all.keys.sorted() }

    static func named(_ name: String, domain: String) -> OperatorRow? {
        switch domain {
        case "": training.contains(name) ? nil : all[name]
        case "ai.onnx.preview.training", "ai.onnx.training": training.contains(name) ? all[name] : nil
        case "ai.onnx.ml": ["Binarizer", "ArrayFeatureExtractor"].contains(name) ? all[name] : nil
        default: nil
        }
    }
}
