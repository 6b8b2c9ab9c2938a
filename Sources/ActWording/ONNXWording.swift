// What goes wrong with ONNX models, in words.

import ActMachine
import ActONNX
import ActSyntax

enum ONNXWording {
    static func words(for error: ONNXError) -> RefusalWording.Words {
        let (title, help) = words(for: error.fault)
        return ("`\(error.path)`: \(title.text)", help)
    }

    private static func words(for fault: ONNXFault) -> RefusalWording.Words {
        switch fault {
        case .protobuf(let fault): (words(for: fault), nil)
        case .tooDeep(let depth): ("graphs stand inside one another more than \(depth) deep", nil)
        case .noGraph: ("it is not an ONNX model: there is no graph in it", nil)
        case .negativeSize(let name): ("the tensor `\(name)` has a negative size", nil)
        case .tensorSize(let name, let shape, let type, let bytes):
            (
                "the tensor `\(name)` of shape \(ActMachine.describe(shape.map { Int($0) })) and type \(type.name) does not have the \(bytes) bytes that are there",
                nil
            )
        case .tensorTooLarge(let name, let shape):
            ("the tensor `\(name)` of shape \(ActMachine.describe(shape.map { Int($0) })) has more elements than any file holds", nil)
        case .unknownType(let name, let code): ("`\(name)` has elements of type \(code), which ONNX does not have", nil)
        case .elementOutOfRange(let name, let number): ("the tensor `\(name)` holds \(number), which is more than its type does", nil)
        case .outside(let name, let location):
            ("the tensor `\(name)` lies in `\(location)`, which is not in the model's folder", "a model reads files beside it, and no others")
        case .sparse: ("it holds sparse tensors, which act does not have", nil)
        case .noLocation(let name): ("the tensor `\(name)` lies in another file, and the model does not say in which", nil)
        case .badPlace(let name, let key, let value): ("the `\(key)` of the tensor `\(name)` in another file does not fit: \"\(value)\"", nil)
        case .shortExternal(let name, let location, let needs, let found):
            ("the tensor `\(name)` needs \(Format.bytes(needs)) of `\(location)`, and \(Format.bytes(found)) are there", nil)
        case .noOpset(let domain):
            ("it does not say which version of the operators\(domain.isEmpty ? "" : " of `\(domain)`") it speaks", nil)
        case .unknownOpset(let domain, let version, let newest):
            (
                "it speaks version \(version) of \(domain.isEmpty ? "ONNX's operators" : "the operators of `\(domain)`"), and act knows 1 to \(newest)",
                version > newest ? "operators may compute something else in a newer version: have it written for an older one" : nil
            )
        case .newerFormat(let version, let newest):
            (
                "it is written in version \(version) of the format (`ir_version`), and act knows those up to \(newest)",
                "have it written for an older version"
            )
        case .lacking(let operators, let types): lacking(operators, types)
        case .unknownValue(let name, let reader):
            (
                "\(reader.map { "\($0) reads" } ?? "the graph gives") `\(name)`, which nothing before makes",
                "the nodes of a graph stand in the order in which they run, without circles"
            )
        case .madeTwice(let name): ("two nodes make `\(name)`", nil)
        case .noInputs: ("the graph has no inputs", nil)
        case .noOutputs: ("the graph has no outputs", nil)
        case .recursiveFunction(let name): ("the model's function `\(name)` calls itself", nil)
        case .tooManyNodes(let most): ("with its functions in their places it has more than \(most) nodes", nil)
        case .unreadableGraph: ("the description of its graph is not readable", nil)
        }
    }

    private static func words(for fault: ProtobufFault) -> Message {
        switch fault {
        case .endsEarly(let at): "it ends too early: what byte \(at) begins is not whole"
        case .longNumber(let at), .badTag(let at): "it is not an ONNX model: byte \(at) begins no field"
        case .otherType(let field, let at): "it is damaged: field \(field) at byte \(at) is of the wrong type"
        case .notUTF8(let field, let at): "it is damaged: the text in field \(field) at byte \(at) is not UTF-8"
        }
    }

    private static func lacking(_ operators: [ONNXFault.Lacking], _ types: [ONNXFault.Lacking]) -> RefusalWording.Words {
        func list(_ entries: [ONNXFault.Lacking]) -> String {
            let shown = entries.prefix(40).map { $0.count > 1 ? "\($0.name) (\($0.count) times)" : $0.name }
            return shown.joined(separator: ", ") + (entries.count > shown.count ? " and \(entries.count - shown.count) more" : "")
        }
        var parts: [String] = []
        if !operators.isEmpty { parts.append("the operators \(list(operators))") }
        if !types.isEmpty { parts.append("the element types \(list(types))") }
        return ("it uses what act does not have: \(parts.joined(separator: "; "))", nil)
    }

    static func words(for error: ONNXNodeError) -> RefusalWording.Words {
        let fault: Message =
            switch error.fault {
            case .missingInput(let index): "input \(index) is missing"
            case .missingAttribute(let name): "the attribute `\(name)` is missing"
            case .badAttribute(let name): "the attribute `\(name)` does not fit"
            case .kind(let index): "input \(index) is of another kind: an array, a list or nothing"
            case .notWhole(let index, let number): "input \(index) holds \(Format.number(number)), where a whole number is needed"
            case .shape(let shape, let index): "input \(index) of shape \(describe(shape)) does not fit"
            case .inexact(let number): "a whole number became \(Format.number(number)), which is not exact: act's whole numbers have 53 bits"
            case .lacking(let what): "act does not have \(words(for: what))"
            case .inner: "its operation fails"
            }
        return ("\(place(of: error)): \(fault.text)", nil)
    }

    private static func words(for lacking: ONNXNodeError.Lacking) -> String {
        switch lacking {
        case .type(let type): "the element type \(type.name)"
        case .activation(let name): "the activation \(name)"
        case .windows(let axes): "windows over \(axes) axes"
        case .sampling(let mode, let axes): "sampling in mode \(mode) along \(axes) axes"
        case .batchOfScans: "Scan of opset 8 over several rows"
        }
    }

    /// As errors of the operations inside say where they are.
    static func place(of error: ONNXNodeError) -> String { "in the node \(error.node) of the ONNX model" }

    static func words(for error: ONNXInputError) -> RefusalWording.Words {
        switch error {
        case .count(let expected, let found):
            (
                "the model takes \(expected.count) inputs (\(expected.map { "`\($0)`" }.joined(separator: ", "))), not \(found)",
                "give them one by one, as a list, or as a record by their names"
            )
        case .notAnArray(let name, let kind): ("the model's input `\(name)` is an array, not \(kind)", nil)
        case .rank(let name, let expected, let found):
            ("the model's input `\(name)` has \(expected) \(expected == 1 ? "axis" : "axes"), not the shape \(describe(found))", nil)
        case .notWhole(let name, let number): ("the model's input `\(name)` is of whole numbers, not \(Format.number(number))", nil)
        case .outOfRange(let name, let number, let type):
            ("the model's input `\(name)` is of type \(type.name), which does not hold \(Format.number(number))", nil)
        }
    }
}
