// Why something has no ONNX model, as data: the wording is ActLanguage's.

import ActArray

package enum ONNXExportError: Error, Equatable {
    /// An operation without a form in ONNX, and where it ran.
    case noForm(operation: String, at: Site)
    /// A file holds no more than `ONNXModel.mostBytes`.
    case tooLarge(bytes: Int)
}
