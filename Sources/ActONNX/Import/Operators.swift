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
