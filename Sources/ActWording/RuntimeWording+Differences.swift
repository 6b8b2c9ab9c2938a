// How two structures differ, and how a gradient does not fit its parameters, in words.

import ActGrad
import ActMachine
import ActNetwork
import ActSyntax

extension RuntimeWording {
    func difference(_ difference: StructureDifference) -> Message {
        switch difference {
        case .fieldOfLeft(let name): "only the left record has the field `\(name)`"
        case .fieldOfRight(let name): "only the right record has the field `\(name)`"
        case .fieldOfOne(let name): "only one record has the field `\(name)`"
        case .listLengths(let left, let right): "the lists have \(left) and \(right) elements"
        case .list(let length, let other): "one has a list of \(length) where another has \(other.kind)"
        case .field(let name, let other): "one has a record with the field `\(name)` where another has \(other.kind)"
        case .fieldOfFirst(let name, let other): "the first record has the field `\(name)`, and beside it stands \(other.kind)"
        case .kinds(let first, let other): "one value is \(first.kind) where another is \(other?.kind ?? "nothing")"
        case .partCount(let direction, let function, let given, let needed):
            "\(direction.words.given) of `\(function)` has \(count(given, "part")), \(direction.words.along) \(needed)"
        case .partShape(let direction, let function, let given, let needed):
            "\(direction.words.given) of `\(function)` has a part of shape \(ActMachine.describe(given)), \(direction.words.along) one of shape \(ActMachine.describe(needed))"
        }
    }

    func difference(_ misfit: GradientMisfit) -> String {
        func name(_ path: String) -> String { path.isEmpty ? "the parameters" : "`\(path)`" }
        func verb(_ path: String) -> String { path.isEmpty ? "are" : "is" }
        return switch misfit {
        case .shape(let path, let parameter, let gradient):
            "the shape of \(name(path)) is \(ActMachine.describe(parameter)), of the gradient \(ActMachine.describe(gradient))"
        case .count(let path, let parameters, let gradient): "\(name(path)) \(verb(path)) a list of \(parameters), the gradient one of \(gradient)"
        case .kind(let path, let parameter, let gradient): "\(name(path)) \(verb(path)) \(parameter), the gradient \(gradient)"
        case .missing(let path): "the gradient has no `\(path)`"
        case .extra(let path): "the gradient has `\(path)`, which is not a parameter"
        }
    }
}

extension StructureDifference.Direction {
    fileprivate var words: (given: String, along: String) {
        switch self {
        case .direction: ("the direction", "the point")
        case .cotangent: ("the cotangent", "the value")
        }
    }
}
